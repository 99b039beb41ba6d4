import { connect, type TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { type TSchema, Type } from 'typebox'
import { openPeer, type Peer, type PeerLimits } from '../../src/http/client.ts'
import { createListener, type ListenerOptions } from '../../src/http/listener.ts'
import { created, noContent, ok, type Route, type RouteRequest, routesOf } from '../../src/http/route.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { clientTls } from '../../src/tls/client.ts'
import { serverTls } from '../../src/tls/profile.ts'
import { type Credentials, NAME, someCredentials } from './credentials.ts'

export const TOKEN = 'Bearer honest'
export const NOTE = { text: 'hello', tags: ['a'], place: { name: 'x' } }

export interface Peers {
  readonly public: undefined
  readonly token: { readonly token: string }
}

/** The same octets in every answer: whoever asks for many and reads none costs the test no memory of its own. */
const LARGE = Buffer.alloc(1_000_000, 'x')

type Method = Route<Peers>['operation']['method']

const route = routesOf<Peers>()
const operation = (method: Method, path: string) =>
  ({ id: `${method} ${path}`, api: 'notes', method, path, clause: 'none' }) as const

const Note = Type.Object({
  text: Type.String({ maxLength: 60_000 }),
  tags: Type.Optional(Type.Array(Type.String(), { maxItems: 1_000 })),
  place: Type.Optional(Type.Object({ name: Type.String() })),
})

/** What the handlers of a test were called with. */
export interface Handled {
  readonly operation: string
  readonly request: Omit<RouteRequest<unknown, unknown>, 'socket'>
}

/** The routes of the tests: one with a credential, one of each kind of content, and some that behave badly. */
export function someRoutes(handled: Handled[]): Route<Peers>[] {
  const record = (id: string, { socket: _, ...request }: RouteRequest<unknown, unknown>) =>
    handled.push({ operation: id, request })
  const taking = (method: Method, path: string, mediaType: 'json' | 'form' | 'patch' | 'pkcs10', schema: TSchema) => {
    const mediaTypes = {
      json: 'application/json',
      form: 'application/x-www-form-urlencoded',
      patch: 'application/merge-patch+json',
      pkcs10: 'application/pkcs10',
    } as const
    const of = operation(method, path)
    return route({
      operation: of,
      credential: 'public',
      content: { mediaType: mediaTypes[mediaType], schema },
      ...(mediaType === 'form' && { refusals: 'oauth' as const }),
      async handle(request) {
        record(of.id, request)
        return ok({ took: request.body as object | string })
      },
    })
  }
  return [
    route({
      operation: operation('POST', '/notes/v1/notes'),
      credential: 'token',
      content: { mediaType: 'application/json', schema: Note },
      async handle(request) {
        record('POST', request)
        return created(`${request.path}/1`, request.body)
      },
    }),
    route({
      operation: operation('GET', '/notes/v1/notes/{noteId}'),
      credential: 'public',
      async handle(request) {
        record('GET', request)
        return ok({ id: request.params['noteId'] ?? '', query: request.query })
      },
    }),
    route({
      operation: operation('DELETE', '/notes/v1/notes/{noteId}'),
      credential: 'token',
      async handle(request) {
        record('DELETE', request)
        return noContent()
      },
    }),
    taking('PUT', '/notes/v1/notes/{noteId}', 'json', Type.Unknown()),
    taking('PATCH', '/notes/v1/notes/{noteId}', 'patch', Type.Unknown()),
    taking('POST', '/token', 'form', Type.Record(Type.String(), Type.String())),
    taking('POST', '/csr', 'pkcs10', Type.String()),
    route({
      operation: operation('GET', '/large'),
      credential: 'public',
      handle: async () => ok(LARGE, { 'content-type': 'text/plain' }),
    }),
    route({
      operation: operation('GET', '/never'),
      credential: 'public',
      handle: () => new Promise(() => {}),
    }),
    route({
      operation: operation('GET', '/fault'),
      credential: 'public',
      handle: async () => {
        throw new Error('canary-of-the-inside')
      },
    }),
  ]
}

interface Change extends Partial<ListenerOptions<Peers>> {
  readonly credentials?: Credentials
}

export type Running = Awaited<ReturnType<typeof runListener>>

/** A listener on loopback with certificates of its own. */
export async function runListener({ credentials, ...change }: Change = {}) {
  const shown = credentials ?? (await someCredentials())
  const handled: Handled[] = []
  const lines: string[] = []
  const listener = createListener<Peers>({
    name: 'test',
    tls: serverTls(shown.server),
    routes: someRoutes(handled),
    authenticators: {
      public: async () => undefined,
      async token({ headers }) {
        if (headers.authorization === TOKEN) return { token: TOKEN }
        throw new Refusal('CREDENTIAL_MISSING', 'a bearer token is required')
      },
    },
    hosts: [NAME],
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
    ...change,
  })
  const port = await listener.listen('127.0.0.1', 0)
  const origin = `https://${NAME}:${port}`
  const resolve = new Map([[NAME, '127.0.0.1']])
  return {
    listener,
    port,
    origin,
    credentials: shown,
    /** in order */
    handled,
    /** of the log */
    lines,
    peer: (limits?: PeerLimits): Peer => openPeer(origin, clientTls([shown.rootPem]), resolve, undefined, limits),
    /** A TLS connection on which the test speaks for itself. */
    socket: (alpn: 'h2' | 'http/1.1' = 'http/1.1'): Promise<TLSSocket> =>
      new Promise((done, fail) => {
        const socket = connect({
          ...clientTls([shown.rootPem]),
          host: '127.0.0.1',
          port,
          servername: NAME,
          ALPNProtocols: [alpn],
        })
        socket.once('error', fail).once('secureConnect', () => done(socket))
      }),
    close: () => listener.close(),
  }
}
