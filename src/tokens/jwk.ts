import { createPublicKey, type KeyObject } from 'node:crypto'
import { decodeBase64url } from '../octets/base64url.ts'
import { sha256Base64url } from '../octets/digest.ts'
import { curveOf } from './ecdsa.ts'
import { isJsonObject } from './json.ts'

/** The public key of ES256 or ES384: RFC 7518 6.2.1, with the members of RFC 7517 4 that we write. */
export interface EcPublicJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256' | 'P-384'
  readonly x: string
  readonly y: string
  readonly use?: 'sig'
  readonly alg?: 'ES256' | 'ES384'
  readonly kid?: string
}

const MEMBERS = ['kty', 'crv', 'x', 'y', 'use', 'alg', 'kid']

/** @throws TypeError unless the key is on P-256 or P-384 */
export function jwkOf(publicKey: KeyObject): EcPublicJwk {
  const curve = curveOf(publicKey)
  const { x, y } = publicKey.export({ format: 'jwk' })
  if (!curve || x === undefined || y === undefined) throw new TypeError('a token key is on P-256 or P-384')
  return { kty: 'EC', crv: curve.crv, x, y }
}

/** @returns SHA-256 of the required members in their order, in base64url: RFC 7638 3 */
export function jwkThumbprint(publicKey: KeyObject): string {
  const { crv, kty, x, y } = jwkOf(publicKey)
  return sha256Base64url(JSON.stringify({ crv, kty, x, y }))
}

/**
 * Strict reading of a public JWK: coordinates in full length (RFC 7518 6.2.1.2) of a point on the curve, for signatures
 * if it says for what, `kid` its thumbprint if it has one. Any other member is refused, `d` and `x5u` among them.
 */
export function publicKeyOf(jwk: unknown): KeyObject | undefined {
  if (!isJsonObject(jwk) || !Object.keys(jwk).every((name) => MEMBERS.includes(name))) return undefined
  const { kty, crv, x, y, use = 'sig', alg, kid } = jwk
  if (kty !== 'EC' || typeof crv !== 'string' || typeof x !== 'string' || typeof y !== 'string') return undefined
  const key = importPoint({ kty, crv, x, y })
  const curve = key && curveOf(key)
  if (!curve || use !== 'sig' || (alg !== undefined && alg !== curve.alg)) return undefined
  const fullLength = [x, y].every((coordinate) => decodeBase64url(coordinate)?.length === curve.size)
  return fullLength && (kid === undefined || kid === jwkThumbprint(key)) ? key : undefined
}

function importPoint(key: { kty: string; crv: string; x: string; y: string }): KeyObject | undefined {
  try {
    return createPublicKey({ format: 'jwk', key })
  } catch {
    return undefined
  }
}
