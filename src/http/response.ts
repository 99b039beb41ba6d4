import { type Static, type TSchema, Type } from 'typebox'
import { ProblemDetails } from '../spec/messages/ts29122/problem-details.ts'
import { Refusal } from '../spec/refusal.ts'
import type { Response } from './client.ts'
import { parseJsonContent } from './content.ts'
import { findInvalidParam, isOfSchema } from './schema.ts'

/**
 * A server answered something that its client must not rely on: a certificate for another key, a redirect, a wrong
 * type. Nothing of the answer was kept.
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

/** Beyond this, what a server says about itself is not worth a line in anybody's log. */
const LONGEST_DETAIL = 256

/** "shall be": goes on only if the answer can be relied on. @throws AnswerNotAccepted */
export function acceptIf(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new AnswerNotAccepted(otherwise)
}

/**
 * Only the answers that mean success pass: no other success, and no redirect, is followed (THREATS ON-07, HT-06).
 *
 * @throws RefusedByServer for 4xx, 5xx and 202; AnswerNotAccepted for the rest
 */
export function requireStatus(response: Response, ...expected: readonly number[]): void {
  const { status } = response
  if (expected.includes(status)) return
  if (status >= 400 || status === 202) throw refusalOf(response)
  throw new AnswerNotAccepted(`the answer is ${status}, not ${expected.join(' or ')}`)
}

/**
 * @param mediaTypes - in lower case
 * @throws AnswerNotAccepted unless the content is of one of the media types, and JSON of the schema's type
 */
export function readJson<Schema extends TSchema>(
  { headers, body }: Response,
  schema: Schema,
  mediaTypes: readonly string[] = ['application/json'],
): Static<Schema> {
  const expected = mediaTypes.some((mediaType) => isMediaType(headers['content-type'], mediaType))
  acceptIf(expected, `the answer is not ${mediaTypes.join(' or ')}`)
  const value = parseJson(body)
  const invalid = findInvalidParam(schema, value)
  acceptIf(invalid === undefined, `the answer is not of its type: ${invalid?.param} ${invalid?.reason ?? ''}`)
  return value as Static<Schema>
}

/** Whatever its parameters are. @param expected - in lower case */
export function isMediaType(contentType: string | undefined, expected: string): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === expected
}

function parseJson(body: Buffer): unknown {
  try {
    return parseJsonContent(body)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new AnswerNotAccepted(`the answer cannot be read: ${cause.detail}`, { cause })
  }
}

function refusalOf({ status, headers, body }: Response): RefusedByServer {
  const { code, detail } = reasonOf(body)
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return new RefusedByServer({
    status,
    code: code !== undefined && CODE.test(code) ? code : String(status),
    detail: detail?.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, LONGEST_DETAIL),
    retryAfter: Number.isInteger(seconds) && seconds >= 0 ? seconds : undefined,
  })
}

/** RFC 6749 5.2, and whatever else an authorization server has registered by 8.5. */
const OauthError = Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) })
/** A code goes into messages and logs as it is (THREATS HT-09). */
const CODE = /^[\w.:-]{1,64}$/

/**
 * Problem details say why in `cause` (TS 29.500 5.2.7), the token endpoint in `error` (RFC 6749 5.2); others say
 * nothing.
 */
function reasonOf(body: Buffer): { readonly code?: string | undefined; readonly detail?: string | undefined } {
  try {
    const value = parseJson(body)
    if (isOfSchema(OauthError, value)) return { code: value.error, detail: value.error_description }
    if (isOfSchema(ProblemDetails, value)) return { code: value.cause, detail: value.detail ?? value.title }
  } catch (error) {
    if (!(error instanceof AnswerNotAccepted)) throw error
  }
  return {}
}
