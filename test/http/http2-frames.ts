import type { TLSSocket } from 'node:tls'
import { NAME } from './credentials.ts'

/** RFC 9113 6 */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export const uint32 = (...values: number[]): Buffer => {
  const octets = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) octets.writeUInt32BE(value, 4 * index)
  return octets
}

/** One setting (RFC 9113 6.5.1). */
export const setting = (identifier: number, value: number): Buffer => {
  const octets = Buffer.alloc(6)
  octets.writeUInt16BE(identifier)
  octets.writeUInt32BE(value, 2)
  return octets
}

export type Field = readonly [name: string, value: string]

/** RFC 7541 6.2.2: literals without indexing and without Huffman coding, so that any octet can be sent. */
export function fieldBlock(fields: readonly Field[]): Buffer {
  const text = (value: string) => Buffer.concat([integer(value.length, 7), Buffer.from(value, 'latin1')])
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

/** RFC 7541 5.1, with the bits before the prefix zero. */
function integer(value: number, prefix: number): Buffer {
  const most = 2 ** prefix - 1
  if (value < most) return Buffer.from([value])
  const octets = [most]
  let rest = value - most
  for (; rest >= 128; rest >>= 7) octets.push((rest & 127) | 128)
  return Buffer.from([...octets, rest])
}

export const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', NAME],
  [':path', '/notes/v1/notes/1'],
]

export const PUT: readonly Field[] = [
  [':method', 'PUT'],
  [':scheme', 'https'],
  [':authority', NAME],
  [':path', '/notes/v1/notes/1'],
  ['content-type', 'application/json'],
]

export const headers = (stream: number, fields: readonly Field[], flags = END_STREAM | END_HEADERS): Buffer =>
  frame(FRAME.HEADERS, flags, stream, fieldBlock(fields))

interface Received {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** An HTTP/2 client that keeps no rules: it sends frames as they are told, and notes those that come. */
export class FrameSession {
  readonly socket: TLSSocket
  readonly received: Received[] = []
  closed = false
  #rest = Buffer.alloc(0)

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (part) => this.#read(part))
    socket.once('close', () => {
      this.closed = true
    })
    this.send(PREFACE, frame(FRAME.SETTINGS, 0, 0))
  }

  /** @returns false if the server does not take more for now */
  send(...frames: readonly Uint8Array[]): boolean {
    return this.socket.write(Buffer.concat(frames))
  }

  /** `:status` of the first answer on a stream, if it is in the static table of RFC 7541 or stands there as text. */
  status(stream: number): number | undefined {
    const answer = this.received.find((one) => one.type === FRAME.HEADERS && one.stream === stream)
    const first = answer?.payload[0] ?? 0
    if (first === 0x48 && answer?.payload[1] === 3) return Number(answer.payload.toString('latin1', 2, 5))
    return [200, 204, 206, 304, 400, 404, 500][first - 0x88]
  }

  /** The error code that a stream ended with, if the server ended it. */
  reset(stream: number): number | undefined {
    return this.received.find((one) => one.type === FRAME.RST_STREAM && one.stream === stream)?.payload.readUInt32BE(0)
  }

  /** The error code that the connection ended with. */
  goaway(): number | undefined {
    return this.received.findLast((one) => one.type === FRAME.GOAWAY)?.payload.readUInt32BE(4)
  }

  /** Waits until this is so; @returns whether it was so in time. */
  async until(isSo: () => boolean, patience = 10_000): Promise<boolean> {
    const deadline = performance.now() + patience
    while (!isSo()) {
      if (performance.now() > deadline) return false
      await new Promise((wait) => setTimeout(wait, 5))
    }
    return true
  }

  #read(part: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, part])
    while (this.#rest.length >= 9 && this.#rest.length >= 9 + this.#rest.readUIntBE(0, 3)) {
      const end = 9 + this.#rest.readUIntBE(0, 3)
      const [type, flags] = [this.#rest.readUInt8(3), this.#rest.readUInt8(4)]
      const stream = this.#rest.readUInt32BE(5) & 0x7fffffff
      this.received.push({ type, flags, stream, payload: this.#rest.subarray(9, end) })
      this.#rest = this.#rest.subarray(end)
    }
  }
}
