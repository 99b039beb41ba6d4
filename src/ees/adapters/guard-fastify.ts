import { Refusal } from '../../spec/refusal.ts'
import type { Caller } from '../guard/guard.ts'
import { refusalAnswer } from '../guard/refusal-answer.ts'
import type { EesGuard } from './open-guard.ts'
import { peerSocket, type RequestOnConnection } from './peer-socket.ts'

/** As much of FastifyRequest and FastifyReply as is used, whatever the server and its types are. */
interface Request {
  readonly raw: RequestOnConnection
  readonly headers: { readonly authorization?: string | undefined }
  readonly url: string
}
interface Reply {
  code(status: number): Reply
  headers(values: Readonly<Record<string, string>>): Reply
  send(body: string): Reply
}

const callers = new WeakMap<Request, Caller>()

/**
 * An `onRequest` hook: before a single octet of content is read, the caller is known or the request is refused.
 *
 * @param scope - names of the services that the route belongs to, separated by blanks
 */
export function guardFastify(guard: Pick<EesGuard, 'authorize'>, scope: string) {
  return async (request: Request, reply: Reply): Promise<unknown> => {
    try {
      callers.set(request, await guard.authorize(peerSocket(request.raw), request.headers.authorization, scope))
      return undefined
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { status, headers, body } = refusalAnswer(error, request.url)
      return reply.code(status).headers(headers).send(body)
    }
  }
}

/** @returns who calls, on a route that {@link guardFastify} guards */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error('the route of this request has no guard')
  return caller
}
