import { constants, type KeyObject } from 'node:crypto'
import http2, { type Http2SecureServer, type SecureServerOptions } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { writePem } from '../../src/certificates/pem.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { certified } from '../nf/a-network.ts'
import { VECTOR } from '../ue/a-folder.ts'

export const ECS: Fqdn = fqdn(VECTOR.ecsFqdn)

/** A message as the ECS got it; `identity` is the PSK identity of its connection. */
export interface Received {
  readonly path: string
  readonly body: unknown
  readonly identity?: string
  readonly serverName: string | false
  /** `Authorization` and `DPoP`, if they were there */
  readonly authorization?: string
  readonly dpop?: string
}

export interface EcsOptions {
  readonly fqdn?: Fqdn
  readonly keyProfile?: string
  readonly expiresAt?: string
  /** the answer to the authentication request, if not 201 with what is above */
  readonly answer?: { readonly status: number; readonly body: object }
  /** in the place of our own */
  readonly pskEndpoint?: string
  /** TLS of the psk listener, beside R1 of THREATS */
  readonly pskTls?: SecureServerOptions
  /** in the metadata, beside the methods */
  readonly metadata?: object
  /** the methods that its metadata offer */
  readonly offer?: unknown
  /** what its answers say of the offer, if not the same; `null`: nothing */
  readonly repeated?: readonly string[] | null
  /** of the answer of the token endpoint */
  readonly tokens?: object
  /** of the answer to the provisioning request; undefined for 204 */
  readonly provisioning?: object | undefined
  /** what is answered to an authenticated EEC, if not what is above */
  readonly change?: (request: Asked) => Promise<Answer | undefined>
}

/** A message of an authenticated EEC. */
export interface Asked extends Received {
  readonly method: string
  /** as the EEC addresses it */
  readonly uri: string
}

