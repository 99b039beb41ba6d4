import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { NAME } from './a-server.ts'
import { derive, digest, expandLabel, extract, finished, type Hash, RecordProtection, zeros } from './key-schedule.ts'

/** A client of TLS 1.3 that says what it is told to, be it allowed or not. It verifies nothing. */

export const AES_128 = 0x1301
export const AES_256 = 0x1302
export const CHACHA20 = 0x1303
export const PSK_DHE_KE = 1
export const PSK_KE = 0

/** A key under a name: RFC 8446 4.2.11. */
export interface RawPsk {
  readonly identity: string | Buffer
  readonly key: Uint8Array
  readonly hash?: Hash
  /** which of the two binders: of an external key, or of a ticket */
  readonly binder?: 'ext' | 'res'
  readonly age?: number
}

export interface RawOffer {
  readonly psks?: readonly RawPsk[]
  readonly suites?: readonly number[]
  readonly versions?: readonly number[]
  readonly modes?: readonly number[]
  readonly alpn?: readonly string[]
  readonly compression?: readonly number[]
  readonly withoutKeyShare?: boolean
  readonly earlyData?: string
  /** octets of padding (RFC 7685) */
  readonly padding?: number
  /** the address of this machine to come from */
  readonly localAddress?: string
  /** how the octets of the ClientHello go out */
  readonly send?: (socket: Socket, octets: Buffer) => void
}

export interface Ticket {
  readonly identity: Buffer
  readonly key: Buffer
  readonly hash: Hash
  readonly age: number
}

/** How a handshake ended. */
export interface RawOutcome {
  /** the description of the alert that ended it (RFC 8446 6); undefined if there was none */
  readonly alert?: number | undefined
  /** everything that came over the wire until it ended */
  readonly received: Buffer
  /** if it succeeded */
  readonly connection?: RawConnection
}

export interface RawConnection {
  /** which of the offered keys the server took; undefined if it showed a certificate instead */
  readonly selected: number | undefined
  /** the types of the extensions in ServerHello and EncryptedExtensions */
  readonly extensions: ReadonlySet<number>
  /** Sends a request over HTTP/1.1. @returns the status line and what follows it, empty if the server closed */
  get(path: string): Promise<string>
  /** Tickets that have come within some milliseconds. */
  tickets(milliseconds: number): Promise<Ticket[]>
  /** Sends a handshake message after the handshake. @returns the alert that ended it, undefined if it goes on */
  say(message: Buffer, times?: number): Promise<number | undefined>
  close(): void
}

const uint16 = (...values: number[]) => Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]))
const uint32 = (value: number) => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value >>> 0)
  return octets
}
const vector = (lengthOctets: 1 | 2 | 3, ...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts)
  const length = Buffer.alloc(lengthOctets)
  length.writeUIntBE(content.length, 0, lengthOctets)
  return Buffer.concat([length, content])
}
const extension = (type: number, ...content: Uint8Array[]) => Buffer.concat([uint16(type), vector(2, ...content)])
const message = (type: number, body: Uint8Array) => Buffer.concat([Buffer.from([type]), vector(3, body)])

export const CLIENT_HELLO = 1
const [SERVER_HELLO, NEW_SESSION_TICKET, ENCRYPTED_EXTENSIONS, FINISHED, KEY_UPDATE] = [2, 4, 8, 20, 24]
const [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA] = [20, 21, 22, 23]
const EXTENSION = { earlyData: 42, preSharedKey: 41, keyShare: 51 }
export const KEY_UPDATE_REQUESTED = message(KEY_UPDATE, Buffer.from([1]))

const hashOf = (suite: number): Hash => (suite === AES_256 ? 'sha384' : 'sha256')
const binderLength = ({ hash = 'sha256' }: RawPsk) => (hash === 'sha256' ? 32 : 48)

