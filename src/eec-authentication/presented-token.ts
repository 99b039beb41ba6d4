import { dpopOrBearerToken, dpopProof } from '../http/bearer-token.ts'
import type { Evidence } from '../http/route.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { type ProvenKey, verifyDpopProof } from '../tokens/dpop-proof.ts'
import type { ReplayCache } from './replay-cache.ts'

/** One request, as far as it says who sends it. */
export interface PresentedRequest {
  readonly headers: Evidence['headers']
  readonly method: string
  /** `https://HOST[:PORT]/path` as the client addressed it, without query */
  readonly uri: string
  /** the token, where it came as a grant in the content (RFC 7523 2.1): the proof has no `ath` then (RFC 9449 5) */
  readonly assertion?: string
}

/** The part of a request's evidence that a proof speaks about; its host was checked when the request came in. */
export function presentedRequest({ headers, operation, path }: Omit<Evidence, 'socket'>): PresentedRequest {
  const authority = headers[':authority'] ?? headers.host
  return { headers, method: operation.method, uri: `https://${String(authority)}${path}` }
}

export interface PresentedToken {
  readonly token: string
  /** absent if the token came as a bearer token */
  readonly proven?: ProvenKey
}

/** The token of a request, unverified. @throws Refusal CREDENTIAL_MISSING, DPOP_PROOF_INVALID */
export function shownToken({ headers }: PresentedRequest): string {
  return dpopOrBearerToken(headers).token
}

/**
 * The token of a request, and the key that its sender has proven to hold. The token itself is not looked at, and the
 * proof is not used up: that is `useProof`, once the token is known to be good, so that nobody without one fills the
 * memory.
 *
 * @throws Refusal CREDENTIAL_MISSING, DPOP_PROOF_INVALID
 */
export async function presentedToken(request: PresentedRequest, now: number): Promise<PresentedToken> {
  const { headers, method, uri, assertion } = request
  if (assertion !== undefined) {
    const proof = dpopProof(headers)
    return { token: assertion, ...(proof && { proven: await verifyDpopProof(proof, { method, uri, now }) }) }
  }
  const { token, proof } = dpopOrBearerToken(headers)
  if (proof === undefined) return { token }
  return { token, proven: await verifyDpopProof(proof, { method, uri, token, now }) }
}

/**
 * RFC 9449 11.1: a proof is good for one request. The name holds the key, so that no EEC uses up the proofs of another.
 *
 * @throws Refusal DPOP_PROOF_INVALID; NF_CONGESTION if it cannot be remembered
 */
export function useProof(replays: ReplayCache, { jkt, jti, iat, goodUntil }: ProvenKey, now: number): void {
  const isFirst = replays.isFirst({ name: `${jkt} ${jti}`, iat, goodUntil }, now)
  refuseUnless(isFirst, 'DPOP_PROOF_INVALID', 'the proof was used before, or made before this server started')
}
