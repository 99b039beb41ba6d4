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

/**
 * Where the server is at fault, no error of RFC 6749 5.2 is true: the codes of 4.1.2.1 say so, which 8.5 leaves room
 * for.
 */
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

/** In which tokens are shown in `Authorization`: RFC 6750 2.1, RFC 9449 7.1. */
export type Scheme = 'Bearer' | 'DPoP'

/** What decides in which schemes a client is challenged. */
export interface Challenged {
  /** the header of the request */
  readonly authorization?: string | undefined
  /** that are taken there; `Bearer` unless stated */
  readonly schemes?: readonly Scheme[] | undefined
}

/**
 * RFC 6750 3, RFC 9449 7.1: the challenge that goes with a 401, and with a 403 for too little scope. The scheme that
 * was used is the one to go on with, if it is taken; otherwise each that is.
 */
export function wwwAuthenticate(
  refusal: Refusal,
  realm: string,
  { authorization = '', schemes = ['Bearer'] }: Challenged = {},
): string | undefined {
  const { challenge } = errorRow(refusal.code)
  if (challenge === undefined) return undefined
  const error = challenge === '' ? '' : `, error="${challenge}"`
  const [used] = authorization.toLowerCase().split(' ', 1)
  const goOn = schemes.filter((scheme) => scheme.toLowerCase() === used)
  const asked = challenge === 'invalid_dpop_proof' ? (['DPoP'] as const) : goOn.length > 0 ? goOn : schemes
  return asked.map((scheme) => `${scheme} realm="${realm}"${error}${scheme === 'DPoP' ? ALGS : ''}`).join(', ')
}

const ALGS = ', algs="ES256"'
