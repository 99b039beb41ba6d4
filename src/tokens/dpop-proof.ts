import type { KeyObject } from 'node:crypto'
import { sha256Base64url } from '../octets/digest.ts'
import type { Signer } from '../ports/signer.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { MAX_SKEW, stringClaim, timeClaim, tokenId } from './claims.ts'
import { curveOf } from './ecdsa.ts'
import type { JsonObject } from './json.ts'
import { jwkThumbprint, publicKeyOf } from './jwk.ts'
import { parseJws, signJws, verifyJwsWith } from './jws.ts'
import { TOKEN_TYPES } from './token-types.ts'

const TYPE = TOKEN_TYPES.dpop
/** Seconds that a proof is good for (RFC 9449 11.1 wants a short time): a clock may be that far behind ours. */
const LIFETIME = 60
/** RFC 3986 characters alone, so that a URL parser has nothing to correct. */
const HTTPS_URI = /^https:\/\/[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/i

/** What a proof is made for. */
export interface DpopRequest {
  /** as in the request line: `GET` */
  readonly method: string
  /** `https://HOST[:PORT]/path`, without query */
  readonly uri: string
  /** the token that is presented with it; none where one is asked for */
  readonly token?: string
}

/**
 * A proof that the sender of one request holds the key that its token is bound to: RFC 9449 4.2.
 *
 *     jti   never used before
 *     htm   the method
 *     htu   the URI
 *     iat   seconds since 1970-01-01T00:00:00Z
 *     ath   SHA-256 of the token, if there is one
 *
 * @param by - `signer` on P-256; `now` in milliseconds since 1970-01-01T00:00:00Z
 * @returns compact JWS for the header `DPoP`
 * @throws RangeError if it would be a proof that no verifier takes
 */
export async function createDpopProof(
  { method, uri, token }: DpopRequest,
  { signer, now, jti }: { readonly signer: Signer; readonly now: number; readonly jti: string },
): Promise<string> {
  if (curveOf(signer.publicKey)?.alg !== 'ES256') throw new RangeError('a DPoP key is on P-256')
  const htu = normalUri(uri)
  if (htu === undefined) throw new RangeError('the URI of a DPoP proof is one of https')
  const ath = token === undefined ? undefined : sha256Base64url(token)
  return signJws(TYPE, { jti, htm: method, htu, iat: Math.floor(now / 1000), ath }, signer)
}

/** What a proof has proven. */
export interface ProvenKey {
  /** RFC 7638 thumbprint of the key, as in `cnf.jkt` */
  readonly jkt: string
  readonly jti: string
  /** seconds since 1970-01-01T00:00:00Z */
  readonly iat: number
  /**
   * milliseconds since 1970-01-01T00:00:00Z, until which the jti must be remembered: the same proof twice is a replay
   */
  readonly goodUntil: number
}

/**
 * RFC 9449 4.3, checks 2 to 12 without nonces; check 1, one header, is for the reader of headers, and whether the key
 * is the one of the token (12b) for the verifier of the token.
 *
 * @throws Refusal DPOP_PROOF_INVALID
 */
export async function verifyDpopProof(
  proof: string,
  { method, uri, token, now }: DpopRequest & { readonly now: number },
): Promise<ProvenKey> {
  const jws = parseJws(proof, TYPE)
  const { header, claims } = jws
  refuseUnless(header.typ === TYPE.typ, TYPE.refusal, 'the proof is of another type')
  const { key, jkt } = proofKeyOf(header.jwk)
  await verifyJwsWith(jws, key)

  // RFC 7519 4.1.3 to 4.1.5 would limit the proof further; RFC 9449 has no use for them.
  const unlimited = ['aud', 'exp', 'nbf'].every((name) => claims[name] === undefined)
  refuseUnless(unlimited, TYPE.refusal, 'the proof has an audience or a life of its own')
  const htu = normalUri(stringClaim(claims, 'htu', TYPE))
  refuseUnless(claims['htm'] === method, TYPE.refusal, 'the proof is for another method')
  refuseUnless(htu !== undefined && htu === normalUri(uri), TYPE.refusal, 'the proof is for another URI')
  const ath = token === undefined ? undefined : sha256Base64url(token)
  refuseUnless(claims['ath'] === ath, TYPE.refusal, 'the proof is for another token')

  const iat = timeClaim(claims, 'iat', TYPE)
  const goodUntil = (iat + LIFETIME) * 1000
  refuseUnless(iat * 1000 <= now + MAX_SKEW * 1000 && now < goodUntil, TYPE.refusal, 'the proof is not of this minute')
  return { jkt, jti: tokenId(claims, TYPE), iat, goodUntil }
}

interface ProofKey {
  readonly key: KeyObject
  readonly jkt: string
}

/**
 * An EEC proves one key with all its requests, and to import it costs as much as to verify its signature: it stays as
 * long as the header that it came in is remembered.
 */
const proofKeys = new WeakMap<JsonObject, ProofKey>()

/** @throws Refusal DPOP_PROOF_INVALID */
function proofKeyOf(jwk: JsonObject | undefined): ProofKey {
  const known = jwk && proofKeys.get(jwk)
  if (known) return known
  const key = publicKeyOf(jwk)
  const strict = jwk && key && curveOf(key)?.alg === 'ES256'
  refuseUnless(strict, TYPE.refusal, 'jwk is not a strict public JWK on P-256')
  const proofKey = { key, jkt: jwkThumbprint(key) }
  proofKeys.set(jwk, proofKey)
  return proofKey
}

/**
 * RFC 9449 4.3 check 9: without query and fragment, scheme, host, port and dot segments normalized (RFC 3986 6.2.2,
 * 6.2.3).
 */
function normalUri(text: string): string | undefined {
  const url = HTTPS_URI.test(text) ? URL.parse(text) : null
  return url && url.username === '' && url.password === '' ? `${url.origin}${url.pathname}` : undefined
}
