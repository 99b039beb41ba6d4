import { createHash, createHmac } from 'node:crypto'

import { sameOctets } from '../octets/digest.ts'
import {
  type Attribute,
  type AttributeName,
  type AttributeValues,
  offsetOfMac,
  readAttributes,
  writeAttribute,
} from './eap-attributes.ts'
import { isMessage } from './eap-messages.ts'
import type { Key } from './key.ts'

/**
 * EAP packets of EAP-AKA (RFC 4187) and EAP-AKA' (RFC 9048): both methods share their packets and differ in their
 * type, their hash function and their keys.
 *
 *     Code (1)  Identifier (1)  Length (2)  Type (1)  Subtype (1)  Reserved (2)  Attributes
 */

/** What tells the methods apart. `checkcode` is the length of AT_CHECKCODE after AKA-Identity messages. */
const METHODS = {
  'EAP-AKA': { type: 23, hash: 'sha1', checkcode: 20 },
  "EAP-AKA'": { type: 50, hash: 'sha256', checkcode: 32 },
} as const

/** RFC 4187 11; fast re-authentication (13) is not spoken here. */
const SUBTYPES = {
  challenge: 1,
  'authentication-reject': 2,
  'synchronization-failure': 4,
  identity: 5,
  notification: 12,
  'client-error': 14,
} as const

const CODES = { request: 1, response: 2, success: 3, failure: 4 } as const

export type EapMethod = keyof typeof METHODS
export type Subtype = keyof typeof SUBTYPES

/** The key that authenticates the packets of each method. */
export interface AuthenticationKeys {
  'EAP-AKA': Key<'EAP-AKA K_aut'>
  "EAP-AKA'": Key<"EAP-AKA' K_aut">
}

export interface EapMethodPacket {
  readonly code: 'request' | 'response'
  /** 0 to 255 */
  readonly identifier: number
  readonly method: EapMethod
  readonly subtype: Subtype
  /** in the order in which they stand in the packet */
  readonly attributes: readonly Attribute[]
}

/** EAP-Success and EAP-Failure: RFC 3748 4.2. */
export interface EapResult {
  readonly code: 'success' | 'failure'
  /** 0 to 255 */
  readonly identifier: number
}

export type EapPacket = EapMethodPacket | EapResult

/**
 * @returns the packet; undefined unless it is one of EAP-AKA or EAP-AKA', or a result, with exactly the attributes that
 *   its message has (RFC 4187 6.3: the receiver treats anything else as an error). AT_MAC is not verified.
 */
export function readEapPacket(octets: Uint8Array): EapPacket | undefined {
  const packet = Buffer.from(octets)
  if (packet.length < 4 || packet.readUInt16BE(2) !== packet.length) return undefined
  const [codeNumber, identifier = 0, , , typeNumber, subtypeNumber] = packet
  const code = nameOf(CODES, (number) => number === codeNumber)
  if (code === 'success' || code === 'failure') return packet.length === 4 ? { code, identifier } : undefined
  const method = nameOf(METHODS, ({ type }) => type === typeNumber)
  const subtype = nameOf(SUBTYPES, (number) => number === subtypeNumber)
  if (code === undefined || method === undefined || subtype === undefined || packet.length < 8) return undefined
  const attributes = readAttributes(packet.subarray(8))
  if (attributes === undefined) return undefined
  const read: EapMethodPacket = { code, identifier, method, subtype, attributes }
  return isWellFormed(read) ? read : undefined
}

/** @throws RangeError if this is no message of the method, or a value does not fit */
export function writeEapPacket(packet: EapPacket): Buffer {
  if (!Number.isInteger(packet.identifier) || packet.identifier < 0 || packet.identifier > 255) {
    throw new RangeError('the identifier of an EAP packet has one octet')
  }
  if (!('method' in packet)) return Buffer.of(CODES[packet.code], packet.identifier, 0, 4)
  if (!isWellFormed(packet)) throw new RangeError(`not an ${packet.method} ${packet.subtype} ${packet.code}`)
  const attributes = Buffer.concat(packet.attributes.map((attribute) => writeAttribute(attribute)))
  const length = 8 + attributes.length
  const { type } = METHODS[packet.method]
  const header = [
    CODES[packet.code],
    packet.identifier,
    length >> 8,
    length & 0xff,
    type,
    SUBTYPES[packet.subtype],
    0,
    0,
  ]
  return Buffer.concat([Buffer.of(...header), attributes])
}

