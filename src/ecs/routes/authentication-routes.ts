import { type Route, routesOf } from '../../http/route.ts'
import { sourceOf } from '../../nf/source.ts'
import { EecAuthenticationRequest } from '../../spec/messages/eec-authentication.ts'
import type { Operation } from '../../spec/operation.ts'
import { authenticateByPsk, type PskAuthenticationPorts } from '../authentication/by-psk.ts'
import type { EcsPeers } from '../peers.ts'

const route = routesOf<EcsPeers>()

export const AUTHENTICATION_REQUEST: Operation = {
  id: 'RequestEecAuthentication',
  api: 'eecs-authentication',
  method: 'POST',
  path: '/eecs-authentication/v1/requests',
  clause: 'TR 33.839 6.x.2 step 4',
}

/**
 * On the `server` listener, open to anybody: the message before the handshake that authenticates. It proves nothing, and
 * its answer tells nothing but where to prove it (D-23).
 */
export function authenticationRoute(ecs: PskAuthenticationPorts): Route<EcsPeers> {
  return route({
    operation: AUTHENTICATION_REQUEST,
    credential: 'public',
    content: { mediaType: 'application/json', schema: EecAuthenticationRequest, limit: 1_024 },
    async handle({ body, socket }) {
      return { status: 201, body: await authenticateByPsk(ecs, body, sourceOf(socket.remoteAddress)) }
    },
  })
}
