import type { Http2SecureServer, SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { fastify } from 'fastify'
import { Refusal } from '../spec/refusal.ts'
import { originForm } from './admission.ts'
import { type Explain, type Reply, type Request, sendRefusal, toRefusal, wasCutOff } from './answer.ts'
import {
  clientErrorHandler,
  HTTP2_BOUNDS,
  http1Bounds,
  limitControlFrames,
  MAX_CONNECTIONS,
  trackConnections,
} from './connections.ts'
import { parseFormContent, parseJsonContent, parseTextContent } from './content.ts'
import { DEADLINES, type Deadlines, limitRequests, limitSessions } from './deadlines.ts'
import type { Log } from './log.ts'
import { ANSWERED, type Answered } from './observation.ts'
import type { Authenticators, Route, Schemes } from './route.ts'
import { addRoute, CONTENT_LIMIT, refuseBeforeRouting, refuseOtherMethods } from './routing.ts'
import { compileByTurns } from './schema.ts'

export interface ListenerOptions<Peers> {
  readonly name: string
  /** the TLS profile and keys; client certificates are asked for here or nowhere */
  readonly tls: SecureServerOptions
  readonly routes: readonly Route<Peers>[]
  readonly authenticators: Authenticators<Peers>
  readonly schemes?: Schemes<Peers>
  /** the host names that requests may be addressed to */
  readonly hosts: readonly string[]
  /** looks at each new connection before it may carry a request; a connection that it throws for is destroyed */
  readonly admit?: (socket: TLSSocket) => void
  /** has the server before anybody else has, to stand before its handshakes */
  readonly prepare?: ((server: Http2SecureServer) => void) | undefined
  readonly explain?: Explain
  /** characters of one path parameter, 128 unless stated */
  readonly longestParameter?: number
  /** milliseconds; those that are left out are as in `DEADLINES` */
  readonly deadlines?: Partial<Deadlines>
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
  const deadlines = { ...DEADLINES, ...options.deadlines }
  const app = createApp(options, deadlines)
  options.prepare?.(app.server)
  refuseBeforeRouting(app, options.hosts)
  limitRequests(app.server, deadlines)
  limitSessions(app.server, deadlines)
  limitControlFrames(app.server)
  const { sockets, admitted } = trackConnections(app.server, options)
  const endConnections = endConnectionsByAnswer(app)
  for (const route of options.routes) addRoute(app, route, options)
  refuseOtherMethods(app, options.routes)
  return {
    async listen(host, port) {
      await app.listen({ host, port })
      compileByTurns(options.routes.flatMap(({ content }) => content?.schema ?? []))
      const address = app.server.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
    setSecureContext: (context) => app.server.setSecureContext(context),
    drop(which) {
      const chosen = [...admitted].filter(which)
      for (const socket of chosen) socket.destroy()
      return chosen.length
    },
    async close() {
      endConnections()
      const closed = app.close()
      const hurry = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, deadlines.close)
      await closed.finally(() => clearTimeout(hurry))
    },
  }
}

/** @returns what makes each answer from then on the last one of its HTTP/1.1 connection; HTTP/2 has GOAWAY for this */
function endConnectionsByAnswer(app: App): () => void {
  let ending = false
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (ending && request.raw.stream === undefined) reply.header('connection', 'close')
    done()
  })
  return () => {
    ending = true
  }
}

export type App = ReturnType<typeof createApp>

function createApp<Peers>(options: ListenerOptions<Peers>, deadlines: Deadlines) {
  const { name, tls, explain, log, longestParameter = 128 } = options
  const app = fastify({
    http2: true,
    https: { ...tls, ...HTTP2_BOUNDS, http1Options: http1Bounds(deadlines) },
    // The deadlines do it: this one would be reset by every PING.
    http2SessionTimeout: 0,
    bodyLimit: CONTENT_LIMIT,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    logger: false,
    // An exception here would end the process: the query is read where errors become answers.
    routerOptions: { maxParamLength: longestParameter, querystringParser: (query) => ({ query }) },
    rewriteUrl: ({ url = '' }) => originForm(url),
    frameworkErrors: (error, request, reply) => sendRefusal(request, reply, toRefusal(error, explain, log)),
    clientErrorHandler,
  })
  app.server.maxConnections = MAX_CONNECTIONS
  // Node's parser would leave out what is beyond: one field more than we take is seen, and refused.
  Object.assign(app.server, { maxHeadersCount: 128 })
  // An expectation that we do not know may be ignored (RFC 9110 10.1.1); Node would answer, and read the content.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.removeAllContentTypeParsers()
  for (const [mediaType, parse] of Object.entries(PARSERS)) {
    app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, async (request: Request, octets: Buffer) => {
      if (wasCutOff(request)) throw cutOff()
      return parse(octets)
    })
  }
  app.setErrorHandler((error: NodeJS.ErrnoException, request, reply) => {
    const left = error.code === 'ECONNRESET' && wasCutOff(request)
    return sendRefusal(request, reply, toRefusal(left ? cutOff() : error, explain, log))
  })
  app.addHook('onResponse', (request, reply, done) => {
    tellAnswered(request, reply, { name, log })
    done()
  })
  return app
}

/** A request ends too when its client leaves, or is cut off, before there is an answer. */
function tellAnswered(request: Request, reply: Reply, { name, log }: { readonly name: string; readonly log: Log }) {
  const { operation } = request.routeOptions.config
  const status = reply.sent ? reply.statusCode : undefined
  const seen = { listener: name, operation, ms: Math.round(reply.elapsedTime) }
  if (reply.sent) log.info({ ...seen, status }, 'answered')
  else log.info(seen, 'left without an answer')
  ANSWERED.publish({ listener: name, operation, status, seconds: reply.elapsedTime / 1_000 } satisfies Answered)
}

const cutOff = () => new Refusal('INVALID_MSG_FORMAT', 'the content ends before its end')

const PARSERS: Record<string, (octets: Buffer) => unknown> = {
  'application/json': parseJsonContent,
  'application/merge-patch+json': parseJsonContent,
  'application/x-www-form-urlencoded': parseFormContent,
  'application/pkcs10': parseTextContent,
  'application/vnd.gsma.eap-relay.v1.0+json': parseJsonContent,
}
