import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { EecIdentity } from '../../eec-authentication/eec-identity.ts'
import type { Scheme } from '../../http/problem.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { Caller } from '../guard/guard.ts'
import { refusalAnswer } from '../guard/refusal-answer.ts'
import { eecRequest } from './eec-request.ts'
import type { EecGuard } from './open-eec-guard.ts'
import type { EesGuard } from './open-guard.ts'
import { peerSocket } from './peer-socket.ts'

type Listener<Rest extends readonly unknown[]> = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  ...rest: Rest
) => unknown

/**
 * A request listener of node:http2 that lets nobody through whom the guard does not know.
 *
 * @param scope - names of the services that the operation belongs to, separated by blanks
 */
export function guardHttp2(
  guard: Pick<EesGuard, 'authorize'>,
  scope: string,
  listener: Listener<[caller: Caller]>,
): Listener<[]> {
  return refusing((request) => guard.authorize(peerSocket(request), request.headers.authorization, scope), listener)
}

/**
 * As {@link guardHttp2}, for EECs (EDGE-1): those have no certificates, but tokens that are bound to a key.
 *
 * @param scope - names of the services that the operation belongs to, separated by blanks
 */
export function guardEecHttp2(
  guard: Pick<EecGuard, 'authorizeEec' | 'schemes'>,
  scope: string,
  listener: Listener<[eec: EecIdentity]>,
): Listener<[]> {
  return refusing((request) => guard.authorizeEec(eecRequest(request), scope), listener, guard.schemes)
}

function refusing<Peer>(
  authorize: (request: Http2ServerRequest) => Promise<Peer>,
  listener: Listener<[peer: Peer]>,
  schemes?: readonly Scheme[],
): Listener<[]> {
  return async (request, response) => {
    let peer: Peer
    try {
      peer = await authorize(request)
    } catch (error) {
      return refuse(error, { request, response, schemes })
    }
    return listener(request, response, peer)
  }
}

interface Refused {
  readonly request: Http2ServerRequest
  readonly response: Http2ServerResponse
  readonly schemes: readonly Scheme[] | undefined
}

/** What is no refusal is our own fault, and says nothing (THREATS HT-10, HT-12). */
function refuse(error: unknown, { request, response, schemes }: Refused): void {
  const { authorization } = request.headers
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal('SYSTEM_FAILURE', 'the request could not be served', { cause: error })
  const { status, headers, body } = refusalAnswer(refusal, request.url, { authorization, schemes })
  request.resume()
  response.writeHead(status, headers).end(body)
}
