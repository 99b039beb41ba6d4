import { type KeyObject, verify } from 'node:crypto'

const NOT_DER = 'the signer returned something else than a DER ECDSA signature'

/** A curve with the one algorithm that we use on it (RFC 7518 3.4). */
export interface Curve {
  readonly alg: 'ES256' | 'ES384'
  readonly crv: 'P-256' | 'P-384'
  readonly hash: 'sha256' | 'sha384'
  /** octets of a coordinate, and of r and of s */
  readonly size: number
  /** n of FIPS 186-5: r and s lie between 1 and n - 1 */
  readonly order: Buffer
}

const P256: Curve = {
  alg: 'ES256',
  crv: 'P-256',
  hash: 'sha256',
  size: 32,
  order: Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'),
}

const P384: Curve = {
  alg: 'ES384',
  crv: 'P-384',
  hash: 'sha384',
  size: 48,
  order: Buffer.from(
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    'hex',
  ),
}

/** A key is asked twice for each signature, and Node makes its answer anew each time. */
const curves = new WeakMap<KeyObject, Curve>()

/**
 * The algorithm belongs to the key: no header is asked (THREATS TK-01).
 *
 * @returns undefined unless the key is an EC key on the named curve P-256 or P-384
 */
export function curveOf(key: KeyObject): Curve | undefined {
  const known = curves.get(key)
  if (known) return known
  const curve = namedCurveOf(key)
  if (curve) curves.set(key, curve)
  return curve
}

function namedCurveOf(key: KeyObject): Curve | undefined {
  if (key.asymmetricKeyType !== 'ec') return undefined
  const name = key.asymmetricKeyDetails?.namedCurve
  if (name === 'prime256v1') return P256
  return name === 'secp384r1' ? P384 : undefined
}

/**
 * From `ECDSA-Sig-Value` (RFC 3279 2.2.3), which the fast way of signing gives, to r || s (RFC 7518 3.4).
 *
 * @throws Error if a signer of ours answers anything but that
 */
export function concatenatedSignature(der: Uint8Array, { size }: Curve): Buffer {
  const octets = Buffer.from(der)
  const [r, afterR] = readInteger(octets, 2)
  const [s, afterS] = readInteger(octets, afterR)
  // Both integers of P-384 fit into the short form of a length.
  if (octets[0] !== 0x30 || octets[1] !== octets.length - 2 || afterS !== octets.length) throw new Error(NOT_DER)
  if (r.length > size || s.length > size) throw new Error(NOT_DER)
  const signature = Buffer.alloc(2 * size)
  r.copy(signature, size - r.length)
  s.copy(signature, 2 * size - s.length)
  return signature
}

function readInteger(octets: Buffer, at: number): [Buffer, number] {
  const length = octets[at + 1] ?? 0
  const end = at + 2 + length
  if (octets[at] !== 0x02 || length === 0 || end > octets.length) throw new Error(NOT_DER)
  return [withoutLeadingZeros(octets.subarray(at + 2, end)), end]
}

/** @returns undefined unless the signature is r || s with 0 < r, s < n */
export function derSignature(signature: Uint8Array, { size, order }: Curve): Buffer | undefined {
  if (signature.length !== 2 * size) return undefined
  const der = Buffer.alloc(2 * (size + 3) + 2)
  let end = 2
  for (const coordinate of [signature.subarray(0, size), signature.subarray(size)]) {
    const integer = withoutLeadingZeros(coordinate)
    const tooLarge = integer.length === size && Buffer.compare(integer, order) >= 0
    if (integer.length === 0 || tooLarge) return undefined
    end = writeInteger(integer, der, end)
  }
  der[0] = 0x30
  der[1] = end - 2
  return der.subarray(0, end)
}

/** @returns where the next one begins */
function writeInteger(magnitude: Uint8Array, der: Buffer, at: number): number {
  const sign = (magnitude[0] ?? 0) >> 7
  der[at] = 0x02
  der[at + 1] = sign + magnitude.length
  der.set(magnitude, at + 2 + sign)
  return at + 2 + sign + magnitude.length
}

function withoutLeadingZeros<Octets extends Uint8Array>(octets: Octets): Octets {
  let first = 0
  while (first < octets.length && octets[first] === 0) first++
  return octets.subarray(first) as Octets
}

/**
 * @param signature - r || s
 * @param key - a public key on P-256 or P-384; any other key verifies nothing
 */
export async function verifySignature(octets: Uint8Array, signature: Uint8Array, key: KeyObject): Promise<boolean> {
  const curve = curveOf(key)
  const der = curve && derSignature(signature, curve)
  if (!der) return false
  // DER in the thread pool is twice as fast as dsaEncoding 'ieee-p1363' there, and leaves the event loop free.
  return new Promise((resolve, reject) => {
    verify(curve.hash, octets, key, der, (error, valid) => (error ? reject(error) : resolve(valid)))
  })
}
