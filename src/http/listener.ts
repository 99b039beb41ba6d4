import type { SecureServerOptions, ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { fastify } from 'fastify'
import { Refusal } from '../spec/refusal.ts'
import { refuseForeignContent, refuseForeignHost, refuseInvalidContent } from './admission.ts'
import { type Explain, pathOf, type Request, sendAnswer, sendRefusal, socketOf, toRefusal } from './answer.ts'
import { parseFormContent, parseJsonContent, parseParameters, parseTextContent } from './content.ts'
import type { Log } from './log.ts'
import type { Authenticators, Route } from './route.ts'

const CONTENT_LIMIT = 65_536
const GRACE = 2_000

/** Bounds on what one connection may hold open or ask for (THREATS HT-01, HT-02; RFC 9113 10.5). */
const HTTP2_BOUNDS = {
  allowHTTP1: true,
  settings: { maxConcurrentStreams: 100, maxHeaderListSize: 32_768, enablePush: false },
  maxSessionMemory: 4,
  maxHeaderListPairs: 64,
  maxOutstandingPings: 4,
  maxSettings: 8,
  maxSessionInvalidFrames: 8,
  maxSessionRejectedStreams: 32,
  streamResetBurst: 200,
  streamResetRate: 20,
  unknownProtocolTimeout: 5_000,
} satisfies SecureServerOptions

export interface ListenerOptions<Peers> {
  readonly name: string
  /** the TLS profile and keys; client certificates are asked for here or nowhere */
  readonly tls: SecureServerOptions
  readonly routes: readonly Route<Peers>[]
  readonly authenticators: Authenticators<Peers>
  /** the host names that requests may be addressed to */
  readonly hosts: readonly string[]
  /** looks at each new connection before it may carry a request; a connection that it throws for is destroyed */
  readonly admit?: (socket: TLSSocket) => void
  readonly explain?: Explain
  /** characters of one path parameter, 128 unless stated */
  readonly longestParameter?: number
  readonly log: Log
}

/** One port with one kind of credential. */
export interface Listener {
  /** @returns the port that is listened on */
  listen(host: string, port: number): Promise<number>
  setSecureContext(context: SecureServerOptions): void
  /** Closes the connections that the predicate picks, at once. @returns how many */
  drop(which: (socket: TLSSocket) => boolean): number
  /** Answers what is under way, then closes. */
  close(): Promise<void>
}

/** @throws Error if a route declares a credential that no authenticator checks: such a server does not start */
export function createListener<Peers>(options: ListenerOptions<Peers>): Listener {
  const app = createApp(options)
  const sockets = trackConnections(app.server, options)
  for (const route of options.routes) addRoute(app, route, options)
  refuseOtherMethods(app, options.routes)
  return {
    async listen(host, port) {
      await app.listen({ host, port })
      const address = app.server.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
    setSecureContext: (context) => app.server.setSecureContext(context),
    drop(which) {
      const chosen = [...sockets].filter(which)
      for (const socket of chosen) socket.destroy()
      return chosen.length
    },
    async close() {
      const closed = app.close()
      const hurry = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, GRACE)
      await closed.finally(() => clearTimeout(hurry))
    },
  }
}

type App = ReturnType<typeof createApp>

function createApp<Peers>({ name, tls, explain, hosts, log, longestParameter = 128 }: ListenerOptions<Peers>) {
  const app = fastify({
    http2: true,
    https: { ...tls, ...HTTP2_BOUNDS },
    http2SessionTimeout: 60_000,
    bodyLimit: CONTENT_LIMIT,
    exposeHeadRoutes: false,
    logger: false,
    routerOptions: { maxParamLength: longestParameter, querystringParser: parseParameters },
    frameworkErrors: (error, request, reply) => sendRefusal(request, reply, toRefusal(error, explain, log)),
    clientErrorHandler: (_error, socket) => {
      // What is not HTTP gets one answer and no second chance (THREATS HT-03).
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      socket.destroySoon()
    },
  })
  Object.assign(app.server, {
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 60_000,
    maxHeadersCount: 64,
  })
  app.removeAllContentTypeParsers()
  for (const [mediaType, parse] of Object.entries(PARSERS)) {
    app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, async (_request: Request, octets: Buffer) =>
      parse(octets),
    )
  }
  app.setErrorHandler((error, request, reply) => sendRefusal(request, reply, toRefusal(error, explain, log)))
  app.setNotFoundHandler((request, reply) =>
    sendRefusal(request, reply, new Refusal('RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this listener has no such resource')),
  )
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    refuseForeignHost(request, hosts)
    request.raw.stream?.setTimeout?.(10_000, () => request.raw.stream?.close())
  })
  app.addHook('onResponse', async (request, reply) => {
    const operation = request.routeOptions.config.operation
    log.info({ listener: name, operation, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered')
  })
  return app
}

const PARSERS: Record<string, (octets: Buffer) => unknown> = {
  'application/json': parseJsonContent,
  'application/merge-patch+json': parseJsonContent,
  'application/x-www-form-urlencoded': parseFormContent,
  'application/pkcs10': parseTextContent,
}

/** `{registrationId}` of OpenAPI is `:registrationId` of the router. */
const routerPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1')

function addRoute<Peers>(app: App, route: Route<Peers>, { name, authenticators }: ListenerOptions<Peers>): void {
  const { operation, credential, content, refusals = 'problem' } = route
  const authenticate = authenticators[credential]
  if (typeof authenticate !== 'function')
    throw new Error(`${name}: ${operation.id} declares no credential that can be checked`)
  const evidence = new WeakMap<Request, Peers[keyof Peers]>()
  app.route({
    method: operation.method,
    url: routerPath(operation.path),
    config: { operation: operation.id, refusals },
    bodyLimit: content?.limit ?? CONTENT_LIMIT,
    onRequest: async (request) => {
      const { headers } = request
      evidence.set(request, await authenticate({ headers, socket: socketOf(request), operation }))
    },
    preParsing: async (request, _reply, payload) => {
      refuseForeignContent(request, content?.mediaType)
      return payload
    },
    handler: async (request, reply) => {
      if (content !== undefined) refuseInvalidContent(content.schema, request.body)
      const answer = await route.handle({
        peer: evidence.get(request) as Peers[keyof Peers],
        body: request.body as never,
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string>,
        headers: request.headers,
        path: pathOf(request),
        socket: socketOf(request),
      })
      return sendAnswer(reply, answer)
    },
  })
}

/** 405 with `Allow` where the path is known and the method is not (RFC 9110 15.5.6). */
function refuseOtherMethods<Peers>(app: App, routes: readonly Route<Peers>[]): void {
  const allowed = new Map<string, string[]>()
  for (const { operation } of routes) {
    allowed.set(operation.path, [...(allowed.get(operation.path) ?? []), operation.method])
  }
  for (const [path, methods] of allowed) {
    const others = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const).filter(
      (m) => !methods.includes(m),
    )
    app.route({
      method: others,
      url: routerPath(path),
      handler: async (request, reply) => {
        reply.header('allow', methods.join(', '))
        return sendRefusal(
          request,
          reply,
          new Refusal('METHOD_NOT_ALLOWED', `this resource takes ${methods.join(', ')}`),
        )
      },
    })
  }
}

/** Knows every connection that is open, so that a revoked one can be closed (THREATS CA-06). */
function trackConnections<Peers>(server: App['server'], { name, admit, log }: ListenerOptions<Peers>): Set<TLSSocket> {
  const sockets = new Set<TLSSocket>()
  server.prependListener('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    try {
      admit?.(socket)
    } catch (error) {
      log.warn({ reason: error instanceof Refusal ? error.code : 'unexpected' }, 'connection not admitted')
      socket.destroy()
    }
  })
  server.on('tlsClientError', (error, socket) => {
    log.info({ listener: name, reason: 'code' in error ? error.code : error.message }, 'handshake failed')
    socket.destroy()
  })
  server.on('sessionError', (_error, session: ServerHttp2Session) => session.destroy())
  return sockets
}
