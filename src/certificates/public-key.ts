import { createPublicKey, type KeyObject } from 'node:crypto'
import { sha256, sha256Base64url } from '../octets/digest.ts'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import { type Curve, isEd25519Point, isPointOn, P_256, P_384 } from './curve-points.ts'
import { type DerReader, readDer } from './der-reader.ts'
import { refuseMalformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'
import { writePem } from './pem.ts'
import { weaknessOfModulus } from './rsa-modulus.ts'

const CURVES = new Map<string, Curve>([
  [OID.secp256r1, P_256],
  [OID.secp384r1, P_384],
])
const RSA_BITS = { fewest: 3072, most: 8192 }
const RSA_EXPONENT = 65537n

/**
 * The allow-list of public keys: P-256, P-384, Ed25519, and RSA of 3072 to 8192 bits with e = 65537 (TS 33.310 6.1.3c,
 * THREATS ON-06). The same list holds for every key in every certificate that is read or signed.
 *
 * @param spki - SubjectPublicKeyInfo, DER (RFC 5280 4.1.2.7)
 * @throws Refusal PUBLIC_KEY_NOT_ACCEPTED
 */
export function acceptPublicKey(spki: Uint8Array): KeyObject {
  examinePublicKey(spki)
  try {
    // As text: Node takes twice as long to find out that an object with DER is not a key itself.
    return createPublicKey(writePem('PUBLIC KEY', spki))
  } catch (cause) {
    throw new Refusal('PUBLIC_KEY_NOT_ACCEPTED', 'the key does not load', { cause })
  }
}

/** The checks of {@link acceptPublicKey} alone, where the key itself is not needed. */
export function examinePublicKey(spki: Uint8Array): void {
  refuseMalformed('PUBLIC_KEY_NOT_ACCEPTED', 'the public key', () => readDer(spki, readSpki))
}

/**
 * SHA-256 of the SubjectPublicKeyInfo as base64url: one key, one name, whatever certificate it is in (THREATS ON-04).
 */
export function spkiSha256(spki: Uint8Array): string {
  return sha256Base64url(spki)
}

/** The first 160 bits of the SHA-256 of the key (RFC 7093 2, method 1), 20 octets. */
export function keyIdentifier(spki: Uint8Array): Buffer {
  const key = readDer(spki, (der) =>
    der.sequence((info) => {
      info.any()
      return info.bitString()
    }),
  )
  return sha256(key).subarray(0, 20)
}

function readSpki(der: DerReader): void {
  der.sequence((info) => {
    const check = info.sequence(readAlgorithm)
    check(info.bitString())
  })
}

/** @returns the check of the BIT STRING that follows */
function readAlgorithm(der: DerReader): (key: Buffer) => void {
  const algorithm = der.oid()
  if (algorithm === OID.ecPublicKey) {
    // Named curves only: explicit parameters may name another generator (CVE-2020-0601).
    const curve = CURVES.get(der.oid())
    acceptIf(curve !== undefined, 'the key is not on P-256 or P-384')
    return (key) => acceptIf(isPointOn(curve, key), 'the key is not an uncompressed point on its curve')
  }
  if (algorithm === OID.ed25519) {
    return (key) => acceptIf(isEd25519Point(key), 'the key is not a point of large order')
  }
  acceptIf(algorithm === OID.rsaEncryption, 'the key is not of an accepted type')
  der.null()
  return examineRsaKey
}

function examineRsaKey(key: Buffer): void {
  const { n, e } = readDer(key, (der) => der.sequence((rsa) => ({ n: rsa.unsigned(), e: rsa.unsigned() })))
  const bits = n.toString(2).length
  acceptIf(bits >= RSA_BITS.fewest && bits <= RSA_BITS.most, 'the modulus is not of 3072 to 8192 bits')
  acceptIf(e === RSA_EXPONENT, 'the public exponent is not 65537')
  const weakness = weaknessOfModulus(n)
  acceptIf(weakness === undefined, `the key has ${weakness}`)
}

function acceptIf(condition: boolean, otherwise: string): asserts condition {
  refuseUnless(condition, 'PUBLIC_KEY_NOT_ACCEPTED', otherwise)
}
