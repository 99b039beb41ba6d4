import type { LRUCache } from 'lru-cache'
import { sha256Base64url } from '../octets/digest.ts'
import type { Clock } from '../ports/clock.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import {
  checkEntitlement,
  type EntitlementTokenClaims,
  type ParsedEntitlementToken,
  parseEntitlementToken,
  readEntitlementClaims,
  readEntitlementToken,
} from '../tokens/entitlement-token.ts'
import type { JsonObject } from '../tokens/json.ts'
import type { KeySource } from '../tokens/key-set.ts'
import { edgeScope } from '../tokens/scope.ts'
import type { EecIdentity } from './eec-identity.ts'
import { type PresentedRequest, presentedToken, useProof } from './presented-token.ts'
import type { ReplayCache } from './replay-cache.ts'

/** One entitlement configuration server that is trusted here, with at least one way to verify its tokens. */
export type Issuer = {
  /** `https://FQDN` */
  readonly issuer: string
  /** whether a token that is bound to no key is taken, once */
  readonly unbound: 'refused' | 'allowed'
} & (
  | { readonly keys: KeySource; readonly introspect?: Introspect }
  | { readonly keys?: undefined; readonly introspect: Introspect }
)

/**
 * RFC 7662: asks the issuer.
 *
 * @returns what it says of the token, undefined if the token is not active
 * @throws Refusal NF_CONGESTION if there is no answer that can be relied on
 */
export type Introspect = (token: string) => Promise<JsonObject | undefined>

export interface EntitlementPorts {
  /** of this ECS or EES */
  readonly fqdn: Fqdn
  readonly issuers: ReadonlyMap<string, Issuer>
  /** seconds, 600 if not given */
  readonly maxLifetime?: number
  readonly clock: Pick<Clock, 'now'>
  readonly replays: ReplayCache
  /** tokens whose signature was verified, by digest */
  readonly read: LRUCache<string, EntitlementTokenClaims>
  /** whether this EEC may send one more request now */
  readonly mayGoOn: (eecId: string) => boolean
}

/**
 * An EEC authenticates with a token of its entitlement configuration server: TR 33.739 6.25.2 step 2, at an ECS or
 * an EES (D-13 to D-16).
 *
 * @throws Refusal CREDENTIAL_MISSING, DPOP_PROOF_INVALID, TOKEN_INVALID, INSUFFICIENT_SCOPE, TOO_MANY_REQUESTS;
 *   NF_CONGESTION while the issuer's keys or its word cannot be had
 */
export async function verifyEntitlement(
  server: EntitlementPorts,
  request: PresentedRequest,
): Promise<EecIdentity<EntitlementTokenClaims>> {
  const { token, proven } = await presentedToken(request, server.clock.now())

  // Step 2: the server verifies the token by the certificate of its issuer, by asking the issuer, or both,
  const { issuer, claims } = await verifiedToken(server, token)

  // and validates its claims, the one of the key included. An issuer that was asked has taken its time.
  const now = server.clock.now()
  checkEntitlement(claims, { jkt: proven?.jkt, unbound: issuer.unbound, scope: edgeScope(server.fqdn), now })
  refuseUnless(server.mayGoOn(claims.sub), 'TOO_MANY_REQUESTS', 'too many requests of one EEC')
  if (proven) useProof(server.replays, proven, now)
  else useToken(server, claims, now)

  const { sub, gpsi } = claims
  const method = 'ENTITLEMENT_TOKEN'
  return { eecId: sub, ...(gpsi && { gpsi }), method, ...(proven && { jkt: proven.jkt }), claims }
}

interface VerifiedToken {
  readonly issuer: Issuer
  readonly claims: EntitlementTokenClaims
}

async function verifiedToken(server: EntitlementPorts, token: string): Promise<VerifiedToken> {
  const digest = sha256Base64url(token)
  const read = server.read.get(digest)
  const parsed = read ?? parseEntitlementToken(token)
  const issuer = server.issuers.get(parsed.iss)
  refuseUnless(issuer, 'TOKEN_INVALID', 'the issuer is not allowed here')
  if (issuer.keys === undefined) return { issuer, claims: await askedClaims(server, issuer, token) }

  const claims = 'jws' in parsed ? await signedClaims(server, issuer.keys, parsed) : parsed
  server.read.set(digest, claims)
  if (issuer.introspect) {
    const asked = await askedClaims(server, { ...issuer, introspect: issuer.introspect }, token)
    const same = asked.jti === claims.jti && asked.sub === claims.sub && asked.cnf?.jkt === claims.cnf?.jkt
    refuseUnless(same, 'TOKEN_INVALID', 'the issuer speaks of another token')
  }
  return { issuer, claims }
}

function signedClaims(
  server: EntitlementPorts,
  keys: KeySource,
  token: ParsedEntitlementToken,
): Promise<EntitlementTokenClaims> {
  return readEntitlementToken(token, { issuers: new Map([[token.iss, keys]]), ...readerOf(server) })
}

/** The issuer's word goes as far as its own tokens: what it says of itself is checked as in a token (THREATS TK-04). */
async function askedClaims(
  server: EntitlementPorts,
  { issuer, introspect }: { readonly issuer: string; readonly introspect: Introspect },
  token: string,
): Promise<EntitlementTokenClaims> {
  const told = await introspect(token)
  refuseUnless(told, 'TOKEN_INVALID', 'the issuer says that the token is not active')
  const claims = readEntitlementClaims(told, readerOf(server))
  refuseUnless(claims.iss === issuer, 'TOKEN_INVALID', 'the issuer speaks of a token that is not its own')
  return claims
}

function readerOf({ fqdn, maxLifetime, clock }: EntitlementPorts) {
  return { audience: fqdn, now: clock.now(), ...(maxLifetime !== undefined && { maxLifetime }) }
}

/** A token that is bound to no key is as good in other hands, so it is good once (D-14). */
function useToken({ replays }: EntitlementPorts, { iss, jti, iat, exp }: EntitlementTokenClaims, now: number): void {
  const isFirst = replays.isFirst({ name: `${iss} ${jti}`, iat, goodUntil: exp * 1000 }, now)
  refuseUnless(isFirst, 'TOKEN_INVALID', 'the token was used before, or issued before this server started')
}
