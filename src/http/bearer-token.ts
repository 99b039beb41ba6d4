import type { IncomingHttpHeaders } from 'node:http'
import { refuseUnless } from '../spec/refusal.ts'

const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i
const DPOP = /^DPoP ([A-Za-z0-9._~+/-]+=*)$/i

/**
 * RFC 6750 2.1, strictly: one header, one token, nothing else.
 *
 * @throws Refusal CREDENTIAL_MISSING
 */
export function bearerToken(authorization: string | undefined): string {
  const token = BEARER.exec(authorization ?? '')?.[1]
  refuseUnless(token !== undefined, 'CREDENTIAL_MISSING', 'a bearer token is required')
  return token
}

export interface ShownToken {
  readonly token: string
  /** RFC 9449 4.1: compact JWS, not looked at; without it the token came as a bearer token */
  readonly proof?: string
}

/**
 * A token of the scheme DPoP with its proof (RFC 9449 7.1), or a bearer token without one: never a mix of the two,
 * which would let a bound token pass for an unbound one (RFC 9449 7.2).
 *
 * @throws Refusal CREDENTIAL_MISSING, DPOP_PROOF_INVALID
 */
export function dpopOrBearerToken(headers: IncomingHttpHeaders): ShownToken {
  const { authorization } = headers
  const proof = dpopProof(headers)
  const token = DPOP.exec(authorization ?? '')?.[1]
  if (token === undefined && proof === undefined) return { token: bearerToken(authorization) }
  refuseUnless(token !== undefined, 'CREDENTIAL_MISSING', 'a token of the scheme DPoP is required')
  refuseUnless(proof !== undefined, 'DPOP_PROOF_INVALID', 'the header DPoP is missing')
  return { token, proof }
}

/**
 * The one header `DPoP`. Node joins repeated ones with a comma, which no compact JWS holds.
 *
 * @throws Refusal DPOP_PROOF_INVALID
 */
export function dpopProof({ dpop }: IncomingHttpHeaders): string | undefined {
  refuseUnless(!Array.isArray(dpop), 'DPOP_PROOF_INVALID', 'the header DPoP is there more than once')
  return dpop
}
