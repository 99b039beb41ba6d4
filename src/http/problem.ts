import { errorRow } from '../spec/application-errors.ts'
import type { InvalidParam, Refusal } from '../spec/refusal.ts'

/** RFC 9457 problem details with 3GPP's `cause` and `invalidParams` (TS 29.571 ProblemDetails). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly cause: string
  readonly invalidParams?: readonly InvalidParam[]
}

/** @param instance - the path of the request, without its query */
export function toProblem(refusal: Refusal, instance: string): Problem {
  const { status, title } = errorRow(refusal.code)
  return {
    type: `urn:edgeward:problem:${refusal.code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: refusal.detail,
    instance,
    cause: refusal.code,
    ...(refusal.invalidParams.length > 0 && { invalidParams: refusal.invalidParams }),
  }
}

/** RFC 6749 5.2, which TS 29.510 AccessTokenErr repeats: what the token endpoints answer instead of problem details. */
export interface OauthError {
  readonly error: string
  readonly error_description: string
}

/** Where the server is at fault, no error of RFC 6749 5.2 is true: the codes of 4.1.2.1 say so, which 8.5 leaves room for. */
export function toOauthError(refusal: Refusal): OauthError {
  const { status, oauth } = errorRow(refusal.code)
  const unstated = status >= 500 ? 'server_error' : 'invalid_request'
  return { error: oauth ?? unstated, error_description: refusal.detail }
}

/** 401 for a client that failed to authenticate, 400 for every other error of the table (RFC 6749 5.2). */
export function oauthStatus(refusal: Refusal): number {
  const { status } = errorRow(refusal.code)
  if (status >= 500 || status === 429 || status === 413 || status === 415) return status
  return toOauthError(refusal).error === 'invalid_client' ? 401 : 400
}

/**
 * RFC 6750 3, RFC 9449 7.1: the challenge that goes with a 401, and with a 403 for too little scope.
 *
 * @param authorization - of the request: the scheme that was used is the one to go on with
 */
export function wwwAuthenticate(refusal: Refusal, realm: string, authorization = ''): string | undefined {
  const { challenge } = errorRow(refusal.code)
  if (challenge === undefined) return undefined
  const error = challenge === '' ? '' : `, error="${challenge}"`
  const isDpop = challenge === 'invalid_dpop_proof' || /^DPoP /i.test(authorization)
  return isDpop ? `DPoP realm="${realm}"${error}, algs="ES256"` : `Bearer realm="${realm}"${error}`
}
