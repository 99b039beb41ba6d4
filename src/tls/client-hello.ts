/** What can be read of a ClientHello before a TLS stack answers it: RFC 8446 4.1.2. None of it is proven yet. */
export interface ClientHello {
  /** `supported_versions`, or `legacy_version` alone */
  readonly versions: readonly number[]
  /** the identities of `pre_shared_key`, in order */
  readonly identities: readonly Buffer[]
}

export class MalformedClientHello extends Error {
  override readonly name = 'MalformedClientHello'
}

/** Octets of a ClientHello with its record headers. */
export const LONGEST_CLIENT_HELLO = 16_384
/** Records over which it may be spread: each one is walked again when more has come. */
const MOST_RECORDS = 16

const [RECORD_HEADER, MESSAGE_HEADER] = [5, 4]
const [HANDSHAKE, CLIENT_HELLO] = [22, 1]
const EXTENSION = { preSharedKey: 41, supportedVersions: 43 }

/**
 * Strict where it reads: what it returns stood in just these octets, once, with nothing behind it.
 *
 * @param octets - everything that has come so far
 * @returns the ClientHello, or the count of octets without which there is no use in reading again
 * @throws MalformedClientHello as soon as it is plain that it will not be one
 */
export function readClientHello(octets: Buffer): ClientHello | number {
  const message = readMessage(octets)
  return typeof message === 'number' ? message : readBody(message)
}

/** Handshake messages may be spread over records: RFC 8446 5.1. */
function readMessage(octets: Buffer): Buffer | number {
  const fragments: Buffer[] = []
  let at = 0
  for (let records = 0; ; records += 1) {
    refuse(records === MOST_RECORDS, 'it is in too many pieces')
    const length = recordLength(octets, at)
    const end = at + RECORD_HEADER + (length ?? 1)
    refuse(end > LONGEST_CLIENT_HELLO, 'it is too long')
    fragments.push(octets.subarray(at + RECORD_HEADER, end))
    const message = Buffer.concat(fragments)
    const missing = missingOf(message)
    if (length === undefined || octets.length < end) return Math.min(end, LONGEST_CLIENT_HELLO)
    if (missing === 0) {
      refuse(octets.length > end, 'there is more than the ClientHello')
      return message.subarray(MESSAGE_HEADER)
    }
    refuse(end + missing > LONGEST_CLIENT_HELLO, 'it is too long')
    at = end
  }
}

/** @returns undefined until the header is complete, which is judged octet by octet */
function recordLength(octets: Buffer, at: number): number | undefined {
  const [type = HANDSHAKE, major = 3] = octets.subarray(at, at + 2)
  refuse(type !== HANDSHAKE || major !== 3, 'this is no handshake')
  if (octets.length < at + RECORD_HEADER) return undefined
  const length = octets.readUInt16BE(at + 3)
  refuse(length === 0, 'a record is empty')
  return length
}

/** @returns octets that the message lacks, at least */
function missingOf(message: Buffer): number {
  refuse(message.length > 0 && message[0] !== CLIENT_HELLO, 'the message is not a ClientHello')
  if (message.length < MESSAGE_HEADER) return MESSAGE_HEADER - message.length
  const length = MESSAGE_HEADER + message.readUIntBE(1, 3)
  refuse(message.length > length, 'there is more than the ClientHello')
  return length - message.length
}

function readBody(body: Buffer): ClientHello {
  const reader = new Reader(body)
  const legacyVersion = reader.uint(2)
  reader.take(32)
  refuse(reader.vector(1).length > 32, 'the session ID is too long')
  const suites = reader.vector(2).length
  refuse(suites === 0 || suites % 2 !== 0, 'these are no cipher suites')
  refuse(reader.vector(1).length === 0, 'there is no compression method')
  // Before TLS 1.3 there need not be any.
  const extensions = reader.atEnd ? new Map<number, Buffer>() : readExtensions(reader.vector(2))
  refuse(!reader.atEnd, 'there is more than the ClientHello')
  const versions = extensions.get(EXTENSION.supportedVersions)
  const offered = extensions.get(EXTENSION.preSharedKey)
  return {
    versions: versions === undefined ? [legacyVersion] : readVersions(versions),
    identities: offered === undefined ? [] : readIdentities(offered),
  }
}

/** No type twice; `pre_shared_key` is the last: RFC 8446 4.2, 4.2.11. */
function readExtensions(octets: Buffer): Map<number, Buffer> {
  const reader = new Reader(octets)
  const extensions = new Map<number, Buffer>()
  while (!reader.atEnd) {
    refuse(extensions.has(EXTENSION.preSharedKey), 'pre_shared_key is not the last extension')
    const type = reader.uint(2)
    refuse(extensions.has(type), 'an extension stands there twice')
    extensions.set(type, reader.vector(2))
  }
  return extensions
}

/** RFC 8446 4.2.1. */
function readVersions(content: Buffer): number[] {
  const outer = new Reader(content)
  const list = outer.vector(1)
  refuse(!outer.atEnd || list.length === 0 || list.length % 2 !== 0, 'these are no versions')
  return Array.from({ length: list.length / 2 }, (_, index) => list.readUInt16BE(2 * index))
}

/** As many identities as binders: RFC 8446 4.2.11. */
function readIdentities(content: Buffer): Buffer[] {
  const outer = new Reader(content)
  const [list, binders] = [new Reader(outer.vector(2)), new Reader(outer.vector(2))]
  refuse(!outer.atEnd, 'there is more than identities and binders')
  const identities: Buffer[] = []
  while (!list.atEnd) {
    const identity = list.vector(2)
    refuse(identity.length === 0, 'an identity is empty')
    list.take(4)
    identities.push(identity)
    refuse(binders.atEnd || binders.vector(1).length < 32, 'an identity has no binder')
  }
  refuse(identities.length === 0 || !binders.atEnd, 'a binder has no identity')
  return identities
}

class Reader {
  readonly #octets: Buffer
  #at = 0

  constructor(octets: Buffer) {
    this.#octets = octets
  }

  get atEnd(): boolean {
    return this.#at === this.#octets.length
  }

  take(length: number): Buffer {
    const from = this.#at
    refuse(from + length > this.#octets.length, 'something ends before its end')
    this.#at += length
    return this.#octets.subarray(from, this.#at)
  }

  uint(length: number): number {
    return this.take(length).readUIntBE(0, length)
  }

  /** A length in this many octets, then as many octets. */
  vector(lengthOctets: number): Buffer {
    return this.take(this.uint(lengthOctets))
  }
}

function refuse(condition: boolean, reason: string): void {
  if (condition) throw new MalformedClientHello(reason)
}