interface Answer {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

export const PROVISIONING = {
  ednCnfgInfo: [
    {
      ednConInfo: { dnn: 'edge' },
      eess: [{ eesId: 'ees-1', endPt: { fqdn: 'ees1.example.com' }, easIds: ['eas-1'], eecRegConf: true }],
    },
  ],
}

export const TOKENS = { access_token: 'a.token.of-the-ecs', token_type: 'DPoP', expires_in: 600 }

const METADATA = '/.well-known/oauth-authorization-server'
/** The one route of the listener with a certificate that an EEC comes to without a token. */
const AUTHENTICATION = '/eecs-authentication/v1/requests'

/** An ECS made of Node's own parts: a listener with a certificate, and one that takes keys and nothing else (THREATS R1). */
export async function anEcs(options: EcsOptions = {}) {
  const { fqdn: name = ECS, keyProfile = 'bound', expiresAt = new Date(Date.now() + 60_000).toISOString() } = options
  const domain = await aDomain({ rootCurve: 'P-256' })
  const root = writePem('CERTIFICATE', domain.root.certificate.der)
  const { credential } = await certified(domain.issuers.ecs, { role: 'ecs', fqdn: name })
  const keys = new Map<string, KeyObject>()
  const offered: string[] = []
  const failures: string[] = []
  const received: Received[] = []

  const psk = http2.createSecureServer({
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
    ecdhCurve: 'X25519:P-256:P-384',
    secureOptions: constants.SSL_OP_NO_TICKET,
    pskCallback: (socket: TLSSocket, identity: string) => {
      offered.push(identity)
      Object.assign(socket, { offeredIdentity: identity })
      return keys.get(identity)?.export() ?? null
    },
    ...options.pskTls,
  } as SecureServerOptions)
  const server = http2.createSecureServer({ cert: credential.certificateChain, key: credential.privateKey })
  const ports = { server: await listen(server), psk: await listen(psk) }
  const apiRoot = `https://${name}:${ports.server}`
  const pskEndpoint = options.pskEndpoint ?? `https://${name}:${ports.psk}`
  const provisioning = 'provisioning' in options ? options.provisioning : PROVISIONING

  const { tokens = TOKENS } = options
  const offer = 'offer' in options ? options.offer : ['TLS_KEDGE', 'ENTITLEMENT_TOKEN']
  const repeat = (chosen: string) => {
    const offered = options.repeated === undefined ? offer : options.repeated
    return offered === null
      ? {}
      : { 'edge-auth-methods': `offered="${[offered].flat().join(' ')}"; chosen="${chosen}"` }
  }
  const provisioned = provisioning === undefined ? { status: 204 } : { status: 200, body: provisioning }
  const authenticated = async (asked: Asked, method: string) => {
    const answer = asked.path === '/oauth2/token' ? { status: 200, body: tokens } : provisioned
    const { headers, ...changed } = (await options.change?.(asked)) ?? { ...answer, headers: {} }
    return { ...changed, headers: { ...headers, ...repeat(method) } }
  }
  const metadata = {
    issuer: apiRoot,
    edge_eec_authentication_methods_supported: offer,
    edge_eec_certificate_root: apiRoot,
  }
  const invited = options.answer ?? { status: 201, body: { pskEndpoint, keyProfile, expiresAt } }
  serve(server, received, async (asked) => {
    if (asked.path === METADATA) return { status: 200, body: { ...metadata, ...options.metadata } }
    const isEntitled = asked.authorization !== undefined || String(asked.body).includes('assertion=')
    const method = isEntitled ? 'ENTITLEMENT_TOKEN' : 'TLS_CLIENT_SERVER_CERTIFICATE'
    return asked.path === AUTHENTICATION ? invited : authenticated(asked, method)
  })
  serve(psk, received, (asked) =>
    authenticated(asked, asked.identity?.startsWith('3GPP-AKMA') ? 'TLS_AKMA' : 'TLS_KEDGE'),
  )
  for (const listener of [server, psk]) {
    listener.on('tlsClientError', (error) => failures.push('code' in error ? String(error.code) : error.message))
  }
  const sockets = new Set<Socket>()
  for (const listener of [server, psk]) listener.on('connection', (socket: Socket) => sockets.add(socket))
  return {
    fqdn: name,
    root,
    credential,
    domain,
    apiRoot,
    pskEndpoint,
    resolve: new Map([[name as string, '127.0.0.1']]),
    /** by PSK identity, as the AUSF gave them */
    keys,
    offered,
    failures,
    received,
    dropConnections() {
      for (const socket of sockets) socket.destroy()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      psk.close()
    },
  }
}

export type AnEcs = Awaited<ReturnType<typeof anEcs>>

/** Its connection, with what the callback of the PSK left on it. */
type ServerSocket = TLSSocket & { readonly servername?: string | false; readonly offeredIdentity?: string }

/** Remembers every message but the questions for metadata. */
function serve(server: Http2SecureServer, received: Received[], answer: (asked: Asked) => Promise<Answer>): void {
  server.on('request', async (request, response) => {
    let text = ''
    request.setEncoding('utf8')
    for await (const part of request as AsyncIterable<string>) text += part
    const socket = request.stream.session?.socket as ServerSocket | undefined
    const { servername = false, offeredIdentity: identity } = socket ?? {}
    const { authorization, dpop, 'content-type': contentType = '' } = request.headers
    const message = {
      path: request.url,
      body: contentType.endsWith('json') ? JSON.parse(text) : text,
      serverName: servername,
      ...(identity && { identity }),
      ...(authorization !== undefined && { authorization }),
      ...(typeof dpop === 'string' && { dpop }),
    }
    if (request.url !== METADATA) received.push(message)
    const uri = `https://${request.authority}${request.url}`
    const { status, body, headers } = await answer({ ...message, method: request.method, uri })
    const mediaType = status < 400 ? 'application/json' : 'application/problem+json'
    response.writeHead(status, { ...headers, ...(body && { 'content-type': mediaType }) })
    response.end(body === undefined ? '' : JSON.stringify(body))
  })
}

export async function listen(server: {
  listen(port: number, host: string, done: () => void): unknown
  address(): unknown
}) {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

/** A server certificate for a name, under an authority of its own or a given one. */
export async function aCredential(name: Fqdn, domain: Awaited<ReturnType<typeof aDomain>>): Promise<ServerCredential> {
  return (await certified(domain.issuers.ecs, { role: 'ecs', fqdn: name })).credential
}
