import type { Fqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import type { AccessTokenReader } from './access-token.ts'
import {
  checkAudience,
  checkExpiry,
  checkTimes,
  type Issuance,
  type IssuedClaims,
  issuedClaims,
  keysOfIssuer,
  type Lifetime,
  scopeClaim,
  stringClaim,
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
import { type Jws, parseJws, signJws, verifyJws } from './jws.ts'
import { covers, formatScope, parseScope, type Scope } from './scope.ts'
import { TOKEN_TYPES } from './token-types.ts'

/**
 * That of RFC 9068, as the access token of an EES: `cnf` tells the two apart, and each verifier takes its own kind
 * only.
 */
const TYPE = TOKEN_TYPES.access
const LIFETIME: Lifetime = { usual: 600, ceiling: 900 }

/** What an ECS grants an EEC at one EES: TS 33.558 6.2, RFC 9068 2.2, bound to the EEC's key (RFC 9449 6.1). */
export interface EecAccessTokenClaims extends IssuedClaims, EecSubject {
  readonly iss: string
  /** the EES: a separate token for each */
  readonly aud: readonly [Fqdn]
  /** names of services of the EES */
  readonly scope: string
  readonly cnf: KeyConfirmation
}

/** What the ECS has decided to grant. */
export interface EecAccessGrant {
  readonly iss: string
  readonly eecId: EecId
  readonly aud: Fqdn
  readonly scope: Scope
  readonly gpsi?: string
  /** of the key that the EEC has proven to hold */
  readonly jkt: string
}

/** @throws RangeError if it would be a token that no verifier takes */
export async function issueEecAccessToken(grant: EecAccessGrant, issuance: Issuance): Promise<string> {
  const scope = formatScope(grant.scope)
  if (!parseScope(scope)) throw new RangeError('the scope has at least one name, and names only')
  const claims: EecAccessTokenClaims = {
    iss: grant.iss,
    ...eecSubject(grant),
    aud: [grant.aud],
    scope,
    cnf: confirmationOf(grant.jkt),
    ...issuedClaims(issuance, LIFETIME),
  }
  return signJws(TYPE, claims, issuance.signer)
}

/**
 * The part that stays true until `exp`. It is no permission by itself: `checkEecAccess` is due at each request.
 *
 * @param reader - `now` in milliseconds since 1970-01-01T00:00:00Z
 * @throws Refusal TOKEN_INVALID
 */
export async function readEecAccessToken(
  token: string,
  { issuers, audience, maxLifetime, now }: AccessTokenReader & { readonly now: number },
): Promise<EecAccessTokenClaims> {
  const jws = parseJws(token, TYPE)
  await verifyJws(jws, keysOfIssuer(jws, issuers))
  return readClaims(jws, { audience, maxLifetime, now })
}

/**
 * What the EEC looks at before it shows the token to anybody: whose it is, for whom, until when, and bound to which
 * key. Nothing of it is proven: the signature is for the EES.
 *
 * @param reader - `now` in milliseconds since 1970-01-01T00:00:00Z
 * @throws Refusal TOKEN_INVALID
 */
export function inspectEecAccessToken(
  token: string,
  { audience, now }: { readonly audience: Fqdn; readonly now: number },
): EecAccessTokenClaims {
  return readClaims(parseJws(token, TYPE), { audience, now, maxLifetime: LIFETIME.ceiling })
}

function readClaims(
  { claims }: Jws,
  {
    audience,
    maxLifetime,
    now,
  }: { readonly audience: Fqdn; readonly maxLifetime?: number | undefined; readonly now: number },
): EecAccessTokenClaims {
  checkAudience(claims, audience, TYPE)
  const times = checkTimes(claims, { now, maxLifetime }, LIFETIME, TYPE)
  return {
    iss: stringClaim(claims, 'iss', TYPE),
    ...readEecSubject(claims, TYPE),
    aud: [audience],
    scope: formatScope(scopeClaim(claims, TYPE)),
    cnf: readConfirmation(claims, TYPE),
    jti: tokenId(claims, TYPE),
    ...times,
  }
}

/** What a request brings beside the token, and what it wants. */
export interface EecAccessAttempt {
  /** of the key that was proven with this very request */
  readonly jkt: string
  readonly scope: Scope
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
}

/**
 * The part that is due at every request, with a token just read or remembered.
 *
 * @throws Refusal TOKEN_INVALID or INSUFFICIENT_SCOPE
 */
export function checkEecAccess(claims: EecAccessTokenClaims, { jkt, scope, now }: EecAccessAttempt): void {
  refuseUnless(claims.cnf.jkt === jkt, TYPE.refusal, 'the token is bound to another key')
  checkExpiry(claims.exp, now, TYPE)
  const granted = parseScope(claims.scope)
  const covered = granted && covers(granted, scope)
  refuseUnless(covered, 'INSUFFICIENT_SCOPE', 'the scope does not cover the operation')
}
