import type { TLSSocket } from 'node:tls'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import {
  ambiguityOf,
  refuseForeignContent,
  refuseForeignHost,
  refuseForeignParameters,
  refuseInvalidContent,
} from './admission.ts'
import { pathOf, type Reply, type Request, sendAnswer, socketOf } from './answer.ts'
import { parseQuery } from './content.ts'
import type { App } from './listener.ts'
import { boundPipelines } from './pipelining.ts'
import type { Authenticators, Route, Schemes } from './route.ts'

/** Octets of content, unless the route states another limit. */
export const CONTENT_LIMIT = 65_536

/**
 * What is refused whatever the route. The checks run before Node parses on, so nothing behind such a request is served.
 */
export function refuseBeforeRouting(app: App, hosts: readonly string[]): void {
  const condemned = new WeakSet<TLSSocket>()
  const refuseLongPipeline = boundPipelines()
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    refuseLongPipeline(request, reply)
    const socket = socketOf(request)
    const ambiguity = ambiguityOf(request)
    if (ambiguity !== undefined && request.raw.stream === undefined) condemned.add(socket)
    if (condemned.has(socket)) reply.header('connection', 'close')
    refuseUnless(ambiguity === undefined, 'INVALID_MSG_FORMAT', ambiguity ?? '')
    refuseUnless(!condemned.has(socket), 'INVALID_MSG_FORMAT', 'a request before this one was not well formed')
    refuseForeignHost(request, hosts)
    if (request.is404) throw notFound()
  })
  app.setNotFoundHandler(() => {
    throw notFound()
  })
}

const notFound = () => new Refusal('RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this listener has no such resource')

/** `{registrationId}` of OpenAPI is `:registrationId` of the router. */
const routerPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1')

interface Checks<Peers> {
  readonly name: string
  readonly authenticators: Authenticators<Peers>
  readonly schemes?: Schemes<Peers>
}

/** What is known of a request before its content is read. */
interface Admitted<Peer> {
  readonly peer: Peer
  readonly query: Readonly<Record<string, string>>
  /** kept, because a connection that has gone meanwhile has none */
  readonly socket: TLSSocket
}

/** @throws Error if the route declares a credential that no authenticator checks: such a server does not start */
export function addRoute<Peers>(app: App, route: Route<Peers>, { name, authenticators, schemes }: Checks<Peers>): void {
  const { operation, credential, content, refusals = 'problem' } = route
  const authenticate = Object.hasOwn(authenticators, credential) ? authenticators[credential] : undefined
  if (typeof authenticate !== 'function')
    throw new Error(`${name}: ${operation.id} declares no credential that can be checked`)
  const admitted = new WeakMap<Request, Admitted<Peers[keyof Peers]>>()
  app.route({
    method: operation.method,
    url: routerPath(operation.path),
    config: { operation: operation.id, refusals, schemes: schemes?.[credential] },
    bodyLimit: content?.limit ?? CONTENT_LIMIT,
    onRequest: async (request) => {
      const { headers } = request
      refuseForeignParameters(request.params as Record<string, string>)
      const { query } = request.query as { query: string }
      const socket = socketOf(request)
      const peer = await authenticate({ headers, socket, operation, path: pathOf(request) })
      admitted.set(request, { peer, query: parseQuery(query), socket })
    },
    preParsing: async (request, _reply, payload) => {
      refuseForeignContent(request, content?.mediaType)
      return payload
    },
    handler: async (request, reply) => {
      if (content !== undefined) refuseInvalidContent(content.schema, request.body)
      const answer = await route.handle({
        ...(admitted.get(request) as Admitted<Peers[keyof Peers]>),
        body: request.body as never,
        params: request.params as Record<string, string>,
        headers: request.headers,
        path: pathOf(request),
      })
      return sendAnswer(reply, answer)
    },
  })
}

/** 405 with `Allow` where the path is known and the method is not (RFC 9110 15.5.6). */
export function refuseOtherMethods<Peers>(app: App, routes: readonly Route<Peers>[]): void {
  const allowed = new Map<string, string[]>()
  for (const { operation } of routes) {
    allowed.set(operation.path, [...(allowed.get(operation.path) ?? []), operation.method])
  }
  for (const [path, methods] of allowed) {
    const others = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const).filter(
      (m) => !methods.includes(m),
    )
    const refuse = async (_request: Request, reply: Reply) => {
      reply.header('allow', methods.join(', '))
      throw new Refusal('METHOD_NOT_ALLOWED', `this resource takes ${methods.join(', ')}`)
    }
    // Before the content is looked at; the handler is never reached.
    app.route({ method: others, url: routerPath(path), onRequest: refuse, handler: refuse })
  }
}
