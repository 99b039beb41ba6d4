import type { LRUCache } from 'lru-cache'
import { sha256Base64url } from '../octets/digest.ts'
import type { Clock } from '../ports/clock.ts'
import { refuseUnless } from '../spec/refusal.ts'
import type { AccessTokenReader } from '../tokens/access-token.ts'
import { checkEecAccess, type EecAccessTokenClaims, readEecAccessToken } from '../tokens/eec-access-token.ts'
import type { Scope } from '../tokens/scope.ts'
import type { EecIdentity } from './eec-identity.ts'
import { type PresentedRequest, presentedToken, useProof } from './presented-token.ts'
import type { ReplayCache } from './replay-cache.ts'

export interface EecAccessPorts extends AccessTokenReader {
  readonly clock: Pick<Clock, 'now'>
  readonly replays: ReplayCache
  /** tokens that were verified, by digest */
  readonly read: LRUCache<string, EecAccessTokenClaims>
  /** whether this EEC may send one more request now */
  readonly mayGoOn: (eecId: string) => boolean
}

/**
 * An EEC authenticates at an EES with the token that its ECS has made for that EES: TS 33.558 6.2 and 6.3, RFC 9449 7.
 *
 * @param scope - of the operation
 * @throws Refusal CREDENTIAL_MISSING, DPOP_PROOF_INVALID, TOKEN_INVALID, INSUFFICIENT_SCOPE, TOO_MANY_REQUESTS;
 *   NF_CONGESTION while the keys of the ECS cannot be had
 */
export async function verifyEecAccess(
  ees: EecAccessPorts,
  request: PresentedRequest,
  scope: Scope,
): Promise<EecIdentity<EecAccessTokenClaims>> {
  const { token, proven } = await presentedToken(request, ees.clock.now())
  refuseUnless(proven, 'CREDENTIAL_MISSING', 'a token of the scheme DPoP is required')

  const digest = sha256Base64url(token)
  const claims = ees.read.get(digest) ?? (await readEecAccessToken(token, { ...ees, now: ees.clock.now() }))
  ees.read.set(digest, claims)

  // An ECS that was asked for its keys has taken its time.
  const now = ees.clock.now()
  const { jkt } = proven
  checkEecAccess(claims, { jkt, scope, now })
  refuseUnless(ees.mayGoOn(claims.sub), 'TOO_MANY_REQUESTS', 'too many requests of one EEC')
  useProof(ees.replays, proven, now)
  const { sub, gpsi } = claims
  return { eecId: sub, ...(gpsi && { gpsi }), method: 'EDGE_ACCESS_TOKEN', jkt, claims }
}
