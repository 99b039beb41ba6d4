import type { ApplicationError } from './application-errors.ts'

/** Which member of the request was wrong: TS 29.571 `InvalidParam`. */
export interface InvalidParam {
  /** JSON pointer or parameter name */
  readonly param: string
  readonly reason?: string
}

interface RefusalOptions extends ErrorOptions {
  readonly invalidParams?: readonly InvalidParam[]
}

/**
 * Thrown by a procedure when the standard, or our policy, says no. Anything else thrown is our own fault.
 * `detail` is read by the peer: it names no key, no token, no SUPI. `options.cause` stays in our log.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ApplicationError
  readonly detail: string
  readonly invalidParams: readonly InvalidParam[]

  constructor(code: ApplicationError, detail: string, options: RefusalOptions = {}) {
    super(`${code}: ${detail}`, options)
    this.code = code
    this.detail = detail
    this.invalidParams = options.invalidParams ?? []
  }
}

/** "shall check": goes on only if the condition holds. */
export function refuseUnless(condition: unknown, code: ApplicationError, detail: string): asserts condition {
  if (!condition) throw new Refusal(code, detail)
}
