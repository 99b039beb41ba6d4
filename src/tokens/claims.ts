import { isDigest } from '../octets/digest.ts'
import type { Signer } from '../ports/signer.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import type { Jws } from './jws.ts'
import type { KeySource } from './key-set.ts'
import { parseScope, type Scope } from './scope.ts'
import type { TokenType } from './token-types.ts'

/** How far the issuer's clock may be ahead of ours, in seconds (D-30). An expired token gets no such grace. */
export const MAX_SKEW = 30

const TOKEN_ID = /^[\x21-\x7e]{1,128}$/

/** In seconds. */
export interface Lifetime {
  /** what an issuer gives, and the most that a verifier takes, unless configured otherwise */
  readonly usual: number
  /** the most that can be configured */
  readonly ceiling: number
}

/** The circumstances of an issue: who signs, when, under which identifier. */
export interface Issuance {
  readonly signer: Signer
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
  /** unpredictable and never used before, 1 to 128 printable ASCII characters */
  readonly jti: string
  /** seconds */
  readonly lifetime?: number
}

export interface IssuedClaims {
  readonly jti: string
  /** seconds since 1970-01-01T00:00:00Z */
  readonly iat: number
  readonly exp: number
}

/** @throws RangeError if the lifetime or the identifier is not one that a verifier takes */
export function issuedClaims({ now, jti, lifetime }: Issuance, limits: Lifetime): IssuedClaims {
  const seconds = configuredLifetime(lifetime, limits)
  if (!TOKEN_ID.test(jti)) throw new RangeError('jti is 1 to 128 printable ASCII characters')
  const iat = Math.floor(now / 1000)
  return { jti, iat, exp: iat + seconds }
}

function configuredLifetime(configured: number | undefined, { usual, ceiling }: Lifetime): number {
  const seconds = configured ?? usual
  const possible = Number.isInteger(seconds) && seconds > 0 && seconds <= ceiling
  if (!possible) throw new RangeError(`a lifetime here is 1 to ${ceiling} seconds`)
  return seconds
}

/** The issuer's name opens the issuer's own keys and no others (THREATS TK-04). */
export function keysOfIssuer({ claims, type }: Jws, issuers: ReadonlyMap<string, KeySource>): KeySource {
  const keys = issuers.get(stringClaim(claims, 'iss', type))
  refuseUnless(keys, type.refusal, 'the issuer is not allowed here')
  return keys
}

/**
 * One audience, and that is we, letter by letter: a token for two parties could be replayed by one of them
 * (THREATS TK-03, RS-04).
 */
export function checkAudience({ aud }: JsonObject, own: Fqdn, type: TokenType): void {
  const [audience, ...others] = Array.isArray(aud) ? aud : [aud]
  refuseUnless(audience === own && others.length === 0, type.refusal, 'the token is for another audience')
}

/**
 * RFC 7519 4.1.4 to 4.1.6, in whole seconds: `iat` and `exp` are required, `nbf` is obeyed if there.
 * The token is good from iat - 30 s (clock skew) to the last millisecond before exp.
 */
export function checkTimes(
  claims: JsonObject,
  { now, maxLifetime }: { readonly now: number; readonly maxLifetime?: number | undefined },
  limits: Lifetime,
  type: TokenType,
): Pick<IssuedClaims, 'iat' | 'exp'> {
  const iat = timeClaim(claims, 'iat', type)
  const exp = timeClaim(claims, 'exp', type)
  const nbf = claims['nbf'] === undefined ? iat : timeClaim(claims, 'nbf', type)
  const latestStart = now + MAX_SKEW * 1000
  refuseUnless(iat * 1000 <= latestStart && nbf * 1000 <= latestStart, type.refusal, 'the token is not valid yet')
  checkExpiry(exp, now, type)
  const lifetime = exp - iat
  const short = lifetime > 0 && lifetime <= configuredLifetime(maxLifetime, limits)
  refuseUnless(short, type.refusal, 'the token lives longer than allowed')
  return { iat, exp }
}

export function checkExpiry(exp: number, now: number, type: TokenType): void {
  refuseUnless(now < exp * 1000, type.refusal, 'the token has expired')
}

export function timeClaim(claims: JsonObject, name: 'iat' | 'nbf' | 'exp', type: TokenType): number {
  const seconds = claims[name]
  const whole = typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds >= 0
  refuseUnless(whole, type.refusal, `${name} is not a whole number of seconds`)
  return seconds
}

export function tokenId(claims: JsonObject, type: TokenType): string {
  const jti = stringClaim(claims, 'jti', type)
  refuseUnless(TOKEN_ID.test(jti), type.refusal, 'jti is not 1 to 128 printable ASCII characters')
  return jti
}

export function scopeClaim(claims: JsonObject, type: TokenType): Scope {
  const scope = parseScope(stringClaim(claims, 'scope', type))
  refuseUnless(scope, type.refusal, 'scope is not well formed')
  return scope
}

export function stringClaim(claims: JsonObject, name: string, type: TokenType): string {
  const value = claims[name]
  refuseUnless(typeof value === 'string' && value !== '', type.refusal, `${name} is not a string`)
  return value
}

/** Both name the one client of the client credentials grant (RFC 9068 2.2, D-2, D-17). */
export function subjectClaim(claims: JsonObject, type: TokenType): string {
  const sub = stringClaim(claims, 'sub', type)
  refuseUnless(claims['client_id'] === sub, type.refusal, 'sub and client_id are not the same client')
  return sub
}

/** RFC 8705 3.1, and no other binding beside it. @returns base64url of SHA-256 over the certificate in DER */
export function certificateConfirmation({ cnf }: JsonObject, type: TokenType): string {
  const thumbprint = isJsonObject(cnf) && Object.keys(cnf).length === 1 ? cnf['x5t#S256'] : undefined
  refuseUnless(isDigest(thumbprint), type.refusal, 'the token is not bound to a certificate')
  return thumbprint
}
