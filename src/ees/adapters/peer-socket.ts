import type { TLSSocket } from 'node:tls'

export interface RequestOnConnection {
  readonly stream?: { readonly session?: { readonly socket: unknown } | undefined }
  readonly socket: unknown
}

/** The connection that a request of node:http2, or of node:https, came on: one object for all of its requests. */
export function peerSocket({ stream, socket }: RequestOnConnection): TLSSocket {
  // Over HTTP/2 the request's own `socket` is another object each time.
  return (stream?.session?.socket ?? socket) as TLSSocket
}
