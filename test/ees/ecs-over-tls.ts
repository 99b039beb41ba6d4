import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { writePem } from '../../src/certificates/pem.ts'
import type { Message } from '../../src/http/client.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { channelBinding, peerCertificate } from '../../src/tls/connection.ts'
import { mutualTls, type ServerCredential, serverTls } from '../../src/tls/profile.ts'
import { aKey, type Domain, spkiOf } from '../certificates/a-domain.ts'
import { ECS_FQDN, type Ecs, problem } from './an-ecs.ts'

/** What an ECS of this domain shows. */
export async function ecsCredential(domain: Domain, name: Fqdn = ECS_FQDN): Promise<ServerCredential> {
  const key = aKey()
  const leaf = await domain.issue({ role: 'ecs', fqdn: name }, { spki: spkiOf(signerOf(key)), now: Date.now() })
  const chain = [leaf, domain.issuers.ecs.certificate].map(({ der }) => writePem('CERTIFICATE', der))
  return { certificateChain: chain.join(''), privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** Gives the scripted ECS its two listeners, on free ports of this machine. */
export async function overTls(ecs: Ecs, credential: ServerCredential, changes: SecureServerOptions = {}) {
  const issuers = [ecs.rootPem, writePem('CERTIFICATE', ecs.domain.issuers.ees.certificate.der)]
  const server = await listen(ecs, { ...serverTls(credential), ...changes })
  const mtls = await listen(ecs, { ...mutualTls(credential, issuers), ...changes })
  ecs.origins.server = `https://${ECS_FQDN}:${server.port}`
  ecs.origins.mtls = `https://${ECS_FQDN}:${mtls.port}`
  return {
    resolve: new Map<string, string>([[ECS_FQDN, '127.0.0.1']]),
    connections: () => server.connections() + mtls.connections(),
    close: () => {
      server.close()
      mtls.close()
    },
  }
}

async function listen(ecs: Ecs, tls: SecureServerOptions) {
  const server: Http2SecureServer = createSecureServer(tls)
  const sockets = new Set<TLSSocket>()
  let connections = 0
  server.on('connection', () => connections++)
  server.on('secureConnection', (socket) => sockets.add(socket))
  server.on('sessionError', () => {})
  server.on('stream', async (stream, headers) => {
    const socket = stream.session?.socket as TLSSocket
    const content: Buffer[] = []
    await new Promise((resolve) => stream.on('data', (part: Buffer) => content.push(part)).once('end', resolve))
    const { ':method': method, ':path': path = '', ...rest } = headers
    const message = { method, path, headers: rest, body: Buffer.concat(content) } as Message
    const binding = channelBinding(socket)
    const answer = await ecs
      .handle({ origin: '', message, channelBinding: binding, certificate: peerCertificate(socket) })
      .catch((error: unknown) => problem(500, String(error)))
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': answer.status, ...answer.headers })
    if (answer.status === 204) stream.end()
    else stream.end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