/** ClientHello without record header. */
export function rawClientHello(offer: RawOffer, share: KeyObject): Buffer {
  const { psks = [], suites = [AES_128], versions = [0x0304], modes = [PSK_DHE_KE], alpn = ['http/1.1'] } = offer
  const { compression = [0], withoutKeyShare = false, padding = 0 } = offer
  const publicShare = Buffer.from(share.export({ format: 'jwk' }).x ?? '', 'base64url')
  const extensions: Buffer[] = [
    extension(0, vector(2, Buffer.from([0]), vector(2, Buffer.from(NAME)))),
    extension(10, vector(2, uint16(29))),
    extension(13, vector(2, uint16(0x0403, 0x0503, 0x0804, 0x0807))),
    extension(16, vector(2, ...alpn.map((name) => vector(1, Buffer.from(name))))),
    extension(43, vector(1, uint16(...versions))),
    ...(modes.length > 0 ? [extension(45, vector(1, Buffer.from(modes)))] : []),
    ...(withoutKeyShare ? [] : [extension(EXTENSION.keyShare, vector(2, uint16(29), vector(2, publicShare)))]),
    ...(offer.earlyData === undefined ? [] : [extension(EXTENSION.earlyData)]),
    ...(padding > 0 ? [extension(21, Buffer.alloc(padding))] : []),
  ]
  if (psks.length > 0) extensions.push(offeredPsks(psks))
  const hello = message(
    CLIENT_HELLO,
    Buffer.concat([
      uint16(0x0303),
      randomBytes(32),
      vector(1, randomBytes(32)),
      vector(2, uint16(...suites)),
      vector(1, Buffer.from(compression)),
      vector(2, ...extensions),
    ]),
  )
  return psks.length > 0 ? withBinders(hello, psks) : hello
}

/** The last extension, its binders not yet computed: RFC 8446 4.2.11. */
function offeredPsks(psks: readonly RawPsk[]): Buffer {
  const identities = psks.map(({ identity, age = 0 }) =>
    Buffer.concat([vector(2, typeof identity === 'string' ? Buffer.from(identity) : identity), uint32(age)]),
  )
  const binders = psks.map((psk) => vector(1, Buffer.alloc(binderLength(psk))))
  return extension(EXTENSION.preSharedKey, vector(2, ...identities), vector(2, ...binders))
}

/** Each binder is over everything before the list of them: RFC 8446 4.2.11.2. */
function withBinders(hello: Buffer, psks: readonly RawPsk[]): Buffer {
  const list = psks.reduce((length, psk) => length + 1 + binderLength(psk), 0)
  const truncated = hello.subarray(0, -2 - list)
  const binders = psks.map(({ key, hash = 'sha256', binder = 'ext' }) => {
    const secret = derive(hash, extract(hash, zeros(hash), key), `${binder} binder`)
    return vector(1, finished(hash, secret, truncated))
  })
  return Buffer.concat([truncated, vector(2, ...binders)])
}

export const recordOf = (content: Uint8Array, type = HANDSHAKE) =>
  Buffer.concat([Buffer.from([type]), uint16(0x0301), vector(2, content)])

class EndedByAlert extends Error {
  readonly description: number
  constructor(description: number) {
    super(`alert ${description}`)
    this.description = description
  }
}
class Closed extends Error {}

/** Reads records from a socket, and takes them apart. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>
  #octets: Buffer = Buffer.alloc(0)
  #handshake: Buffer = Buffer.alloc(0)
  received: Buffer = Buffer.alloc(0)
  protection: RecordProtection | undefined

  constructor(socket: Socket) {
    this.#chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  async record(): Promise<{ readonly type: number; readonly content: Buffer }> {
    while (this.#octets.length < 5 || this.#octets.length < 5 + this.#octets.readUInt16BE(3)) {
      const { value, done } = await this.#chunks.next()
      if (done) throw new Closed('the server closed the connection')
      this.received = Buffer.concat([this.received, value])
      this.#octets = Buffer.concat([this.#octets, value])
    }
    const record = this.#octets.subarray(0, 5 + this.#octets.readUInt16BE(3))
    this.#octets = this.#octets.subarray(record.length)
    const type = record.readUInt8(0)
    if (type === CHANGE_CIPHER_SPEC) return this.record()
    const isProtected = type === APPLICATION_DATA && this.protection !== undefined
    const plain = isProtected ? this.protection?.unprotect(record) : undefined
    const { type: inner, content } = plain ?? { type, content: record.subarray(5) }
    if (inner === ALERT) throw new EndedByAlert(content.readUInt8(1))
    return { type: inner, content }
  }

  /** @returns a whole handshake message, with its header */
  async message(): Promise<Buffer> {
    while (this.#handshake.length < 4 || this.#handshake.length < 4 + this.#handshake.readUIntBE(1, 3)) {
      const { type, content } = await this.record()
      if (type === HANDSHAKE) this.#handshake = Buffer.concat([this.#handshake, content])
    }
    const whole = this.#handshake.subarray(0, 4 + this.#handshake.readUIntBE(1, 3))
    this.#handshake = this.#handshake.subarray(whole.length)
    return whole
  }
}

