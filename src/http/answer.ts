import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import { type ApplicationError, errorRow } from '../spec/application-errors.ts'
import { Refusal } from '../spec/refusal.ts'
import type { Log } from './log.ts'
import { oauthStatus, type Scheme, toOauthError, toProblem, wwwAuthenticate } from './problem.ts'
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
    schemes?: readonly Scheme[] | undefined
  }
}

/** The connection itself: the same object for every request that it carries. */
export function socketOf(request: Request): TLSSocket {
  return (request.raw.stream?.session?.socket ?? request.raw.socket) as TLSSocket
}

/** The request target without its query. */
export function pathOf(request: Request): string {
  return request.url.split('?', 1)[0] ?? ''
}

/** An object goes as JSON; text and octets go as they are, with the content type that their headers name. */
export function sendAnswer(reply: Reply, { status, headers = {}, body }: Answer): Reply {
  reply.code(status).headers(headers)
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return reply.send(body)
  if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json')
  return reply.send(encode(body))
}

/** Problem details, or RFC 6749 5.2 where the route says so, with a challenge if one is due. */
export function sendRefusal(request: Request, reply: Reply, refusal: Refusal): Reply {
  const { authorization } = request.headers
  const { schemes, refusals } = request.routeOptions.config ?? {}
  const challenge = wwwAuthenticate(refusal, 'edgeward', { authorization, schemes })
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  reply.header('cache-control', 'no-store')
  stopReading(request, reply, refusal)
  const { status } = errorRow(refusal.code)
  if (status === 503 || status === 429) reply.header('retry-after', '1')
  if (refusals === 'oauth') {
    reply.code(oauthStatus(refusal)).header('content-type', 'application/json').header('pragma', 'no-cache')
    return reply.send(encode(toOauthError(refusal)))
  }
  const problem = toProblem(refusal, pathOf(request))
  return reply.code(problem.status).header('content-type', 'application/problem+json').send(encode(problem))
}

/** Octets, because the framework adds to the media type of text a charset that RFC 8259 11 does not define. */
function encode(body: object): Buffer {
  return Buffer.from(JSON.stringify(body))
}

/** Octets of refused content that are read and thrown away, so that the connection stays usable. */
const DISCARDED = 65_536

/** Of other content that is refused not one more octet is read once the answer is out (THREATS HT-04). */
function stopReading({ raw }: Request, reply: Reply, refusal: Refusal): void {
  if (raw.stream === undefined) {
    if (raw.complete || Number(raw.headers['content-length'] ?? Number.NaN) <= DISCARDED) return
    raw.pause()
    // The rest of the content would be read as the next request.
    reply.header('connection', 'close')
    reply.raw.once('finish', () => raw.socket.destroySoon())
    return
  }
  // The framework asks for the end of the connection; over HTTP/2 there is no such header (RFC 9113 8.2.2).
  reply.removeHeader('connection')
  // A stream of which nothing was read yet is ended by Node itself.
  if (refusal.code === 'CONTENT_TOO_LARGE') endStreamAfterAnswer(raw)
}

function endStreamAfterAnswer(raw: Request['raw']): void {
  raw.pause()
  raw.stream.once('finish', () => {
    raw.stream.close()
    // What had arrived by then is thrown away, so that the stream can end.
    raw.resume()
  })
}

/** Whether the client left before its content was complete. To Node a stream that was cut off has come to its end. */
export function wasCutOff({ raw }: Request): boolean {
  return raw.stream === undefined ? !raw.complete : raw.stream.aborted
}

const FRAMEWORK_REFUSALS: Record<string, [ApplicationError, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['CONTENT_TOO_LARGE', 'the content is longer than this operation takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'the media type of the content is not taken here'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_MSG_FORMAT', 'the content is not as long as announced'],
  FST_ERR_BAD_URL: ['INVALID_MSG_FORMAT', 'the path is not well formed'],
  FST_ERR_NOT_FOUND: ['RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this listener has no such resource'],
  FST_ERR_MAX_PARAM_LENGTH: ['RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this listener has no such resource'],
}

/**
 * The one boundary where errors become answers: what is not a refusal is ours, and says nothing (THREATS HT-10, HT-12).
 */
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