/**
 * Writes a packet with AT_MAC as its last attribute.
 *
 *     MAC = HMAC-SHA-1-128(K_aut, packet)          EAP-AKA: RFC 4187 10.15
 *     MAC = HMAC-SHA-256-128(K_aut, packet)        EAP-AKA': RFC 9048 3.4.2
 *
 * with the MAC field of the packet set to zero.
 */
export function sealEapPacket<Method extends EapMethod>(
  packet: EapMethodPacket & { readonly method: Method },
  kAut: AuthenticationKeys[Method],
): Buffer {
  const octets = writeEapPacket({
    ...packet,
    attributes: [...packet.attributes, { name: 'AT_MAC', value: Buffer.alloc(16) }],
  })
  macOf(packet.method, octets, kAut).copy(octets, octets.length - 16)
  return octets
}

/**
 * Whether a packet comes from who holds K_aut.
 *
 * @param octets - the packet as it was received
 * @returns false as well if the packet is of another method, or has no AT_MAC
 */
export function isMacRight<Method extends EapMethod>(
  method: Method,
  octets: Uint8Array,
  kAut: AuthenticationKeys[Method],
): boolean {
  const packet = Buffer.from(octets)
  const offset = offsetOfMac(packet.subarray(8))
  if (packet[4] !== METHODS[method].type || offset === undefined) return false
  const mac = Buffer.from(packet.subarray(8 + offset, 24 + offset))
  packet.fill(0, 8 + offset, 24 + offset)
  return sameOctets(macOf(method, packet, kAut), mac)
}

/**
 * The value of AT_CHECKCODE: a hash over the AKA-Identity messages, so that nobody changes them unseen.
 *
 * @param identityPackets - requests and responses in their order; none gives an empty checkcode
 * @see RFC 4187 10.13, RFC 9048 3.4.3
 */
export function checkcode(method: EapMethod, identityPackets: readonly Uint8Array[]): Buffer {
  if (identityPackets.length === 0) return Buffer.alloc(0)
  const hash = createHash(METHODS[method].hash)
  for (const packet of identityPackets) hash.update(packet)
  return hash.digest()
}

/** @returns the value of the first attribute of that name, or undefined */
export function attributeOf<Name extends AttributeName>(
  packet: EapMethodPacket,
  name: Name,
): AttributeValues[Name] | undefined {
  return attributesOf(packet, name)[0]
}

/** @returns the values of all attributes of that name: AT_KDF may stand there more than once */
export function attributesOf<Name extends AttributeName>(packet: EapMethodPacket, name: Name): AttributeValues[Name][] {
  return packet.attributes.flatMap((attribute) =>
    attribute.name === name ? [attribute.value as AttributeValues[Name]] : [],
  )
}

function macOf(method: EapMethod, octets: Buffer, kAut: Key<'EAP-AKA K_aut'> | Key<"EAP-AKA' K_aut">): Buffer {
  return createHmac(METHODS[method].hash, kAut).update(octets).digest().subarray(0, 16)
}

function isWellFormed(packet: EapMethodPacket): boolean {
  const { length = 0 } = attributeOf(packet, 'AT_CHECKCODE') ?? {}
  const ofThisMethod = length === 0 || length === METHODS[packet.method].checkcode
  return ofThisMethod && isMessage(packet)
}

function nameOf<Name extends string, Value>(
  table: Readonly<Record<Name, Value>>,
  matches: (value: Value) => boolean,
): Name | undefined {
  return (Object.keys(table) as Name[]).find((name) => matches(table[name]))
}
