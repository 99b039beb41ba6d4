import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

/**
 * Secrets of a store at rest: AES-256-GCM under the data key of the network function.
 *
 *     sealed = nonce (12) || ciphertext || tag (16)
 *
 * `bound` names the row. A sealed secret that somebody moves to another row does not open there.
 */
const [NONCE, TAG] = [12, 16] as const

/** @param nonce - 12 octets, random, never used before */
export function sealSecret(key: KeyObject, secret: Uint8Array, bound: Uint8Array, nonce: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound)
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

/**
 * @returns a buffer that the caller zeroes
 * @throws Error if the octets were changed, moved or sealed with another key
 */
export function openSecret(key: KeyObject, sealed: Uint8Array, bound: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG })
  decipher.setAAD(bound).setAuthTag(sealed.subarray(-TAG))
  const opened = decipher.update(sealed.subarray(NONCE, -TAG))
  try {
    decipher.final()
    return opened
  } catch (cause) {
    opened.fill(0)
    throw new Error('a sealed secret of the store does not open', { cause })
  }
}
