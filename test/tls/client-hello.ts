import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/** IANA numbers. */
export const VERSION = { 'SSL 3.0': 0x0300, 'TLS 1.0': 0x0301, 'TLS 1.1': 0x0302, 'TLS 1.2': 0x0303, 'TLS 1.3': 0x0304 }
export const GROUP = {
  'P-256': 23,
  'P-384': 24,
  'P-521': 25,
  brainpoolP256r1: 26,
  X25519: 29,
  X448: 30,
  ffdhe2048: 256,
  ffdhe3072: 257,
  ffdhe8192: 260,
}

interface Offer {
  readonly version: number
  readonly suites: readonly number[]
  readonly groups?: readonly number[]
}

/**
 * What a server answers a ClientHello with: the suite, the version and (TLS 1.3) the group that it chose, or an alert.
 */
export type Choice = { readonly suite: number; readonly version: number; readonly group?: number } | { alert: number }

const uint16 = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]))
const vector = (lengthOctets: 1 | 2 | 3, content: Buffer) => {
  const length = Buffer.alloc(lengthOctets)
  length.writeUIntBE(content.length, 0, lengthOctets)
  return Buffer.concat([length, content])
}
const extension = (type: number, content: Buffer) => Buffer.concat([uint16(type), vector(2, content)])

/**
 * Signature schemes from ecdsa_secp256r1_sha256 to rsa_pkcs1_sha1: the server's choice of suite shall not fail on them.
 */
const SCHEMES = [0x0403, 0x0503, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0203, 0x0201]

/** One record with a ClientHello (RFC 5246 7.4.1.2, RFC 8446 4.1.2) that offers just this. */
export function clientHello({ version, suites, groups = [23, 24, 29] }: Offer): Buffer {
  const tls13 = version === VERSION['TLS 1.3']
  const extensions = [
    extension(10, vector(2, uint16(...groups))),
    extension(11, Buffer.from([1, 0])),
    extension(13, vector(2, uint16(...SCHEMES))),
    // Without a key share the server asks for one of its groups: HelloRetryRequest.
    ...(tls13 ? [extension(43, vector(1, uint16(version))), extension(51, vector(2, Buffer.alloc(0)))] : []),
  ]
  const body = Buffer.concat([
    uint16(Math.min(version, VERSION['TLS 1.2'])),
    randomBytes(32),
    vector(1, tls13 ? randomBytes(32) : Buffer.alloc(0)),
    vector(2, uint16(...suites)),
    Buffer.from([1, 0]),
    vector(2, Buffer.concat(extensions)),
  ])
  const handshake = Buffer.concat([Buffer.from([1]), vector(3, body)])
  return Buffer.concat([Buffer.from([22]), uint16(0x0301), vector(2, handshake)])
}

/** Offers this to the server on a loopback port. */
export async function offer(port: number, what: Offer): Promise<Choice> {
  const socket = connect(port, '127.0.0.1')
  socket.write(clientHello(what))
  let received = Buffer.alloc(0)
  try {
    for await (const part of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, part])
      if (received.length >= 5 && received.length >= 5 + received.readUInt16BE(3)) return readChoice(received)
    }
  } finally {
    socket.destroy()
  }
  throw new Error('closed without an answer')
}

function readChoice(record: Buffer): Choice {
  if (record[0] === 21) return { alert: record.readUInt8(6) }
  const hello = record.subarray(9)
  const afterSession = 35 + hello.readUInt8(34)
  const suite = hello.readUInt16BE(afterSession)
  let version = hello.readUInt16BE(0)
  let group: number | undefined
  let at = afterSession + 5
  while (at + 4 <= record.readUInt16BE(3) - 4) {
    const [type, length] = [hello.readUInt16BE(at), hello.readUInt16BE(at + 2)]
    if (type === 43) version = hello.readUInt16BE(at + 4)
    if (type === 51) group = hello.readUInt16BE(at + 4)
    at += 4 + length
  }
  return { suite, version, ...(group !== undefined && { group }) }
}
