import { contextConstructed, TAG } from './der-tags.ts'
import { oid } from './der-writer.ts'
import { Malformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'

/** The largest message a peer may send, in octets (THREATS CA-09). */
export const MESSAGE_LIMIT = 16 * 1024
const DEEPEST = 16
const CONSTRUCTED = 0x20

/**
 * Reads one DER value that fills `octets` exactly (X.690). What BER would allow besides, and RFC 5280 4.1 does not, is
 * refused.
 *
 * @param limit - octets; more than {@link MESSAGE_LIMIT} only for what we fetch ourselves
 * @throws Malformed
 */
export function readDer<T>(octets: Uint8Array, read: (der: DerReader) => T, limit: number = MESSAGE_LIMIT): T {
  if (octets.length > limit) throw new Malformed(`more than ${limit} octets`)
  const buffer = Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
  return new DerReader(buffer, 0, buffer.length, 0).only(read)
}

/** Stands before the next of some elements that follow each other inside one constructed value. */
export class DerReader {
  readonly #octets: Buffer
  readonly #end: number
  readonly #depth: number
  #position: number

  constructor(octets: Buffer, start: number, end: number, depth: number) {
    this.#octets = octets
    this.#position = start
    this.#end = end
    this.#depth = depth
  }

  get more(): boolean {
    return this.#position < this.#end
  }

  /** Whether an element with this identifier octet comes next. */
  next(tag: number): boolean {
    return this.more && this.#octets[this.#position] === tag
  }

  /** `read`, and then nothing may be left. */
  only<T>(read: (der: DerReader) => T): T {
    const value = read(this)
    if (this.more) throw new Malformed('octets after the end of a value')
    return value
  }

  /** `read`, together with the octets that it passed over. */
  withOctets<T>(read: (der: DerReader) => T): { octets: Buffer; value: T } {
    const start = this.#position
    const value = read(this)
    return { octets: this.#octets.subarray(start, this.#position), value }
  }

  constructed<T>(tag: number, read: (der: DerReader) => T): T {
    if (this.#depth === DEEPEST) throw new Malformed(`nested deeper than ${DEEPEST}`)
    const start = this.#enter(tag)
    return new DerReader(this.#octets, start, this.#position, this.#depth + 1).only(read)
  }

  sequence<T>(read: (der: DerReader) => T): T {
    return this.constructed(TAG.sequence, read)
  }

  /** [n] EXPLICIT, or undefined where it is left out. */
  explicit<T>(n: number, read: (der: DerReader) => T): T | undefined {
    return this.next(contextConstructed(n)) ? this.constructed(contextConstructed(n), read) : undefined
  }

  /** SEQUENCE SIZE (1..MAX) OF, as everywhere in RFC 5280 but in an empty Name. */
  sequenceOf<T>(read: (der: DerReader) => T, tag: number = TAG.sequence): T[] {
    const values = this.constructed(tag, (list) => list.rest(read))
    if (values.length === 0) throw new Malformed('an empty list')
    return values
  }

  /** SET OF, in the order of the encodings (X.690 11.6). */
  setOf<T>(read: (der: DerReader) => T, tag: number = TAG.set): T[] {
    return this.constructed(tag, (set) => {
      let before: Buffer | undefined
      return set.rest((der) => {
        const { octets, value } = der.withOctets(read)
        if (before && Buffer.compare(before, octets) > 0) throw new Malformed('a set out of order')
        before = octets
        return value
      })
    })
  }

  /** Everything that is left, element by element. */
  rest<T>(read: (der: DerReader) => T): T[] {
    const values: T[] = []
    while (this.more) values.push(read(this))
    return values
  }

  /** The content of a primitive element. */
  primitive(tag: number): Buffer {
    const start = this.#enter(tag)
    return this.#octets.subarray(start, this.#position)
  }

  /** Passes over any well-formed element, whatever its type. */
  any(): void {
    const tag = this.#octets[this.#position]
    if (!this.more || tag === undefined) throw new Malformed('a missing element')
    if (tag & CONSTRUCTED) this.constructed(tag, (inner) => inner.rest((der) => der.any()))
    else this.primitive(tag)
  }

  boolean(): boolean {
    const content = this.primitive(TAG.boolean)
    if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) throw new Malformed('a wrong BOOLEAN')
    return content[0] === 0xff
  }

  /** BOOLEAN DEFAULT FALSE: the default is never written (X.690 11.5). */
  defaultFalse(): boolean {
    if (!this.next(TAG.boolean)) return false
    if (!this.boolean()) throw new Malformed('a default value that is written')
    return true
  }

  /** @returns two's complement, big endian, in the fewest octets */
  integer(tag: number = TAG.integer): Buffer {
    const content = this.primitive(tag)
    const [first, second] = content
    if (first === undefined) throw new Malformed('an empty INTEGER')
    const padded = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
    if (padded) throw new Malformed('an INTEGER that is not minimal')
    return content
  }

  /** INTEGER (0..MAX). */
  unsigned(): bigint {
    const content = this.integer()
    if (content.readInt8(0) < 0) throw new Malformed('a negative INTEGER')
    return BigInt(`0x${content.toString('hex')}`)
  }

  /** INTEGER or ENUMERATED (0..127): versions, path lengths and reasons are never larger. */
  smallInteger(tag: number = TAG.integer): number {
    const content = this.integer(tag)
    const value = content.readInt8(0)
    if (content.length !== 1 || value < 0) throw new Malformed('an INTEGER out of range')
    return value
  }

  null(): void {
    if (this.primitive(TAG.null).length !== 0) throw new Malformed('a NULL with content')
  }

  /** @returns dotted decimal */
  oid(): string {
    const content = this.primitive(TAG.oid)
    return KNOWN.get(content.toString('latin1')) ?? dotted(content)
  }

  octetString(): Buffer {
    return this.primitive(TAG.octetString)
  }

  /** BIT STRING of whole octets. */
  bitString(): Buffer {
    const content = this.primitive(TAG.bitString)
    if (content[0] !== 0) throw new Malformed('a BIT STRING that is not of whole octets')
    return content.subarray(1)
  }

  /** BIT STRING with named bits, at most 16 (X.690 11.2). @returns the numbers of the bits that are set */
  namedBits(): number[] {
    const content = this.primitive(TAG.bitString)
    const unused = content[0]
    const last = content.at(-1) ?? 0
    const wellFormed =
      unused !== undefined &&
      content.length <= 3 &&
      (content.length === 1 ? unused === 0 : unused < 8 && (last & (2 ** (unused + 1) - 1)) === 2 ** unused)
    if (!wellFormed) throw new Malformed('a BIT STRING with wrong ending')
    return Array.from({ length: (content.length - 1) * 8 }, (_, bit) => bit).filter(
      (bit) => (content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7)),
    )
  }

  /** DirectoryString or IA5String of an attribute, without control characters. */
  text(): string {
    if (this.next(TAG.utf8String)) return printable(utf8(this.primitive(TAG.utf8String)))
    if (this.next(TAG.ia5String)) return printable(this.ia5String())
    const value = this.primitive(TAG.printableString).toString('latin1')
    if (!/^[A-Za-z0-9 '()+,./:=?-]*$/.test(value)) throw new Malformed('a PrintableString with other characters')
    return value
  }

  ia5String(tag: number = TAG.ia5String): string {
    const content = this.primitive(tag)
    if (content.some((octet) => octet > 0x7f)) throw new Malformed('an IA5String with other characters')
    return content.toString('latin1')
  }

  /**
   * Time: UTCTime to 2049, GeneralizedTime from 2050, whole seconds, Z (RFC 5280 4.1.2.5).
   *
   * @returns ms since the epoch
   */
  time(): number {
    const short = this.next(TAG.utcTime)
    const text = this.primitive(short ? TAG.utcTime : TAG.generalizedTime).toString('latin1')
    if (!(short ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw new Malformed('a time in another form')
    const digits = short ? `${text < '5' ? '20' : '19'}${text}` : text
    if (!short && digits < '2050') throw new Malformed('a year before 2050 as GeneralizedTime')
    return timeOf(digits)
  }

  /** Moves behind the next element. @returns where its content starts */
  #enter(tag: number): number {
    if (!this.more) throw new Malformed('a missing element')
    if (this.#octets[this.#position] !== tag) throw new Malformed('an element of another type')
    if ((tag & 0x1f) === 0x1f) throw new Malformed('a tag number above 30')
    const { length, start } = this.#length(this.#position + 1)
    if (length > this.#end - start) throw new Malformed('an element longer than what holds it')
    this.#position = start + length
    return start
  }

  /** Definite, in the fewest octets (X.690 10.1). */
  #length(at: number): { length: number; start: number } {
    const first = at < this.#end ? this.#octets[at] : undefined
    if (first === undefined) throw new Malformed('a missing length')
    if (first < 0x80) return { length: first, start: at + 1 }
    const count = first & 0x7f
    if (count === 0 || count > 4 || at + 1 + count > this.#end) throw new Malformed('a wrong length')
    const length = this.#octets.readUIntBE(at + 1, count)
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new Malformed('a length that is not minimal')
    return { length, start: at + 1 + count }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(content: Buffer): string {
  try {
    return UTF8.decode(content)
  } catch {
    throw new Malformed('a UTF8String that is not UTF-8')
  }
}

function printable(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new Malformed('a name with control characters')
  return text
}

/** @param digits - YYYYMMDDhhmmss */
function timeOf(digits: string): number {
  const [year, month, day] = [Number(digits.slice(0, 4)), Number(digits.slice(4, 6)), Number(digits.slice(6, 8))]
  const [hour, minute, second] = [
    Number(digits.slice(8, 10)),
    Number(digits.slice(10, 12)),
    Number(digits.slice(12, 14)),
  ]
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC carries over: 31 February becomes 3 March.
  const date = new Date(time)
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  if (!exists) throw new Malformed('a time that does not exist')
  return time
}

/** Those that our documents name, by their content: nearly all that is read. */
const KNOWN = new Map(Object.values(OID).map((name) => [oid(name).toString('latin1', 2), name]))

/** X.690 8.19: base 128, most significant first, the first two arcs in one number. */
function dotted(content: Buffer): string {
  if (content.length === 0 || content.length > 64) throw new Malformed('an OBJECT IDENTIFIER of wrong length')
  const arcs: (number | bigint)[] = []
  let arc = 0
  let large = 0n
  let octetsOfArc = 0
  for (const octet of content) {
    if (octetsOfArc === 0 && octet === 0x80) throw new Malformed('an OBJECT IDENTIFIER that is not minimal')
    octetsOfArc += 1
    // Six octets hold 42 bits, which a number holds exactly; arcs under 2.25 are 128 bits long.
    if (octetsOfArc <= 6) arc = arc * 128 + (octet & 0x7f)
    else large = (octetsOfArc === 7 ? BigInt(arc) : large) * 128n + BigInt(octet & 0x7f)
    if (octet & 0x80) continue
    arcs.push(octetsOfArc <= 6 ? arc : large)
    arc = 0
    octetsOfArc = 0
  }
  if (octetsOfArc !== 0) throw new Malformed('an OBJECT IDENTIFIER that is cut off')
  const first = arcs[0] ?? 0
  const top = first < 80 ? Math.trunc(Number(first) / 40) : 2
  const second = typeof first === 'bigint' ? first - 80n : first - top * 40
  return [top, second, ...arcs.slice(1)].join('.')
}