/** Tries a handshake on a loopback port, to the end of it. */
export async function rawHandshake(port: number, offer: RawOffer): Promise<RawOutcome> {
  const { localAddress = '127.0.0.1' } = offer
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true }).on('error', () => {})
  const reader = new Reader(socket)
  try {
    return { connection: await shakeHands(socket, reader, offer), received: reader.received }
  } catch (error) {
    socket.destroy()
    const ending = error instanceof EndedByAlert ? error.description : undefined
    if (ending === undefined && !(error instanceof Closed) && !isReset(error)) throw error
    return { alert: ending, received: reader.received }
  }
}

const isReset = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ECONNRESET'

async function shakeHands(socket: Socket, reader: Reader, offer: RawOffer): Promise<RawConnection> {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const hello = rawClientHello(offer, publicKey)
  const send = offer.send ?? ((to, octets) => void to.write(octets))
  send(socket, recordOf(hello))
  if (offer.earlyData !== undefined) socket.write(earlyRecord(offer, hello))

  const answer = await reader.message()
  const { suite, extensions } = readServerHello(answer)
  const hash = hashOf(suite)
  const selected = extensions.get(EXTENSION.preSharedKey)?.readUInt16BE(0)
  const psk = selected === undefined ? zeros(hash) : (offer.psks?.[selected]?.key ?? zeros(hash))
  const shared = sharedSecret(privateKey, extensions.get(EXTENSION.keyShare))
  const early = extract(hash, zeros(hash), psk)
  const secret = extract(hash, derive(hash, early, 'derived'), shared)
  const said = [hello, answer]
  const clientSecret = derive(hash, secret, 'c hs traffic', ...said)
  const serverSecret = derive(hash, secret, 's hs traffic', ...said)
  reader.protection = new RecordProtection(hash, serverSecret)
  const seen = new Set(extensions.keys())
  for (let type = 0; type !== FINISHED; ) {
    const part = await reader.message()
    type = part.readUInt8(0)
    if (type === ENCRYPTED_EXTENSIONS) for (const each of readExtensions(part.subarray(4)).keys()) seen.add(each)
    said.push(part)
  }
  const master = extract(hash, derive(hash, secret, 'derived'), zeros(hash))
  const [clientData, serverData] = ['c ap traffic', 's ap traffic'].map((label) => derive(hash, master, label, ...said))
  const last = message(FINISHED, finished(hash, clientSecret, ...said))
  socket.write(new RecordProtection(hash, clientSecret).protect(HANDSHAKE, last))
  const resumption = derive(hash, master, 'res master', ...said, last)
  reader.protection = new RecordProtection(hash, serverData as Buffer)
  const writer = new RecordProtection(hash, clientData as Buffer)
  return connectionOver(socket, reader, writer, { hash, selected, extensions: seen, resumption })
}

/** Data under the key of the first PSK, before the server has said anything: RFC 8446 2.3. */
function earlyRecord({ psks: [psk] = [], earlyData = '' }: RawOffer, hello: Buffer): Buffer {
  const early = extract('sha256', zeros('sha256'), psk?.key ?? zeros('sha256'))
  const protection = new RecordProtection('sha256', derive('sha256', early, 'c e traffic', hello))
  return protection.protect(APPLICATION_DATA, Buffer.from(earlyData))
}

