import { isDigest } from '../octets/digest.ts'
import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { type EecId, parseEecId } from '../spec/subscriber-identifiers.ts'
import {
  certificateConfirmation,
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
  subjectClaim,
  tokenId,
} from './claims.ts'
import type { JsonObject } from './json.ts'
import { parseJws, signJws, verifyJws } from './jws.ts'
import type { KeySource } from './key-set.ts'
import { covers, formatScope, parseScope, type Scope } from './scope.ts'
import { TOKEN_TYPES } from './token-types.ts'

const TYPE = TOKEN_TYPES.access
/** TK-09 wants 10 min at most, D-11 grants 15: the shorter one holds until the configuration says otherwise. */
const LIFETIME: Lifetime = { usual: 600, ceiling: 900 }

/** `AccessTokenClaims` of TS 29.510 with what RFC 9068 2.2 and RFC 8705 3.1 add. */
export interface AccessTokenClaims extends IssuedClaims {
  readonly iss: string
  /** FQDN of the client, as in the subjectAltName of its certificate (D-11, D-17) */
  readonly sub: string
  readonly client_id: string
  /** the producer; a list, because TS 29.510 has a plain string for a type of producer */
  readonly aud: readonly [string]
  readonly scope: string
  /** base64url of SHA-256 over the client's certificate in DER */
  readonly cnf: { readonly 'x5t#S256': string }
  /** the EEC that the request of the client is about; without it the token names none (D-17) */
  readonly eecId?: EecId
  /** FQDN of the ECS where the client is registered, in a token for another EES (D-17) */
  readonly srcEcs?: Fqdn
}

/** What the authorization server has decided to grant. */
export interface AccessGrant {
  readonly iss: string
  readonly sub: Fqdn
  readonly aud: Fqdn
  readonly scope: Scope
  /** of the client certificate on the connection of the request, as in `cnf` */
  readonly certificateThumbprint: string
  readonly eecId?: EecId | undefined
  readonly srcEcs?: Fqdn | undefined
}

/** @throws RangeError if it would be a token that no verifier takes */
export async function issueAccessToken(grant: AccessGrant, issuance: Issuance): Promise<string> {
  const { iss, sub, aud, certificateThumbprint, eecId, srcEcs } = grant
  const scope = formatScope(grant.scope)
  if (!parseScope(scope)) throw new RangeError('the scope has at least one name, and names only')
  if (!isDigest(certificateThumbprint)) throw new RangeError('the thumbprint is 32 octets in base64url')
  const claims: AccessTokenClaims = {
    iss,
    sub,
    client_id: sub,
    aud: [aud],
    scope,
    cnf: { 'x5t#S256': certificateThumbprint },
    ...(eecId !== undefined && { eecId }),
    ...(srcEcs !== undefined && { srcEcs }),
    ...issuedClaims(issuance, LIFETIME),
  }
  return signJws(TYPE, claims, issuance.signer)
}

/** What a resource server knows by configuration. */
export interface AccessTokenReader {
  /** the authorization servers allowed for this producer, each with its own keys */
  readonly issuers: ReadonlyMap<string, KeySource>
  /** this producer's own identity */
  readonly audience: Fqdn
  /** seconds, 600 if not given, at most 900 */
  readonly maxLifetime?: number
}

/** What a request brings beside the token, and what it wants. */
export interface AccessAttempt {
  readonly client: {
    /** from the subjectAltName of the verified client certificate */
    readonly fqdn: Fqdn
    /** of that certificate; a policy that lets tokens outlive a renewal adds the one before it (THREATS TK-05) */
    readonly certificateThumbprints: readonly string[]
  }
  readonly scope: Scope
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
}

/**
 * The producer's checks of an access token: TS 33.501 13.4.1.1.2 step 2.
 * (1), (2), (4) and (7) are about the token alone and come first; (3), (7) again and (5) are about this use of it, and
 * the scope is last, so that INSUFFICIENT_SCOPE is said of a token that is good otherwise (RFC 6750 3.1).
 * (6) and (8) are about additional scope and client credentials assertions, which we do not use.
 *
 * @throws Refusal TOKEN_INVALID or INSUFFICIENT_SCOPE
 */
export async function verifyAccessToken(
  token: string,
  expected: AccessTokenReader & AccessAttempt,
): Promise<AccessTokenClaims> {
  const claims = await readAccessToken(token, expected)
  checkAccess(claims, expected)
  return claims
}

/**
 * The part that stays true until `exp`: who has read a token once may keep these claims under the token's text and go
 * on with `checkAccess`. They are no permission by themselves.
 *
 * @throws Refusal TOKEN_INVALID
 */
export async function readAccessToken(
  token: string,
  { issuers, audience, maxLifetime, now }: AccessTokenReader & { readonly now: number },
): Promise<AccessTokenClaims> {
  const jws = parseJws(token, TYPE)
  const { claims } = jws

  // (1) The issuer is an authorization server allowed for this producer,
  const keys = keysOfIssuer(jws, issuers)

  // (2) the signature verifies with the key of that issuer that the header names,
  await verifyJws(jws, keys)

  // (4) the audience equals the producer's own identity,
  checkAudience(claims, audience, TYPE)

  // (7) and the token has not expired; `iat` is within our policy.
  const times = checkTimes(claims, { now, maxLifetime }, LIFETIME, TYPE)

  const sub = subjectClaim(claims, TYPE)
  return {
    iss: stringClaim(claims, 'iss', TYPE),
    sub,
    client_id: sub,
    aud: [audience],
    scope: formatScope(scopeClaim(claims, TYPE)),
    cnf: { 'x5t#S256': certificateConfirmation(claims, TYPE) },
    ...edgeClaims(claims),
    jti: tokenId(claims, TYPE),
    ...times,
  }
}

/** A claim that narrows the token is not dropped because it cannot be read (D-17). */
function edgeClaims({ eecId, srcEcs }: JsonObject): Pick<AccessTokenClaims, 'eecId' | 'srcEcs'> {
  const eec = typeof eecId === 'string' ? parseEecId(eecId) : undefined
  refuseUnless(eec !== undefined || eecId === undefined, TYPE.refusal, 'eecId is not an EEC ID')
  const ecs = typeof srcEcs === 'string' ? parseFqdn(srcEcs) : undefined
  refuseUnless(ecs === srcEcs, TYPE.refusal, 'srcEcs is not an FQDN in lower case')
  return { ...(eec !== undefined && { eecId: eec }), ...(ecs !== undefined && { srcEcs: ecs }) }
}

/**
 * The part that is due at every request, with a token just read or remembered.
 *
 * @throws Refusal TOKEN_INVALID or INSUFFICIENT_SCOPE
 */
export function checkAccess(claims: AccessTokenClaims, { client, scope, now }: AccessAttempt): void {
  // (3) The subject equals the identity in the subjectAltName of the client's TLS certificate,
  refuseUnless(claims.sub === client.fqdn, TYPE.refusal, 'the token belongs to another client')

  // and the token is bound to that certificate: RFC 8705 3.
  const bound = client.certificateThumbprints.includes(claims.cnf['x5t#S256'])
  refuseUnless(bound, TYPE.refusal, 'the token is bound to another certificate')

  // (7) The token has not expired since it was read,
  checkExpiry(claims.exp, now, TYPE)

  // (5) and the scope covers the operation.
  const granted = parseScope(claims.scope)
  const covered = granted && covers(granted, scope)
  refuseUnless(covered, 'INSUFFICIENT_SCOPE', 'the scope does not cover the operation')
}
