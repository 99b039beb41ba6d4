import http2 from 'node:http2'
import type { Socket } from 'node:net'
import { writePem } from '../../src/certificates/pem.ts'
import { type Message, openPeer } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { aCredential, listen } from './an-ecs.ts'

interface Passing {
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string
}

export interface Edits {
  /** on the way to the ECS */
  readonly request?: (passing: Passing) => void
  /** of answers, on the way to the EEC */
  readonly response?: (path: string, body: string) => string
}

/**
 * Somebody between EEC and ECS who can do anything but prove a key: TLS ends here, with a certificate for the name of the
 * ECS under an authority that the EEC trusts.
 */
export async function anEditingProxy(ecs: { readonly origin: string; readonly root: string }, edits: Edits = {}) {
  const name = new URL(ecs.origin).hostname
  const domain = await aDomain({ rootCurve: 'P-256' })
  const credential = await aCredential(fqdn(name), domain)
  const onward = openPeer(ecs.origin, clientTls([ecs.root]), new Map([[name, '127.0.0.1']]))
  const server = http2.createSecureServer({ cert: credential.certificateChain, key: credential.privateKey })
  const sockets = new Set<Socket>()
  const statuses: number[] = []
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('request', async (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    for await (const part of request as AsyncIterable<string>) body += part
    const { ':method': method, ':path': path = '', ':scheme': _, ...headers } = request.headers
    const { 'content-length': __, ...kept } = headers as Record<string, string>
    const passing = { path, headers: kept, body }
    edits.request?.(passing)
    const message = {
      method: method as Message['method'],
      path,
      headers: passing.headers,
      ...(body !== '' && { body }),
    }
    const answer = await onward.request(message)
    statuses.push(answer.status)
    const text = edits.response?.(path, answer.body.toString()) ?? answer.body.toString()
    const { ':status': ___, 'content-length': ____, ...answered } = answer.headers
    response.writeHead(answer.status, answered)
    response.end(text)
  })
  const port = await listen(server)
  return {
    origin: `https://${name}:${port}`,
    root: writePem('CERTIFICATE', domain.root.certificate.der),
    /** what the ECS answered */
    statuses,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      onward.close()
    },
  }
}
