import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import type { ApplicationError } from '../spec/application-errors.ts'
import { Refusal } from '../spec/refusal.ts'
import type { Log } from './log.ts'
import { oauthStatus, toOauthError, toProblem, wwwAuthenticate } from './problem.ts'
import type { Answer } from './route.ts'

/** As HTTP/2 gives them; over HTTP/1.1 `raw.stream` is undefined. */
export type Request = FastifyRequest<RouteGenericInterface, Http2SecureServer, Http2ServerRequest>
export type Reply = FastifyReply<RouteGenericInterface, Http2SecureServer, Http2ServerRequest, Http2ServerResponse>

/** Turns an error of the entity's own adapters (a store that cannot write, say) into a refusal. */
export type Explain = (error: unknown) => Refusal | undefined

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: string
    refusals?: 'problem' | 'oauth'
  }
}

/** The connection itself: the same object for every request that it carries. */
export function socketOf(request: Request): TLSSocket {
  return (request.raw.stream?.session?.socket ?? request.raw.socket) as TLSSocket
}

export function pathOf(request: Request): string {
  return request.url.split('?', 1)[0] ?? ''
}

export function sendAnswer(reply: Reply, { status, headers = {}, body }: Answer): Reply {
  reply.code(status).headers(headers)
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return reply.send(body)
  if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json')
  return reply.send(JSON.stringify(body))
}

export function sendRefusal(request: Request, reply: Reply, refusal: Refusal): Reply {
  const challenge = wwwAuthenticate(refusal, 'edgeward')
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  // The framework asks for the end of the connection; over HTTP/2 there is no such header (RFC 9113 8.2.2).
  if (request.raw.stream !== undefined) reply.removeHeader('connection')
  if (refusal.code === 'CONTENT_TOO_LARGE') stopReading(request, reply)
  if (request.routeOptions.config?.refusals === 'oauth') {
    reply.code(oauthStatus(refusal)).header('content-type', 'application/json').header('pragma', 'no-cache')
    return reply.send(JSON.stringify(toOauthError(refusal)))
  }
  const problem = toProblem(refusal, pathOf(request))
  if (problem.status === 503 || problem.status === 429) reply.header('retry-after', '1')
  return reply.code(problem.status).header('content-type', 'application/problem+json').send(JSON.stringify(problem))
}

/** After the answer to a content that is too large, not one more octet of it is read (THREATS HT-04). */
function stopReading(request: Request, reply: Reply): void {
  const { raw } = request
  raw.pause()
  if (raw.stream === undefined) {
    reply.header('connection', 'close').raw.once('finish', () => raw.socket.destroySoon())
    return
  }
  raw.stream.once('finish', () => {
    raw.stream.close()
    // What had arrived by then is thrown away, so that the stream can end.
    raw.resume()
  })
}

const FRAMEWORK_REFUSALS: Record<string, [ApplicationError, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['CONTENT_TOO_LARGE', 'the content is longer than this operation takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'the media type of the content is not taken here'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_MSG_FORMAT', 'the content is not as long as announced'],
  FST_ERR_BAD_URL: ['INVALID_MSG_FORMAT', 'the path is not well formed'],
  FST_ERR_MAX_PARAM_LENGTH: ['RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this listener has no such resource'],
}

/** The one boundary where errors become answers: what is not a refusal is ours, and says nothing (THREATS HT-10, HT-12). */
export function toRefusal(error: unknown, explain: Explain | undefined, log: Log): Refusal {
  if (error instanceof Refusal) {
    if (error.cause !== undefined) log.debug({ cause: String(error.cause), code: error.code }, 'refused')
    return error
  }
  const explained = explain?.(error)
  if (explained !== undefined) return explained
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [known, detail] = FRAMEWORK_REFUSALS[code] ?? []
  if (known !== undefined && detail !== undefined) return new Refusal(known, detail)
  log.error({ err: error }, 'unexpected error')
  return new Refusal('SYSTEM_FAILURE', 'the request could not be served')
}
