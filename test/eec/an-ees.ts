import http2 from 'node:http2'
import type { Socket } from 'node:net'
import type { EESInfo } from '../../src/spec/messages/service-provisioning.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { type AnEcs, aCredential, listen } from './an-ecs.ts'

export const EES = fqdn('ees1.example.com')

export interface EesReceived {
  readonly method: string
  readonly path: string
  readonly contentType: string
  readonly authorization: string
  readonly dpop: string
  readonly body: unknown
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

export const DISCOVERED = {
  discoveredEas: [{ eas: { easId: 'eas-1', endPt: { uri: 'https://eas1.example.com/' } } }],
}

const REGISTRATION = '/eees-eecregistration/v1/registrations'

/** An EES of this ECS, made of Node's own parts; it remembers what was sent, and judges nothing. */
export async function anEes(ecs: AnEcs, change: (received: EesReceived) => Answer | undefined = () => undefined) {
  const credential = await aCredential(EES, ecs.domain)
  const server = http2.createSecureServer({ cert: credential.certificateChain, key: credential.privateKey })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  const received: EesReceived[] = []
  server.on('request', async (request, response) => {
    let text = ''
    request.setEncoding('utf8')
    for await (const part of request as AsyncIterable<string>) text += part
    const { authorization = '', dpop = '', 'content-type': contentType = '' } = request.headers
    const message = {
      method: request.method,
      path: request.url,
      contentType,
      authorization,
      dpop: String(dpop),
      body: text === '' ? undefined : JSON.parse(text),
    }
    received.push(message)
    const { status, headers, body } = change(message) ?? honestAnswer(message)
    const mediaType = status < 400 ? 'application/json' : 'application/problem+json'
    response.writeHead(status, { ...headers, ...(body && { 'content-type': mediaType }) })
    response.end(body === undefined ? '' : JSON.stringify(body))
  })
  const port = await listen(server)
  const origin = `https://${EES}:${port}`
  const info: EESInfo = {
    eesId: 'ees-1',
    endPt: { uri: origin },
    eecRegConf: true,
    eesAuthMethods: ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN'],
  }
  return {
    origin,
    info,
    received,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function honestAnswer({ method, path, body }: EesReceived): Answer {
  if (path.endsWith('/request-discovery')) return { status: 200, body: DISCOVERED }
  if (method === 'POST') return { status: 201, headers: { location: `${REGISTRATION}/r-1` }, body: body as object }
  return { status: 204 }
}
