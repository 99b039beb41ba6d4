import type { IncomingHttpHeaders } from 'node:http'
import type { EecIdentity } from '../../eec-authentication/eec-identity.ts'
import type { Scheme } from '../../http/problem.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { Caller } from '../guard/guard.ts'
import { refusalAnswer } from '../guard/refusal-answer.ts'
import { eecRequest } from './eec-request.ts'
import type { EecGuard } from './open-eec-guard.ts'
import type { EesGuard } from './open-guard.ts'
import { peerSocket, type RequestOnConnection } from './peer-socket.ts'

/** As much of FastifyRequest and FastifyReply as is used, whatever the server and its types are. */
interface Request {
  readonly raw: RequestOnConnection
  readonly headers: IncomingHttpHeaders
  readonly method: string
  readonly url: string
}
interface Reply {
  code(status: number): Reply
  headers(values: Readonly<Record<string, string>>): Reply
  send(body: string): Reply
}

const callers = new WeakMap<Request, Caller>()
const eecs = new WeakMap<Request, EecIdentity>()

/**
 * An `onRequest` hook: before a single octet of content is read, the caller is known or the request is refused.
 *
 * @param scope - names of the services that the route belongs to, separated by blanks
 */
export function guardFastify(guard: Pick<EesGuard, 'authorize'>, scope: string) {
  return refusing(async (request) => {
    callers.set(request, await guard.authorize(peerSocket(request.raw), request.headers.authorization, scope))
  })
}

/** @returns who calls, on a route that {@link guardFastify} guards */
export function callerOf(request: Request): Caller {
  return requireGuarded(callers.get(request))
}

/**
 * As {@link guardFastify}, on a route for EECs (EDGE-1): those have no certificates, but tokens that are bound to a key.
 *
 * @param scope - names of the services that the route belongs to, separated by blanks
 */
export function guardEecFastify(guard: Pick<EecGuard, 'authorizeEec' | 'schemes'>, scope: string) {
  return refusing(async (request) => {
    eecs.set(request, await guard.authorizeEec(eecRequest(request), scope))
  }, guard.schemes)
}

/** @returns which EEC calls, on a route that {@link guardEecFastify} guards */
export function eecOf(request: Request): EecIdentity {
  return requireGuarded(eecs.get(request))
}

function refusing(authorize: (request: Request) => Promise<void>, schemes?: readonly Scheme[]) {
  return async (request: Request, reply: Reply): Promise<unknown> => {
    try {
      await authorize(request)
      return undefined
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { authorization } = request.headers
      const { status, headers, body } = refusalAnswer(error, request.url, { authorization, schemes })
      return reply.code(status).headers(headers).send(body)
    }
  }
}

function requireGuarded<Peer>(peer: Peer | undefined): Peer {
  if (peer === undefined) throw new Error('the route of this request has no guard')
  return peer
}
