import { constants, type Http2SecureServer, type SecureServerOptions, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Refusal } from '../spec/refusal.ts'
import type { Deadlines } from './deadlines.ts'
import type { Log } from './log.ts'
import { CONNECTION, type Connection } from './observation.ts'

/** How many connections one listener holds: the others of this process must still find descriptors and memory. */
export const MAX_CONNECTIONS = 8_192

/** Bounds on what one connection may hold open or ask for (THREATS HT-01, HT-02; RFC 9113 10.5). */
export const HTTP2_BOUNDS = {
  allowHTTP1: true,
  settings: { maxConcurrentStreams: 100, maxHeaderListSize: 32_768, enablePush: false },
  maxSessionMemory: 4,
  maxHeaderListPairs: 64,
  maxOutstandingPings: 4,
  maxSettings: 8,
  maxSessionInvalidFrames: 8,
  maxSessionRejectedStreams: 32,
  streamResetBurst: 200,
  streamResetRate: 20,
  unknownProtocolTimeout: 5_000,
} satisfies SecureServerOptions

/** Node looks at the deadlines of HTTP/1.1 in intervals, of 30 s unless told. */
export const http1Bounds = ({ head, request, idle }: Deadlines) => ({
  // Node would answer, and serve what came behind: a request without `Host` is refused with all others of two meanings.
  requireHostHeader: false,
  headersTimeout: head,
  requestTimeout: Math.max(head, request),
  keepAliveTimeout: idle,
  keepAliveTimeoutBuffer: 0,
  connectionsCheckingInterval: Math.min(1_000, head),
})

const CLIENT_ERRORS: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
}

/** What is not HTTP gets one answer and no second chance (THREATS HT-03). */
export function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.destroySoon()
}

/** PING and SETTINGS frames that one connection may send in ten seconds: each must be answered (RFC 9113 10.5). */
const MAX_CONTROL_FRAMES = 100
const CONTROL_PERIOD = 10_000

/** Node counts settings and open pings of its own, but not those that come. */
export function limitControlFrames(server: Http2SecureServer): void {
  server.on('session', (session) => {
    let [count, since] = [0, performance.now()]
    const tally = () => {
      const now = performance.now()
      if (now - since > CONTROL_PERIOD) [count, since] = [0, now]
      if (++count > MAX_CONTROL_FRAMES)
        session.destroy(new Error('too many control frames'), constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }
    session.on('ping', tally).on('remoteSettings', tally)
  })
}

interface Admission {
  readonly name: string
  readonly admit?: (socket: TLSSocket) => void
  readonly log: Log
}

/** Knows every connection that is open, so that a revoked one can be closed (THREATS CA-06). */
export function trackConnections(server: Http2SecureServer, { name, admit, log }: Admission) {
  const [sockets, admitted] = [new Set<Socket>(), new Set<TLSSocket>()]
  const tell = (event: Connection['event']) => CONNECTION.publish({ listener: name, event } satisfies Connection)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.prependListener('secureConnection', (socket) => {
    admitted.add(socket)
    tell('opened')
    socket.once('close', () => {
      admitted.delete(socket)
      tell('closed')
    })
    try {
      admit?.(socket)
    } catch (error) {
      tell('not_admitted')
      log.warn({ reason: error instanceof Refusal ? error.code : 'unexpected' }, 'connection not admitted')
      socket.destroy()
    }
  })
  server.on('tlsClientError', (error, socket) => {
    tell('handshake_failed')
    log.info({ listener: name, reason: 'code' in error ? error.code : error.message }, 'handshake failed')
    socket.destroy()
  })
  server.on('sessionError', (_error, session: ServerHttp2Session) => session.destroy())
  return { sockets, admitted }
}
