import type { IncomingHttpHeaders } from 'node:http'
import type { PresentedRequest } from '../../eec-authentication/presented-token.ts'

interface Request {
  readonly headers: IncomingHttpHeaders
  readonly method?: string | undefined
  readonly url?: string | undefined
}

/** A request of node:http2 or fastify as a proof speaks about it (RFC 9449 4.2): method, and URI without query. */
export function eecRequest({ headers, method = '', url = '' }: Request): PresentedRequest {
  const authority = headers[':authority'] ?? headers.host ?? ''
  const [path = ''] = url.split('?', 1)
  return { headers, method, uri: `https://${String(authority)}${path}` }
}
