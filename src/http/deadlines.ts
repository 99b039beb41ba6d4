import { constants, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'

/** How long a client may take, in milliseconds (THREATS HT-02). */
export interface Deadlines {
  /**
   * from the handshake to the end of the first request's head; over HTTP/1.1 to its first octet, and for each request
   * from there to the end of its head
   */
  readonly head: number
  /** from the head of a request to the head of its answer: the content must have come, and the work be done */
  readonly request: number
  /** from then on to the last octet of the answer, if its head was in time */
  readonly answer: number
  /** how long a connection stays open without a request */
  readonly idle: number
  /** how long what is under way may take to end when the connection or the listener closes */
  readonly close: number
}

export const DEADLINES: Deadlines = { head: 5_000, request: 10_000, answer: 30_000, idle: 60_000, close: 2_000 }

/** Every request ends, whether its content never comes, its work hangs or its answer is never read. */
export function limitRequests(server: Http2SecureServer, deadlines: Deadlines): void {
  server.on('request', (request, response) => {
    let timer = after(deadlines.request, () => {
      if (!response.headersSent) return cut(request)
      // A peer that does not read holds the answers of all its requests: the connection goes.
      timer = after(deadlines.answer, () => connectionOf(response)?.destroy())
    })
    response.once('close', () => clearTimeout(timer))
  })
}

/**
 * A connection without requests ends; PING and SETTINGS do not keep it open, as they would with `session.setTimeout`.
 * HTTP/1.1 has `headersTimeout` and `keepAliveTimeout` for this.
 */
export function limitSessions(server: Http2SecureServer, deadlines: Deadlines): void {
  let accepted: TLSSocket | undefined
  server.prependListener('secureConnection', (socket) => {
    accepted = socket
  })
  server.on('session', (session) => {
    // Node makes the session in the course of that event. A session that has closed leaves its socket open until the
    // peer has read everything, and destroying it again would not change that.
    const socket = accepted
    const hurry = () => after(deadlines.close, () => socket?.destroy())
    let open = 0
    const leave = () => {
      session.close()
      timer = hurry()
    }
    let timer = after(deadlines.head, leave)
    session.on('stream', (stream) => {
      open++
      clearTimeout(timer)
      stream.once('close', () => {
        if (--open === 0) timer = session.closed ? hurry() : after(deadlines.idle, leave)
      })
    })
    session.once('close', () => clearTimeout(timer))
  })
}

function cut({ stream, socket }: Http2ServerRequest): void {
  // Over HTTP/1.1 there is no stream, and what is left of the content is in the way of the next request.
  if (stream === undefined) socket.destroy()
  else stream.close(constants.NGHTTP2_CANCEL)
}

function connectionOf({ stream, socket }: Http2ServerResponse) {
  return stream === undefined ? socket : stream.session
}

function after(milliseconds: number, action: () => void): NodeJS.Timeout {
  return setTimeout(action, milliseconds).unref()
}
