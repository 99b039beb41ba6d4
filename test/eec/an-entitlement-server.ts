import { randomUUID } from 'node:crypto'
import http2, { type OutgoingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { writePem } from '../../src/certificates/pem.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { Challenger } from '../ue/a-challenger.ts'
import { aCredential, listen } from './an-ecs.ts'

export const ENT = fqdn('aes.mnc001.mcc001.pub.3gppnetwork.org')

const EAP_RELAY = 'application/vnd.gsma.eap-relay.v1.0+json'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, string>>
}

interface Answer {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: object | string
}

export interface EntOptions {
  /** in the place of the own answer; undefined to let that stand */
  readonly answer?: (asked: Asked, honest: Answer) => Answer | undefined
  /** seconds that operator tokens are good for */
  readonly lifetime?: number
  /** the home network, whose sequence numbers go on from one server to the next */
  readonly challenger?: Challenger
}

/** An entitlement server of one subscriber, made of Node's own parts: TS.43 over HTTP/2, with real EAP-AKA packets. */
export async function anEntitlementServer(options: EntOptions = {}) {
  const { answer, lifetime = 600, challenger = new Challenger() } = options
  const domain = await aDomain({ rootCurve: 'P-256' })
  const credential = await aCredential(ENT, domain)
  const server = http2.createSecureServer({ cert: credential.certificateChain, key: credential.privateKey })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  const asked: Asked[] = []
  const subscriber = new Ent(challenger, lifetime)
  server.on('request', async (request, response) => {
    let text = ''
    request.setEncoding('utf8')
    for await (const part of request as AsyncIterable<string>) text += part
    const headers = request.headers as Record<string, string>
    const received = { method: request.method, path: request.url, headers, body: JSON.parse(text || '{}') }
    asked.push(received)
    const honest = subscriber.answer(received)
    const { status = 200, headers: given, body = '' } = answer?.(received, honest) ?? honest
    response.writeHead(status, { 'content-type': 'application/json', ...given })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const port = await listen(server)
  return {
    server: `https://${ENT}:${port}`,
    root: writePem('CERTIFICATE', domain.root.certificate.der),
    asked,
    subscriber,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

export type AnEntitlementServer = Awaited<ReturnType<typeof anEntitlementServer>>

class Ent {
  readonly #challenger: Challenger
  readonly #lifetime: number
  /** fast authentication tokens that are good */
  readonly tokens = new Set<string>()
  #open: { readonly session: string; readonly wish: Asked['body'] } | undefined

  constructor(challenger: Challenger, lifetime: number) {
    this.#challenger = challenger
    this.#lifetime = lifetime
  }

  answer({ headers, body }: Asked): Answer {
    if (headers['content-type'] === EAP_RELAY) return this.#continue(headers['cookie'], body)
    if (this.tokens.has(body['token'] ?? '')) return this.#document(body)
    if (body['EAP_ID'] === undefined) return { status: 511 }
    return this.#challenge(body)
  }

  #challenge(wish: Asked['body'], identifier = 1): Answer {
    const session = randomUUID()
    this.#open = { session, wish }
    const packet = this.#challenger.challenge({ identifier }).toString('base64')
    const cookie = `session=${session}; Path=/; Secure; HttpOnly; SameSite=Strict`
    return { headers: { 'content-type': EAP_RELAY, 'set-cookie': cookie }, body: { 'eap-relay-packet': packet } }
  }

  #continue(cookie: string | undefined, body: Asked['body']): Answer {
    const open = this.#open
    this.#open = undefined
    if (open === undefined || cookie !== `session=${open.session}`) return { status: 401 }
    const packet = Buffer.from(body['eap-relay-packet'] ?? '', 'base64')
    if (this.#challenger.accepts(packet)) return this.#document(open.wish)
    if (packet[5] === 4 && this.#challenger.resynchronise(packet)) return this.#challenge(open.wish, 2)
    return { status: 403 }
  }

  #document({ client_id = '', scope = '' }: Asked['body']): Answer {
    const token = `fast-${randomUUID()}`
    this.tokens.add(token)
    const expiry = new Date(Date.now() + this.#lifetime * 1_000).toISOString()
    const ap2015 = {
      OperatorToken: `entitlement.${Buffer.from(scope).toString('base64url')}.signature`,
      OperatorTokenExpiry: expiry,
      OperatorTokenAuthURL: `https://${ENT}/`,
      ClientID: client_id,
      OperationResult: '1',
    }
    return { body: { Vers: { version: '1', validity: '3600' }, Token: { token, validity: '3600' }, ap2015 } }
  }
}