function sharedSecret(privateKey: KeyObject, share: Buffer | undefined): Buffer {
  // psk_ke: there is no share.
  if (share === undefined) return zeros('sha256')
  const x = share.subarray(4).toString('base64url')
  return diffieHellman({
    privateKey,
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }),
  })
}

const HELLO_RETRY_REQUEST = digest('sha256', Buffer.from('HelloRetryRequest'))

function readServerHello(octets: Buffer) {
  if (octets[0] !== SERVER_HELLO) throw new Error(`message ${octets[0]} where ServerHello should be`)
  if (octets.subarray(6, 38).equals(HELLO_RETRY_REQUEST)) throw new Error('the server asks for another key share')
  const at = 39 + octets.readUInt8(38)
  return { suite: octets.readUInt16BE(at), extensions: readExtensions(octets.subarray(at + 3)) }
}

/** @param octets - from the length of the list on */
function readExtensions(octets: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 2; at < 2 + octets.readUInt16BE(0); ) {
    const length = octets.readUInt16BE(at + 2)
    found.set(octets.readUInt16BE(at), octets.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}

interface Established {
  readonly hash: Hash
  readonly selected: number | undefined
  readonly extensions: ReadonlySet<number>
  /** resumption_master_secret */
  readonly resumption: Buffer
}

function connectionOver(
  socket: Socket,
  reader: Reader,
  first: RecordProtection,
  established: Established,
): RawConnection {
  const { hash, selected, extensions, resumption } = established
  let writer = first
  const tickets: Ticket[] = []
  let text = ''
  let ended: Error | undefined
  let changed = Promise.withResolvers<void>()
  const read = async () => {
    for (;;) {
      const { type, content } = await reader.record()
      if (type === APPLICATION_DATA) text += content.toString('latin1')
      if (type === HANDSHAKE && content[0] === NEW_SESSION_TICKET)
        tickets.push(...readTickets(content, hash, resumption))
      if (type === HANDSHAKE && content[0] === KEY_UPDATE) reader.protection = reader.protection?.next()
      changed.resolve()
    }
  }
  read().catch((error: Error) => {
    ended = error
    changed.resolve()
  })
  /** Until it is so, it has ended, or time is up. */
  const until = async (isSo: () => boolean, milliseconds: number) => {
    const deadline = Date.now() + milliseconds
    while (!isSo() && ended === undefined && Date.now() < deadline) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadline - Date.now())
      })
      await Promise.race([changed.promise, late])
      clearTimeout(timer)
      changed = Promise.withResolvers<void>()
    }
  }
  return {
    selected,
    extensions,
    async get(path) {
      text = ''
      socket.write(writer.protect(APPLICATION_DATA, Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)))
      await until(() => /\r\n\r\n./s.test(text), 5_000)
      return text
    },
    async tickets(milliseconds) {
      await until(() => false, milliseconds)
      return tickets
    },
    async say(content, times = 1) {
      for (let time = 0; time < times && ended === undefined; time += 1) {
        socket.write(writer.protect(HANDSHAKE, content))
        if (content[0] === KEY_UPDATE) writer = writer.next()
      }
      await until(() => false, 300)
      return ended instanceof EndedByAlert ? ended.description : undefined
    },
    close: () => socket.destroy(),
  }
}

/** RFC 8446 4.6.1; several may stand in one record. */
function readTickets(octets: Buffer, hash: Hash, resumption: Buffer): Ticket[] {
  const found: Ticket[] = []
  for (let at = 0; at < octets.length && octets[at] === NEW_SESSION_TICKET; at += 4 + octets.readUIntBE(at + 1, 3)) {
    const body = octets.subarray(at + 4)
    const nonce = body.subarray(9, 9 + body.readUInt8(8))
    const ticket = 9 + nonce.length
    const identity = Buffer.from(body.subarray(ticket + 2, ticket + 2 + body.readUInt16BE(ticket)))
    found.push({ identity, key: expandLabel(hash, resumption, 'resumption', nonce), hash, age: body.readUInt32BE(4) })
  }
  return found
}
