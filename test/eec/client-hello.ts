/** A ClientHello as it went over the wire: RFC 8446 4.1.2. */
export interface ClientHello {
  readonly suites: readonly number[]
  /** content by type (IANA), in the order in which they stood there */
  readonly extensions: ReadonlyMap<number, Buffer>
}

export const EXTENSION = {
  serverName: 0,
  alpn: 16,
  sessionTicket: 35,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  pskKeyExchangeModes: 45,
  keyShare: 51,
} as const

/** @returns undefined while the record is not complete */
export function readClientHello(octets: Buffer): ClientHello | undefined {
  if (octets.length < 5 || octets.length < 5 + octets.readUInt16BE(3)) return undefined
  // Record header, handshake header, version and random.
  const reader = new Reader(octets.subarray(5 + 4 + 2 + 32))
  reader.vector(1)
  const suites = uint16s(reader.vector(2))
  reader.vector(1)
  const rest = new Reader(reader.vector(2))
  const extensions = new Map<number, Buffer>()
  while (!rest.atEnd) extensions.set(rest.uint(2), rest.vector(2))
  return { suites, extensions }
}

/** OfferedPsks: RFC 8446 4.2.11. */
export function offeredPsks(content: Buffer): { identity: string; ticketAge: number }[] {
  const identities = new Reader(new Reader(content).vector(2))
  const offered = []
  while (!identities.atEnd) offered.push({ identity: identities.vector(2).toString(), ticketAge: identities.uint(4) })
  return offered
}

/** The groups of the key shares: RFC 8446 4.2.8. */
export function keyShareGroups(content: Buffer): number[] {
  const shares = new Reader(new Reader(content).vector(2))
  const groups = []
  while (!shares.atEnd) {
    groups.push(shares.uint(2))
    shares.vector(2)
  }
  return groups
}

export function uint16s(content: Buffer): number[] {
  const reader = new Reader(content)
  const values = []
  while (!reader.atEnd) values.push(reader.uint(2))
  return values
}

class Reader {
  readonly #octets: Buffer
  #at = 0

  constructor(octets: Buffer) {
    this.#octets = octets
  }

  get atEnd(): boolean {
    return this.#at >= this.#octets.length
  }

  uint(length: number): number {
    this.#at += length
    return this.#octets.readUIntBE(this.#at - length, length)
  }

  /** A length in this many octets, then as many octets. */
  vector(lengthOctets: number): Buffer {
    const length = this.uint(lengthOctets)
    this.#at += length
    return this.#octets.subarray(this.#at - length, this.#at)
  }
}
