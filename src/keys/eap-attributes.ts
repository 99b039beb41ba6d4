/**
 * The attributes of EAP-AKA (RFC 4187 10, RFC 9048 3) that we send or understand, one codec each.
 *
 * Reserved fields are zero when sent and ignored on receipt, as both RFCs say; padding has to be zero.
 * AT_ENCR_DATA and its companions can be skipped and are: no pseudonyms, no fast re-authentication.
 */

/** What each attribute carries. */
export interface AttributeValues {
  /** 16 octets */
  AT_RAND: Buffer
  /** 16 octets */
  AT_AUTN: Buffer
  /** 4 to 16 octets */
  AT_RES: Buffer
  /** 14 octets */
  AT_AUTS: Buffer
  AT_PERMANENT_ID_REQ: true
  /** 16 octets */
  AT_MAC: Buffer
  /** S bit, P bit and code: RFC 4187 6.1 */
  AT_NOTIFICATION: number
  AT_ANY_ID_REQ: true
  /** not empty */
  AT_IDENTITY: string
  AT_FULLAUTH_ID_REQ: true
  AT_CLIENT_ERROR_CODE: number
  /** the network name, not empty: RFC 9048 3.1 */
  AT_KDF_INPUT: string
  /** the number of a key derivation function: RFC 9048 3.2 */
  AT_KDF: number
  /** 0 octets if no AKA-Identity messages were exchanged, else 20 (EAP-AKA) or 32 (EAP-AKA') */
  AT_CHECKCODE: Buffer
  /** the D bit: the server would rather run EAP-AKA' */
  AT_BIDDING: boolean
}

export type AttributeName = keyof AttributeValues

export type Attribute = {
  [Name in AttributeName]: { readonly name: Name; readonly value: AttributeValues[Name] }
}[AttributeName]

interface Codec<Value> {
  /** the attribute type */
  readonly type: number
  /** @param octets - what follows type and length, so 2 octets more than a multiple of 4 */
  read(octets: Buffer): Value | undefined
  /** @returns what follows type and length */
  write(value: Value): Buffer
}

const CODECS: { readonly [Name in AttributeName]: Codec<AttributeValues[Name]> } = {
  AT_RAND: fixed(1, [16]),
  AT_AUTN: fixed(2, [16]),
  AT_RES: response(3),
  AT_AUTS: { type: 4, read: (octets) => (octets.length === 14 ? octets : undefined), write: (auts) => auts },
  AT_PERMANENT_ID_REQ: flag(10),
  AT_MAC: fixed(11, [16]),
  AT_NOTIFICATION: integer(12),
  AT_ANY_ID_REQ: flag(13),
  AT_IDENTITY: text(14),
  AT_FULLAUTH_ID_REQ: flag(17),
  AT_CLIENT_ERROR_CODE: integer(22),
  AT_KDF_INPUT: text(23),
  AT_KDF: integer(24),
  AT_CHECKCODE: fixed(134, [0, 20, 32]),
  AT_BIDDING: bidding(136),
}

const NAMES = new Map(Object.entries(CODECS).map(([name, { type }]) => [type, name as AttributeName]))

/** Types from 128 on may be skipped by whoever does not know them: RFC 4187 8.1. */
const FIRST_SKIPPABLE = 128

/** @throws RangeError if the value does not fit an attribute */
export function writeAttribute<Name extends AttributeName>({
  name,
  value,
}: {
  readonly name: Name
  readonly value: AttributeValues[Name]
}): Buffer {
  const codec: Codec<AttributeValues[Name]> = CODECS[name]
  const octets = codec.write(value)
  const length = (octets.length + 2) / 4
  if (!Number.isInteger(length) || length > 255 || codec.read(octets) === undefined) {
    throw new RangeError(`${name} cannot carry this value`)
  }
  return Buffer.concat([Buffer.of(codec.type, length), octets])
}

/**
 * @param octets - the attributes of one packet, and nothing else
 * @returns the attributes in their order, without unknown ones that may be skipped; undefined if one is malformed
 */
