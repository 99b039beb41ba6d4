import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'

const ANSWER_LIMIT = 10_000

/** What a peer may cost. */
export interface PeerLimits {
  /** milliseconds until the handshake is done */
  readonly connect: number
  /** octets of content in one answer */
  readonly content: number
}

const LIMITS: PeerLimits = { connect: 5_000, content: 1_048_576 }

/**
 * The peer could not be asked, or did not answer as HTTP. It is not known whether it acted, except when `phase` is
 * `connect`.
 */
export class PeerUnavailable extends Error {
  override readonly name = 'PeerUnavailable'
  readonly phase: 'connect' | 'answer'

  constructor(phase: 'connect' | 'answer', reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.phase = phase
  }
}

export interface Message {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** with its query */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** milliseconds to wait for the answer once the connection is up; 10,000 unless stated */
  readonly patience?: number
}

export interface Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * One HTTP/2 connection to one server, opened when needed and kept. Redirects are answers like any other: never
 * followed.
 */
export interface Peer {
  readonly origin: string
  /** @throws PeerUnavailable */
  request(message: Message): Promise<Response>
  /** The connection on which the next request will go, for channel binding. */
  socket(): Promise<TLSSocket>
  close(): void
}

interface Connection {
  readonly socket: TLSSocket
  readonly session: ClientHttp2Session
}

/** Where a name is reached when DNS shall not be asked: `--resolve FQDN=ADDRESS`. */
export type Resolve = ReadonlyMap<string, string>

/**
 * @param origin - `https://FQDN[:PORT]`; the certificate must be for this FQDN whatever the address is
 * @param tls - whom to trust and what to show; the TLS room makes it
 * @param accept - looks at each new connection before an octet of HTTP leaves; one that it throws for is destroyed
 */
export function openPeer(
  origin: string,
  tls: ConnectionOptions,
  resolve: Resolve = new Map(),
  accept: (socket: TLSSocket) => void = () => {},
  limits: PeerLimits = LIMITS,
): Peer {
  const { hostname, port } = parseOrigin(origin)
  const address = { host: resolve.get(hostname) ?? hostname, port: Number(port || 443), servername: hostname }
  let current: Promise<Connection> | undefined

  const connection = () => {
    if (current !== undefined) return current
    const opening = connect(origin, { ...tls, ...address }, accept, limits.connect)
    const forget = () => {
      if (current === opening) current = undefined
    }
    opening.then(({ session }) => session.once('close', forget).once('goaway', forget), forget)
    current = opening
    return opening
  }

  return {
    origin,
    async request(message) {
      const first = connection()
      const { session } = await first
      try {
        return await exchange(session, message, limits.content)
      } catch (error) {
        if (!(error instanceof PeerUnavailable)) throw error
        // What others have under way on this connection may end; what comes next goes on a new one.
        session.close()
        if (current === first) current = undefined
        if (error.phase !== 'connect') throw error
        // The peer did nothing: once more.
        return exchange((await connection()).session, message, limits.content)
      }
    },
    socket: async () => (await connection()).socket,
    close() {
      current?.then(({ session }) => session.close()).catch(() => {})
      current = undefined
    },
  }
}

/** @throws TypeError unless it is `https://FQDN[:PORT]` and nothing else */
function parseOrigin(origin: string): URL {
  const url = new URL(origin)
  if (url.protocol === 'https:' && url.href === `${url.origin}/`) return url
  throw new TypeError(`${origin} is not an https origin`)
}

function connect(
  origin: string,
  options: ConnectionOptions,
  accept: (socket: TLSSocket) => void,
  limit: number,
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>()
  const fail = (reason: string, cause?: unknown) => {
    socket.destroy()
    reject(new PeerUnavailable('connect', `${origin}: ${reason}`, { cause }))
  }
  const socket = connectTls({ ...options, ALPNProtocols: ['h2'] })
  const deadline = setTimeout(() => fail('no connection in time'), limit)
  socket.once('error', (error) => fail(reasonOf(error), error))
  socket.once('close', () => {
    clearTimeout(deadline)
    fail('closed before the handshake was done')
  })
  socket.once('secureConnect', () => {
    clearTimeout(deadline)
    if (socket.alpnProtocol !== 'h2') return fail('the peer does not speak HTTP/2')
    try {
      accept(socket)
    } catch (error) {
      return fail(error instanceof Error ? error.message : 'not accepted', error)
    }
    const session = http2.connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false },
      maxSessionMemory: 4,
      maxHeaderListPairs: 64,
    })
    // Every request in flight hears of it; a kept connection that breaks while idle concerns nobody.
    session.on('error', () => {})
    session.unref()
    resolve({ socket, session })
  })
  return promise
}

/** What OpenSSL says, without the place in its sources where it says so. */
const reasonOf = (error: Error) => ('reason' in error ? String(error.reason) : error.message)

/** @throws PeerUnavailable, of the phase `connect` if the peer did nothing */
async function exchange(session: ClientHttp2Session, message: Message, limit: number): Promise<Response> {
  if (session.closed || session.destroyed) throw new PeerUnavailable('connect', 'the connection is closed')
  const stream = openStream(session, message)
  const deadline = setTimeout(() => stream.destroy(new Error('no answer in time')), message.patience ?? ANSWER_LIMIT)
  session.ref()
  try {
    if (message.body !== undefined) stream.end(message.body)
    const response = await readResponse(stream, limit)
    // To Node a stream that was cut off has come to its end.
    if (session.destroyed || stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error('the answer was cut off')
    return response
  } catch (cause) {
    // REFUSED_STREAM promises that nothing was done (RFC 9113 8.7).
    const phase = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'connect' : 'answer'
    // Only then: a stream that has ended closes by itself, and resets are counted at the other end.
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
    throw new PeerUnavailable(phase, cause instanceof Error ? cause.message : 'no answer', { cause })
  } finally {
    clearTimeout(deadline)
    session.unref()
  }
}

function openStream(session: ClientHttp2Session, { method, path, headers, body }: Message): ClientHttp2Stream {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return session.request({ ':method': method, ':path': path, ...headers, ...length }, { endStream: body === undefined })
}

/**
 * Listens from the beginning: whoever comes to a stream of Node a turn later may find it gone, with the answer in it.
 */
function readResponse(stream: ClientHttp2Stream, limit: number): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const parts: Buffer[] = []
  let head: (IncomingHttpHeaders & IncomingHttpStatusHeader) | undefined
  let length = 0
  stream
    .once('response', (headers) => {
      head = headers
    })
    .on('data', (part: Buffer) => {
      length += part.length
      if (length > limit) reject(new Error('the answer is too long'))
      else parts.push(part)
    })
    .once('end', () => {
      if (head !== undefined) resolve({ status: head[':status'] ?? 0, headers: head, body: Buffer.concat(parts) })
    })
    .once('error', reject)
    .once('close', () => reject(new Error('closed without an answer')))
  return promise
}
