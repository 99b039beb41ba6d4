import { once } from 'node:events'
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls'

/**
 * A TLS server on loopback that sends one octet, so that the client sees both ends ready; closed with `await using`.
 */
export async function runServer(options: TlsOptions) {
  const accepted: TLSSocket[] = []
  const failed: string[] = []
  const server = createServer(options, (socket) => {
    accepted.push(socket)
    socket.on('error', () => {})
    socket.write('.')
  })
  server.on('tlsClientError', (error) => failed.push('code' in error ? String(error.code) : error.message))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    server,
    port,
    /** the server's ends, in order */
    accepted,
    /** codes of the handshakes that ended otherwise */
    failed,
    async [Symbol.asyncDispose]() {
      for (const socket of accepted) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

export const NAME = 'ecs1.ecsp.example'

/** A client whose handshake is done, and which has read the server's octet: in TLS 1.3 only then was it let in. */
export function connected(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername: NAME, ...options })
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('data', () => resolve(socket))
    socket.once('close', () => reject(new Error('the server closed the connection')))
  })
}