export function readAttributes(octets: Buffer): Attribute[] | undefined {
  const attributes: Attribute[] = []
  let rest = octets
  while (rest.length > 0) {
    const [type = 0, length = 0] = rest
    const end = 4 * length
    if (end === 0 || end > rest.length) return undefined
    const name = NAMES.get(type)
    if (name !== undefined) {
      const attribute = readAttribute(name, rest.subarray(2, end))
      if (attribute === undefined) return undefined
      attributes.push(attribute)
    } else if (type < FIRST_SKIPPABLE) return undefined
    rest = rest.subarray(end)
  }
  return attributes
}

/** @returns where the value of AT_MAC begins, or undefined if no well-formed AT_MAC is there */
export function offsetOfMac(octets: Buffer): number | undefined {
  for (let at = 0; at + 1 < octets.length; ) {
    const [type, length = 0] = octets.subarray(at)
    if (type === CODECS.AT_MAC.type) return length === 5 && at + 20 <= octets.length ? at + 4 : undefined
    if (length === 0) return undefined
    at += 4 * length
  }
  return undefined
}

function readAttribute<Name extends AttributeName>(name: Name, octets: Buffer): Attribute | undefined {
  const codec: Codec<AttributeValues[Name]> = CODECS[name]
  const value = codec.read(octets)
  return value === undefined ? undefined : ({ name, value } as Attribute)
}

/** 2 reserved octets, then a value of one of these lengths. */
function fixed(type: number, lengths: readonly number[]): Codec<Buffer> {
  return {
    type,
    read: (octets) => (lengths.includes(octets.length - 2) ? octets.subarray(2) : undefined),
    write: (value) => Buffer.concat([Buffer.alloc(2), value]),
  }
}

function integer(type: number): Codec<number> {
  return {
    type,
    read: (octets) => (octets.length === 2 ? octets.readUInt16BE() : undefined),
    write: (value) => {
      const octets = Buffer.alloc(2)
      octets.writeUInt16BE(value)
      return octets
    },
  }
}

/** 2 reserved octets: that the attribute is there is all it says. */
function flag(type: number): Codec<true> {
  return { type, read: (octets) => (octets.length === 2 ? true : undefined), write: () => Buffer.alloc(2) }
}

/** The most significant bit, then 15 reserved ones: RFC 9048 4. */
function bidding(type: number): Codec<boolean> {
  return {
    type,
    read: (octets) => (octets.length === 2 ? octets.readUInt16BE() >= 0x8000 : undefined),
    write: (preferred) => Buffer.of(preferred ? 0x80 : 0, 0),
  }
}

/** The actual length in 2 octets, then the value, padded by zeros. */
function padded(octets: Buffer, actualLength: number): Buffer | undefined {
  const end = 2 + actualLength
  const wellFormed =
    octets.length >= end && octets.length - end < 4 && octets.subarray(end).every((octet) => octet === 0)
  return wellFormed ? octets.subarray(2, end) : undefined
}

function pad(length: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(length >> 8, length & 0xff), value, Buffer.alloc(-value.length & 3)])
}

/** AT_RES has its length in bits: RFC 4187 10.8. 3GPP's RES is made of whole octets. */
function response(type: number): Codec<Buffer> {
  return {
    type,
    read: (octets) => {
      const bits = octets.readUInt16BE()
      return bits >= 32 && bits <= 128 && bits % 8 === 0 ? padded(octets, bits / 8) : undefined
    },
    write: (res) => pad(8 * res.length, res),
  }
}

function text(type: number): Codec<string> {
  return {
    type,
    read: (octets) => {
      const value = padded(octets, octets.readUInt16BE())
      return value === undefined || value.length === 0 ? undefined : decodeUtf8(value)
    },
    write: (value) => {
      if (!value.isWellFormed()) throw new RangeError('not a string that UTF-8 can carry')
      const octets = Buffer.from(value, 'utf8')
      return pad(octets.length, octets)
    },
  }
}

function decodeUtf8(octets: Buffer): string | undefined {
  const text = octets.toString('utf8')
  return Buffer.from(text, 'utf8').equals(octets) ? text : undefined
}
