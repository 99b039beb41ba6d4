import { contextConstructed, TAG } from './der-tags.ts'

/** One DER element (X.690 10.1): identifier octet, length, and the contents one after another. */
export function element(tag: number, contents: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const content of contents) length += content.length
  const header = headerLength(length)
  const der = Buffer.allocUnsafe(header + length)
  let at = writeHeader(der, 0, tag, length)
  for (const content of contents) {
    der.set(content, at)
    at += content.length
  }
  return der
}

/** Octets taken by identifier and length before `length` octets of content. */
export function headerLength(length: number): number {
  return length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6
}

/** @returns the position behind the header */
export function writeHeader(target: Buffer, at: number, tag: number, length: number): number {
  target[at] = tag
  const count = headerLength(length) - 2
  if (count === 0) target[at + 1] = length
  else {
    target[at + 1] = 0x80 | count
    target.writeUIntBE(length, at + 2, count)
  }
  return at + 2 + count
}

export const sequence = (contents: readonly Uint8Array[]): Buffer => element(TAG.sequence, contents)
export const explicit = (n: number, content: Uint8Array): Buffer => element(contextConstructed(n), [content])
export const octetString = (content: Uint8Array): Buffer => element(TAG.octetString, [content])
export const utf8String = (text: string): Buffer => element(TAG.utf8String, [Buffer.from(text, 'utf8')])
export const ia5String = (text: string, tag: number = TAG.ia5String): Buffer =>
  element(tag, [Buffer.from(text, 'latin1')])
export const NULL = element(TAG.null, [])
export const TRUE = element(TAG.boolean, [Uint8Array.of(0xff)])

/** SET OF, sorted by encoding (X.690 11.6). */
export function setOf(contents: readonly Uint8Array[], tag: number = TAG.set): Buffer {
  return element(tag, contents.toSorted(Buffer.compare))
}

/** INTEGER (0..MAX). */
export function integer(value: number | bigint): Buffer {
  const digits = value.toString(16)
  const hex = digits.length % 2 === 0 ? digits : `0${digits}`
  const octets = Buffer.from(hex, 'hex')
  return element(TAG.integer, octets.readInt8(0) < 0 ? [Uint8Array.of(0), octets] : [octets])
}

/** BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Buffer {
  return element(TAG.bitString, [Uint8Array.of(0), octets])
}

/** BIT STRING of named bits, without trailing zeros (X.690 11.2.2). */
export function namedBits(bits: readonly number[]): Buffer {
  const last = Math.max(-1, ...bits)
  const octets = Buffer.alloc((last >> 3) + 1)
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  return element(TAG.bitString, [Uint8Array.of(7 - (last & 7)), octets])
}

/** OBJECT IDENTIFIER. @param dotted - decimal */
export function oid(dotted: string): Buffer {
  const [top = 0n, second = 0n, ...arcs] = dotted.split('.').map(BigInt)
  return element(TAG.oid, [top * 40n + second, ...arcs].map(base128))
}

function base128(arc: bigint): Uint8Array {
  const octets = [Number(arc & 0x7fn)]
  for (let left = arc >> 7n; left > 0n; left >>= 7n) octets.unshift(Number(left & 0x7fn) | 0x80)
  return Uint8Array.from(octets)
}

const YEAR_1950 = Date.UTC(1950, 0)
const YEAR_10000 = Date.UTC(10000, 0)

/** Time: UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). @param ms - since the epoch, whole seconds */
export function time(ms: number): Buffer {
  if (ms % 1000 !== 0 || !(ms >= YEAR_1950 && ms < YEAR_10000)) throw new RangeError('not a time of RFC 5280')
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  const short = year < 2050
  const der = Buffer.allocUnsafe(short ? 15 : 17)
  let at = writeHeader(der, 0, short ? TAG.utcTime : TAG.generalizedTime, der.length - 2)
  const writePair = (value: number) => {
    der[at] = ZERO + Math.trunc(value / 10)
    der[at + 1] = ZERO + (value % 10)
    at += 2
  }
  if (!short) writePair(Math.trunc(year / 100))
  writePair(year % 100)
  writePair(date.getUTCMonth() + 1)
  writePair(date.getUTCDate())
  writePair(date.getUTCHours())
  writePair(date.getUTCMinutes())
  writePair(date.getUTCSeconds())
  der[at] = Z
  return der
}

const ZERO = 0x30
const Z = 0x5a
