import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { newServerCredential } from '../../../src/ecs/server/server-certificate.ts'
import { openPeer, type Peer } from '../../../src/http/client.ts'
import { clientTls } from '../../../src/tls/client.ts'
import { mutualTls, type ServerCredential } from '../../../src/tls/profile.ts'
import { ecsName, type Member } from './a-federation.ts'

export interface HostileAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/**
 * An ECS that the operator trusts, and that does what it likes: it has its real certificate, its real keys and the place
 * where its `mtls` listener is said to be.
 */
export class HostilePeer {
  answer: HostileAnswer | ((path: string) => HostileAnswer) = { status: 503 }
  /** what it was asked, oldest first */
  readonly asked: { readonly path: string; readonly headers: Record<string, unknown>; readonly body: string }[] = []
  readonly #server: Http2SecureServer
  readonly #sessions = new Set<ServerHttp2Session>()

  private constructor(server: Http2SecureServer) {
    this.#server = server
  }

  /** Stands where `port` says, with a certificate of the ECS. */
  static async inPlaceOf({ ecs }: Member, roots: readonly string[], port: number): Promise<HostilePeer> {
    return HostilePeer.with(await credentialOf(ecs.opened), roots, port)
  }

  /** @param port - 0 for any that is free */
  static async with(credential: ServerCredential, roots: readonly string[], port = 0): Promise<HostilePeer> {
    const server = createSecureServer(mutualTls(credential, roots))
    const peer = new HostilePeer(server)
    server.on('session', (session) => {
      peer.#sessions.add(session)
      session.on('close', () => peer.#sessions.delete(session)).on('error', () => session.destroy())
    })
    server.on('stream', (stream, headers) => {
      const parts: Buffer[] = []
      stream.on('error', () => {}).on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        peer.asked.push({ path: String(headers[':path']), headers, body: Buffer.concat(parts).toString('utf8') })
        const { answer } = peer
        const { status, headers: more, body } = typeof answer === 'function' ? answer(String(headers[':path'])) : answer
        stream.respond({ ':status': status, ...more })
        stream.end(body)
      })
    })
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
    return peer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): Promise<void> {
    for (const session of this.#sessions) session.destroy()
    return new Promise((closed) => this.#server.close(() => closed()))
  }
}

const credentialOf = (opened: Member['ecs']['opened']) =>
  newServerCredential(opened, { apiRoot: `https://${opened.configuration.fqdn}` })

/** A connection to the `mtls` listener of one ECS with a certificate of another. */
export async function connectAs(who: Member, to: Member): Promise<Peer> {
  const { port } = new URL(to.ecs.serving.listeners.mtls)
  const name = ecsName(to.label)
  const tls = clientTls([to.ecs.opened.ca.root()], await credentialOf(who.ecs.opened))
  return openPeer(`https://${name}:${port}`, tls, new Map([[name, '127.0.0.1']]))
}
