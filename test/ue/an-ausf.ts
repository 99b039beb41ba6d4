import http2 from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { writePem } from '../../src/certificates/pem.ts'
import type { Message } from '../../src/http/client.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { anNf, certified } from '../nf/a-network.ts'
import { HomeNetwork } from './a-home-network.ts'

export const AUSF = 'ausf.core.example'

/** A home network behind mutual TLS, as the SEAF of a serving network reaches it. */
export async function anAusf(home = new HomeNetwork()) {
  const domain = await aDomain({ rootCurve: 'P-256', domain: 'core.example' })
  const root = writePem('CERTIFICATE', domain.root.certificate.der)
  const { credential } = await certified(domain.issuers.nf, anNf(AUSF))
  const { credential: seaf } = await certified(domain.issuers.nf, anNf('amf.core.example', 'AMF'))
  const server = http2.createSecureServer({
    cert: credential.certificateChain,
    key: credential.privateKey,
    ca: [root, writePem('CERTIFICATE', domain.issuers.nf.certificate.der)],
    requestCert: true,
    rejectUnauthorized: true,
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('request', async (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    for await (const part of request as AsyncIterable<string>) body += part
    const answered = await home.request({ method: request.method as Message['method'], path: request.url, body })
    response.writeHead(answered.status, { 'content-type': String(answered.headers['content-type']) })
    response.end(answered.body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    home,
    root,
    /** of the serving network */
    seaf,
    url: `https://${AUSF}:${(server.address() as AddressInfo).port}`,
    resolve: new Map([[AUSF, '127.0.0.1']]),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
