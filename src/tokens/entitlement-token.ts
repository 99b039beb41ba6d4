import type { Fqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import {
  checkAudience,
  checkExpiry,
  checkTimes,
  type Issuance,
  type IssuedClaims,
  issuedClaims,
  keysOfIssuer,
  type Lifetime,
  stringClaim,
  timeClaim,
  tokenId,
} from './claims.ts'
import {
  confirmationOf,
  type EecSubject,
  eecSubject,
  type KeyConfirmation,
  readConfirmation,
  readEecSubject,
} from './eec-claims.ts'
import type { JsonObject } from './json.ts'
import { type Jws, parseJws, signJws, verifyJws } from './jws.ts'
import type { KeySource } from './key-set.ts'
import { covers, edgeScope, formatScope, parseEdgeScope, type Scope } from './scope.ts'
import { TOKEN_TYPES } from './token-types.ts'

const TYPE = TOKEN_TYPES.entitlement
/** EN-06 wants 10 min, D-13 grants 60: the shorter one holds until the configuration says otherwise. */
const LIFETIME: Lifetime = { usual: 600, ceiling: 3600 }

/** What an entitlement configuration server says of an EEC to one ECS or EES (D-13); never a SUPI. */
export interface EntitlementTokenClaims extends IssuedClaims, EecSubject {
  /** `https://<FQDN of the ENT>` */
  readonly iss: string
  /** one server: a token for two could be shown to one by the other (THREATS EN-02) */
  readonly aud: readonly [Fqdn]
  /** `edge:<FQDN of the audience>` */
  readonly scope: string
  readonly nbf: number
  /** absent only where policy lets a token be a bearer token */
  readonly cnf?: KeyConfirmation
}

/** What the ENT has decided to grant. */
export interface EntitlementGrant {
  readonly iss: string
  readonly eecId: EecId
  readonly aud: Fqdn
  /** the one name of `edgeScope` for the audience */
  readonly scope: Scope
  readonly gpsi?: string
  /** of the key that the EEC has proven to hold */
  readonly jkt?: string
  /** base64url of SHA-256 over the ENT's certificate in DER: the header's `x5t#S256` */
  readonly certificateThumbprint: string
}

/** @throws RangeError if it would be a token that no verifier takes */
export async function issueEntitlementToken(grant: EntitlementGrant, issuance: Issuance): Promise<string> {
  const { iss, aud, jkt, certificateThumbprint } = grant
  const scope = formatScope(grant.scope)
  if (parseEdgeScope(scope) !== aud) throw new RangeError('the scope names the audience, and nothing else')
  const times = issuedClaims(issuance, LIFETIME)
  const claims: EntitlementTokenClaims = {
    iss,
    ...eecSubject(grant),
    aud: [aud],
    scope,
    ...(jkt !== undefined && { cnf: confirmationOf(jkt) }),
    nbf: times.iat,
    ...times,
  }
  return signJws(TYPE, claims, issuance.signer, certificateThumbprint)
}

/** What an ECS or EES knows by configuration. */
export interface EntitlementTokenReader {
  /** the ENTs that are trusted here, each with its own keys */
  readonly issuers: ReadonlyMap<string, KeySource>
  /** this server's own identity */
  readonly audience: Fqdn
  /** seconds, 600 if not given, at most 3600 */
  readonly maxLifetime?: number
}

/**
 * The part that stays true until `exp`: who is entitled, by whom, to what. It is no permission by itself:
 * `checkEntitlement` is due at each request.
 *
 * @param token - text, or as `parseEntitlementToken` gave it
 * @param reader - `now` in milliseconds since 1970-01-01T00:00:00Z
 * @throws Refusal TOKEN_INVALID
 */
export async function readEntitlementToken(
  token: string | ParsedEntitlementToken,
  reader: EntitlementTokenReader & { readonly now: number },
): Promise<EntitlementTokenClaims> {
  const { jws } = typeof token === 'string' ? parseEntitlementToken(token) : token
  await verifyJws(jws, keysOfIssuer(jws, reader.issuers))
  return readEntitlementClaims(jws.claims, reader)
}

/** A token that is well formed. Nothing in it is proven. */
export interface ParsedEntitlementToken {
  readonly jws: Jws
  /** the issuer that it names */
  readonly iss: string
}

/** @throws Refusal TOKEN_INVALID */
export function parseEntitlementToken(token: string): ParsedEntitlementToken {
  const jws = parseJws(token, TYPE)
  return { jws, iss: stringClaim(jws.claims, 'iss', TYPE) }
}

/**
 * The claims alone, from a token whose signature was verified or from the issuer itself (RFC 7662 2.2).
 *
 * @throws Refusal TOKEN_INVALID
 */
export function readEntitlementClaims(
  claims: JsonObject,
  { audience, maxLifetime, now }: Omit<EntitlementTokenReader, 'issuers'> & { readonly now: number },
): EntitlementTokenClaims {
  checkAudience(claims, audience, TYPE)
  const times = checkTimes(claims, { now, maxLifetime }, LIFETIME, TYPE)
  const scope = stringClaim(claims, 'scope', TYPE)
  refuseUnless(parseEdgeScope(scope) === audience, TYPE.refusal, 'the scope does not name the audience alone')
  return {
    iss: stringClaim(claims, 'iss', TYPE),
    ...readEecSubject(claims, TYPE),
    aud: [audience],
    scope,
    ...(claims['cnf'] !== undefined && { cnf: readConfirmation(claims, TYPE) }),
    nbf: claims['nbf'] === undefined ? times.iat : timeClaim(claims, 'nbf', TYPE),
    jti: tokenId(claims, TYPE),
    ...times,
  }
}

/** What a request brings beside the token, and what it wants. */
export interface EntitlementAttempt {
  /** of the key that was proven with this very request */
  readonly jkt: string | undefined
  /** whether a token that is bound to no key is taken as a bearer token */
  readonly unbound: 'refused' | 'allowed'
  readonly scope: Scope
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
}

/**
 * The part that is due at every request, with a token just read or remembered.
 *
 * @throws Refusal TOKEN_INVALID or INSUFFICIENT_SCOPE
 */
export function checkEntitlement(claims: EntitlementTokenClaims, attempt: EntitlementAttempt): void {
  const { jkt, unbound, scope, now } = attempt
  const bound = claims.cnf !== undefined
  refuseUnless(bound || unbound === 'allowed', TYPE.refusal, 'the token is not bound to a key')
  refuseUnless(claims.cnf?.jkt === jkt, TYPE.refusal, 'the token is bound to another key')
  checkExpiry(claims.exp, now, TYPE)
  const [audience] = claims.aud
  refuseUnless(covers(edgeScope(audience), scope), 'INSUFFICIENT_SCOPE', 'the scope does not cover the operation')
}
