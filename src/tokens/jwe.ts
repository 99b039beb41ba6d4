import { createCipheriv, createDecipheriv, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '../octets/base64url.ts'
import { sha256 } from '../octets/digest.ts'
import { isJsonObject, parseJson } from './json.ts'

/**
 * Compact JWE (RFC 7516 7.1) for one recipient with a key on P-256: ECDH-ES in direct mode (RFC 7518 4.6) and A256GCM
 * (5.3). What was encrypted to the recipient cannot be read on the way (THREATS KE-09).
 */
const [ALG, ENC, CURVE] = ['ECDH-ES', 'A256GCM', 'P-256'] as const
const KEY_BITS = 256
const [IV_OCTETS, TAG_OCTETS] = [12, 16] as const

/**
 * @param recipient - public key on P-256
 * @param ephemeral - private key on P-256, used for this message only
 * @param iv - 12 octets
 */
export function encryptJwe(
  plaintext: Uint8Array,
  {
    recipient,
    ephemeral,
    iv,
  }: { readonly recipient: KeyObject; readonly ephemeral: KeyObject; readonly iv: Uint8Array },
): string {
  const { x, y } = createPublicKey(ephemeral).export({ format: 'jwk' })
  const header = encodeBase64url(JSON.stringify({ alg: ALG, enc: ENC, epk: { kty: 'EC', crv: CURVE, x, y } }))
  const key = contentKey(diffieHellman({ privateKey: ephemeral, publicKey: recipient }))
  try {
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header, 'ascii'))
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    return [header, '', encodeBase64url(iv), encodeBase64url(ciphertext), encodeBase64url(cipher.getAuthTag())].join(
      '.',
    )
  } finally {
    key.fill(0)
  }
}

/** @returns undefined unless it is a JWE as above, for this key and unchanged */
export function decryptJwe(text: string, recipient: KeyObject): Buffer | undefined {
  const [header = '', encryptedKey, ...rest] = text.split('.')
  const [iv, ciphertext, tag] = rest.map(decodeBase64url)
  const ephemeral = ephemeralKey(header)
  const complete = iv?.length === IV_OCTETS && ciphertext !== undefined && tag?.length === TAG_OCTETS
  if (encryptedKey !== '' || rest.length !== 3 || ephemeral === undefined || !complete) return undefined
  const key = contentKey(diffieHellman({ privateKey: recipient, publicKey: ephemeral }))
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_OCTETS })
    decipher.setAAD(Buffer.from(header, 'ascii')).setAuthTag(tag)
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    return undefined
  } finally {
    key.fill(0)
  }
}

/**
 * Concat KDF of RFC 7518 4.6.2 with SHA-256, for keys of at most 256 bits.
 *
 *     SHA-256(00000001 || Z || AlgorithmID || PartyUInfo || PartyVInfo || SuppPubInfo)
 *
 * each of the three with its length in 4 octets before it; SuppPubInfo is the length of the key in bits.
 *
 * @param z - the shared secret, zeroed on return
 */
export function concatKdf(
  z: Buffer,
  { algorithm, bits, apu = '', apv = '' }: { algorithm: string; bits: number; apu?: string; apv?: string },
): Buffer {
  const parts = [algorithm, apu, apv].flatMap((part) => [number(Buffer.byteLength(part)), Buffer.from(part)])
  const input = Buffer.concat([number(1), z, ...parts, number(bits)])
  z.fill(0)
  const key = sha256(input)
  input.fill(0)
  return key.subarray(0, bits / 8)
}

const contentKey = (z: Buffer) => concatKdf(z, { algorithm: ENC, bits: KEY_BITS })

function ephemeralKey(header: string): KeyObject | undefined {
  const members = json(header)
  if (!isJsonObject(members) || members['alg'] !== ALG || members['enc'] !== ENC) return undefined
  const { epk } = members
  // A header that asks for more than this, as compression or critical extensions, is not understood.
  if (Object.keys(members).length !== 3 || !isJsonObject(epk) || epk['crv'] !== CURVE) return undefined
  const { kty, crv, x, y } = epk
  if (kty !== 'EC' || typeof x !== 'string' || typeof y !== 'string') return undefined
  try {
    return createPublicKey({ format: 'jwk', key: { kty, crv, x, y } })
  } catch {
    return undefined
  }
}

function json(part: string): unknown {
  const octets = decodeBase64url(part)
  return octets && parseJson(octets)
}

function number(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}
