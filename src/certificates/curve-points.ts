/** A curve y^2 = x^3 - 3x + b over the prime field p (SEC 2 2.4.2, 2.5.1; FIPS 186-5). Its cofactor is 1. */
export interface Curve {
  readonly p: bigint
  readonly b: bigint
  /** octets of a coordinate */
  readonly size: number
}

export const P_256: Curve = {
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  size: 32,
}

export const P_384: Curve = {
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  size: 48,
}

const UNCOMPRESSED = 0x04

/**
 * Whether the octets are the uncompressed encoding (SEC 1 2.3.3) of a point on the curve; infinity has no such
 * encoding.
 */
export function isPointOn(curve: Curve, octets: Buffer): boolean {
  const { p, b, size } = curve
  if (octets.length !== 1 + 2 * size || octets[0] !== UNCOMPRESSED) return false
  const x = BigInt(`0x${octets.toString('hex', 1, 1 + size)}`)
  const y = BigInt(`0x${octets.toString('hex', 1 + size)}`)
  return x < p && y < p && (y * y - x * x * x + 3n * x - b) % p === 0n
}

/** The curve -x^2 + y^2 = 1 + d x^2 y^2 over the prime field 2^255 - 19 (RFC 8032 5.1). */
const Q = 2n ** 255n - 19n
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n
/** y of the points of order 8; those of order 1, 2 and 4 have y = 1, -1 and 0. */
const Y_OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const SMALL_ORDER = new Set([0n, 1n, Q - 1n, Y_OF_ORDER_8, Q - Y_OF_ORDER_8])

/** Whether the octets are the canonical encoding (RFC 8032 5.1.2) of a point that is not of small order. */
export function isEd25519Point(octets: Buffer): boolean {
  if (octets.length !== 32) return false
  // The topmost bit is the sign of x.
  const y = BigInt(`0x${Buffer.from(octets).reverse().toString('hex')}`) & (2n ** 255n - 1n)
  if (y >= Q || SMALL_ORDER.has(y)) return false
  // x^2 = (y^2 - 1) / (d y^2 + 1) has a root if numerator * denominator is a square, by Euler's criterion.
  const square = ((y * y - 1n) * (D * y * y + 1n)) % Q
  return power(square, (Q - 1n) / 2n, Q) === 1n
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = (square * square) % modulus) {
    if (left & 1n) result = (result * square) % modulus
  }
  return result
}
