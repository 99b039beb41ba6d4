import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'

import { sameOctets, sha256 } from '../octets/digest.ts'
import { requireLength } from '../octets/require-length.ts'
import { xor } from '../octets/xor.ts'

/**
 * The elliptic curve integrated encryption scheme of TS 33.501 C.3, Profile A (X25519) and Profile B (secp256r1).
 *
 *     scheme output = ephemeral public key || ciphertext || MAC tag
 */
export type EciesProfile = 'A' | 'B'

/** An EC private key that remembers its profile; the octets stay inside the KeyObject. */
export interface EciesPrivateKey {
  readonly profile: EciesProfile
  readonly key: KeyObject
}

export interface EciesPublicKey {
  readonly profile: EciesProfile
  readonly key: KeyObject
}

/** What the shared key is stretched to: TS 33.501 C.3.2, C.3.3. */
export interface EciesKeys {
  /** 16 octets */
  readonly encryptionKey: Buffer
  /** the initial counter block, 16 octets */
  readonly icb: Buffer
  /** 32 octets */
  readonly macKey: Buffer
}

/** DER around the octets of a raw key: RFC 8410 for X25519, RFC 5915 and RFC 5480 for secp256r1. */
const ENVELOPES = {
  A: {
    privateKey: ['302e020100300506032b656e04220420', ''],
    publicKey: '302a300506032b656e032100',
    type: 'pkcs8',
    publicOctets: 32,
  },
  B: {
    privateKey: ['30310201010420', 'a00a06082a8648ce3d030107'],
    publicKey: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
    type: 'sec1',
    publicOctets: 33,
  },
} as const

const TAG_OCTETS = 8

/** n of secp256r1: SEC 2 2.4.2. */
const ORDER_OF_P256 = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')

/**
 * The home network's private key, or an ephemeral one from fresh random octets.
 *
 * @param octets - 32; in Profile B a number from 1 to n - 1. They are zeroed, whatever happens
 * @throws RangeError if Profile B has no such key: of random octets one in 2^32, so draw again
 */
export function eciesPrivateKey(profile: EciesProfile, octets: Uint8Array): EciesPrivateKey {
  const { privateKey, type } = ENVELOPES[profile]
  const der = Buffer.concat([Buffer.from(privateKey[0], 'hex'), octets, Buffer.from(privateKey[1], 'hex')])
  try {
    requireLength('a private key', octets, 32)
    if (profile === 'B' && !isScalarOfP256(octets))
      throw new RangeError('a private key of Profile B is from 1 to n - 1')
    return { profile, key: createPrivateKey({ key: der, format: 'der', type }) }
  } finally {
    octets.fill(0)
    der.fill(0)
  }
}

function isScalarOfP256(octets: Uint8Array): boolean {
  return octets.some((octet) => octet !== 0) && Buffer.compare(octets, ORDER_OF_P256) < 0
}

/**
 * @param octets - 32 in Profile A, a compressed point of 33 in Profile B
 * @returns undefined if that is no point of the curve
 */
