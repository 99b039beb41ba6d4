import type { KeyObject } from 'node:crypto'
import { curveOf } from './ecdsa.ts'
import { isJsonObject, parseJson } from './json.ts'
import { type EcPublicJwk, jwkOf, jwkThumbprint, publicKeyOf } from './jwk.ts'

declare const brand: unique symbol

/** Where a verifier finds the key of a `kid`: a key set, or an adapter that also asks the issuer (THREATS TK-12). */
export interface KeySource {
  /** @param certificateThumbprint - of the certificate that the key was used under, for tokens that name one */
  get(kid: string, certificateThumbprint?: string): KeyObject | undefined | Promise<KeyObject | undefined>
}

/** The verification keys of one issuer; each `kid` is the RFC 7638 thumbprint of its key (THREATS TK-13). */
export type KeySet = ReadonlyMap<string, KeyObject> & { readonly [brand]: 'KeySet' }

/** RFC 7517 5 */
export interface JwkSet {
  readonly keys: readonly EcPublicJwk[]
}

/** @throws TypeError unless every key is a public key on P-256 */
export function keySetOf(publicKeys: readonly KeyObject[]): KeySet {
  for (const key of publicKeys) {
    if (key.type !== 'public' || curveOf(key)?.alg !== 'ES256') throw new TypeError('a key set holds public P-256 keys')
  }
  const keys: ReadonlyMap<string, KeyObject> = new Map(publicKeys.map((key) => [jwkThumbprint(key), key]))
  return keys as KeySet
}

/**
 * A JWK Set as we publish it (RFC 7517 5). One key that is not strictly a public P-256 signature key spoils the set:
 * who publishes a private key or a key of another kind under our contract needs attention, not tolerance.
 *
 * @param octets - the JSON text
 * @throws TypeError if the text is anything else
 */
export function readJwkSet(octets: Uint8Array): KeySet {
  const set = parseJson(octets)
  const keys = isJsonObject(set) ? set['keys'] : undefined
  if (!Array.isArray(keys)) throw new TypeError('not a JWK Set')
  return keySetOf(
    keys.map((jwk: unknown) => {
      const key = publicKeyOf(jwk)
      if (!key) throw new TypeError('the JWK Set holds something else than public P-256 signature keys')
      return key
    }),
  )
}

export function toJwkSet(keySet: KeySet): JwkSet {
  return { keys: [...keySet].map(([kid, key]) => ({ ...jwkOf(key), use: 'sig', alg: 'ES256', kid })) }
}
