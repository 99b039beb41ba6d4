/** The bundle, or the folder of the EES, is not one that this EES can start from. Nothing was sent. */
export class NotUsable extends Error {
  override readonly name = 'NotUsable'
}

/**
 * The ECS answered something that an EES must not rely on: a certificate for another key, a redirect, a wrong type.
 * Nothing of the answer was kept.
 */
export class AnswerNotAccepted extends Error {
  override readonly name = 'AnswerNotAccepted'
}

interface Reason {
  readonly status: number
  readonly code: string
  readonly detail?: string | undefined
  readonly retryAfter?: number | undefined
}

/** A server said no. */
export class RefusedByServer extends Error {
  override readonly name = 'RefusedByServer'
  readonly status: number
  /** `cause` of the problem details, or `error` of RFC 6749 5.2; otherwise the status as text */
  readonly code: string
  readonly detail: string | undefined
  /** seconds to wait before the next try, if the server said so */
  readonly retryAfter: number | undefined

  constructor({ status, code, detail, retryAfter }: Reason) {
    super(detail === undefined ? `${status} ${code}` : `${status} ${code}: ${detail}`)
    this.status = status
    this.code = code
    this.detail = detail
    this.retryAfter = retryAfter
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return [202, 429, 500, 502, 503, 504].includes(this.status)
  }
}