export function eciesPublicKey(profile: EciesProfile, octets: Uint8Array): EciesPublicKey | undefined {
  const { publicKey, publicOctets } = ENVELOPES[profile]
  if (octets.length !== publicOctets) return undefined
  try {
    const der = Buffer.concat([Buffer.from(publicKey, 'hex'), octets])
    return { profile, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
  } catch {
    return undefined
  }
}

/** @returns 32 octets in Profile A, a compressed point of 33 in Profile B */
export function publicOctetsOf({ profile, key }: EciesPrivateKey): Buffer {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  const octets = Buffer.from(x, 'base64url')
  if (profile === 'A') return octets
  const isOdd = (Buffer.from(y, 'base64url').at(-1) ?? 0) & 1
  return Buffer.concat([Buffer.of(0x02 + isOdd), octets])
}

/**
 * The shared key: the x coordinate of the Diffie-Hellman point.
 *
 * @returns 32 octets; undefined if the keys are of two profiles or lead to no secret (RFC 7748 6.1)
 */
export function agree(privateKey: EciesPrivateKey, publicKey: EciesPublicKey): Buffer | undefined {
  try {
    return diffieHellman({ privateKey: privateKey.key, publicKey: publicKey.key })
  } catch {
    return undefined
  }
}

/**
 * ANSI-X9.63-KDF with SHA-256.
 *
 *     K = SHA-256(Z || 00000001 || SharedInfo1) || SHA-256(Z || 00000002 || SharedInfo1)
 *     encryption key (16) || ICB (16) || MAC key (32) = K
 *
 * @param sharedKey - Z, 32 octets, zeroed on return
 * @param ephemeralPublicKey - SharedInfo1
 * @see TS 33.501 C.3.4, SEC 1 3.6.1
 */
export function eciesKeys(sharedKey: Buffer, ephemeralPublicKey: Uint8Array): EciesKeys {
  const blocks = [1, 2].map((counter) => {
    const input = Buffer.concat([sharedKey, Buffer.of(0, 0, 0, counter), ephemeralPublicKey])
    const block = sha256(input)
    input.fill(0)
    return block
  })
  sharedKey.fill(0)
  const [first = Buffer.alloc(0), macKey = Buffer.alloc(0)] = blocks
  return { encryptionKey: first.subarray(0, 16), icb: first.subarray(16), macKey }
}

/**
 * In the UE: TS 33.501 C.3.2.
 *
 * @param ephemeral - used once; without randomness the same input gives the same output
 * @returns ephemeral public key, ciphertext as long as the plaintext, tag of 8 octets
 * @throws TypeError if the keys are of two profiles or lead to no secret
 */
export function eciesEncrypt(homeNetwork: EciesPublicKey, ephemeral: EciesPrivateKey, plaintext: Uint8Array): Buffer {
  const sharedKey = agree(ephemeral, homeNetwork)
  if (sharedKey === undefined) throw new TypeError('the keys lead to no secret')
  const ephemeralPublicKey = publicOctetsOf(ephemeral)
  const keys = eciesKeys(sharedKey, ephemeralPublicKey)
  const ciphertext = counterMode(keys, plaintext)
  const output = Buffer.concat([ephemeralPublicKey, ciphertext, tagOf(keys, ciphertext)])
  forget(keys)
  return output
}

/**
 * In the home network: TS 33.501 C.3.3.
 *
 * @returns the plaintext, or undefined if the point is bad, the tag is wrong or something is missing
 */
export function eciesDecrypt(homeNetwork: EciesPrivateKey, output: Buffer): Buffer | undefined {
  const { publicOctets } = ENVELOPES[homeNetwork.profile]
  if (output.length <= publicOctets + TAG_OCTETS) return undefined
  const ephemeralPublicKey = output.subarray(0, publicOctets)
  const ephemeral = eciesPublicKey(homeNetwork.profile, ephemeralPublicKey)
  const sharedKey = ephemeral && agree(homeNetwork, ephemeral)
  if (sharedKey === undefined) return undefined
  const keys = eciesKeys(sharedKey, ephemeralPublicKey)
  const ciphertext = output.subarray(publicOctets, -TAG_OCTETS)
  const authentic = sameOctets(tagOf(keys, ciphertext), output.subarray(-TAG_OCTETS))
  const plaintext = authentic ? counterMode(keys, ciphertext) : undefined
  forget(keys)
  return plaintext
}

/** HMAC-SHA-256 over the ciphertext, SharedInfo2 empty; the first 8 octets. */
function tagOf({ macKey }: EciesKeys, ciphertext: Uint8Array): Buffer {
  return createHmac('sha256', macKey).update(ciphertext).digest().subarray(0, TAG_OCTETS)
}

/** AES-128 in counter mode. Only the last 32 bits of the counter block count; Node's own mode counts with all 128. */
export function counterMode({ encryptionKey, icb }: EciesKeys, octets: Uint8Array): Buffer {
  const blocks = Math.ceil(octets.length / 16)
  const counters = Buffer.alloc(16 * blocks)
  for (let block = 0; block < blocks; block += 1) {
    icb.copy(counters, 16 * block)
    counters.writeUInt32BE((icb.readUInt32BE(12) + block) >>> 0, 16 * block + 12)
  }
  const keystream = createCipheriv('aes-128-ecb', encryptionKey, null).setAutoPadding(false).update(counters)
  const result = xor(octets, keystream.subarray(0, octets.length))
  keystream.fill(0)
  return result
}

function forget(keys: EciesKeys): void {
  for (const octets of [keys.encryptionKey, keys.icb, keys.macKey]) octets.fill(0)
}
