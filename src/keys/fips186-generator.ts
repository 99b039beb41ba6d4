import { requireLength } from '../octets/require-length.ts'

/**
 * The generator of FIPS 186-2 with change notice 1, with which EAP-AKA stretches MK.
 *
 *     for j = 0 to m - 1, for i = 0 and 1:
 *       wi   = G(t, XKEY)
 *       XKEY = (1 + XKEY + wi) mod 2^160
 *       xj   = w0 || w1
 *
 * G is the compression function of SHA-1, from its initial value t, over XKEY followed by 44 zeros.
 *
 * @param xkey - 20 octets; the caller's buffer is left alone
 * @param length - of the output in octets, a multiple of 20
 * @see RFC 4187 7 and RFC 4186 Appendix B
 */
export function fips186Generator(xkey: Uint8Array, length: number): Buffer {
  requireLength('XKEY', xkey, 20)
  const output = Buffer.alloc(length)
  const block = Buffer.alloc(64)
  block.set(xkey)
  for (let filled = 0; filled < length; filled += 20) {
    const w = output.subarray(filled, filled + 20)
    compress(block, w)
    addWithOne(block.subarray(0, 20), w)
  }
  block.fill(0)
  return output
}

/** The initial value of SHA-1 and the constants of its four rounds: FIPS 180-4 5.3.1, 4.2.1. */
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const
const ROUND_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const

/** FIPS 180-4 6.1.2 for one block of 64 octets, without padding: what no library offers by itself. */
function compress(block: Buffer, output: Buffer): void {
  const w = schedule(block)
  let [a, b, c, d, e]: [number, number, number, number, number] = [...INITIAL]
  for (let t = 0; t < 80; t += 1) {
    const round = Math.floor(t / 20)
    const next = (rotl(a, 5) + choose(round, b, c, d) + e + (ROUND_CONSTANTS[round] ?? 0) + (w[t] ?? 0)) | 0
    ;[a, b, c, d, e] = [next, a, rotl(b, 30), c, d]
  }
  for (const [index, word] of [a, b, c, d, e].entries()) {
    output.writeInt32BE((word + (INITIAL[index] ?? 0)) | 0, 4 * index)
  }
  w.fill(0)
}

function schedule(block: Buffer): Int32Array {
  const w = new Int32Array(80)
  for (let t = 0; t < 80; t += 1) {
    const earlier = (distance: number) => w[t - distance] ?? 0
    w[t] = t < 16 ? block.readInt32BE(4 * t) : rotl(earlier(3) ^ earlier(8) ^ earlier(14) ^ earlier(16), 1)
  }
  return w
}

/** Ch, Parity, Maj, Parity: FIPS 180-4 4.1.1. */
function choose(round: number, x: number, y: number, z: number): number {
  if (round === 0) return (x & y) ^ (~x & z)
  if (round === 2) return (x & y) ^ (x & z) ^ (y & z)
  return x ^ y ^ z
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** sum <- (1 + sum + term) mod 2^160, in octets rather than in big integers, which nobody could zero. */
function addWithOne(sum: Buffer, term: Buffer): void {
  let carry = 1
  for (let index = sum.length - 1; index >= 0; index -= 1) {
    carry += (sum[index] ?? 0) + (term[index] ?? 0)
    sum[index] = carry & 0xff
    carry >>= 8
  }
}
