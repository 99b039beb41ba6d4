import { ok, type Route, routesOf } from '../../http/route.ts'
import { hexOf } from '../../keys/key.ts'
import { NAUSF_UE_AUTHENTICATION } from '../../spec/core-operations.ts'
import { KedgeRequest, type KedgeResponse } from '../../spec/messages/kedge-request.ts'
import { type DeliveredKey, type KeyRequestPorts, keyRequest } from '../edge-key/key-request.ts'
import type { AusfPeers } from '../peers.ts'

const route = routesOf<AusfPeers>()

/** Nausf_UEAuthentication_keyrequest (D-21). */
export function keyRequestRoute(ausf: KeyRequestPorts): Route<AusfPeers> {
  return route({
    operation: NAUSF_UE_AUTHENTICATION.KeyRequest,
    credential: 'edgeKey',
    content: { mediaType: 'application/json', schema: KedgeRequest, limit: 4_096 },
    handle: async ({ peer, body }) => ok(toAnswer(await keyRequest(ausf, peer, body))),
  })
}

function toAnswer({ kedgeId, keyScope, until, kedge, kedgeJwe }: DeliveredKey): KedgeResponse {
  const answer = { kedgeId, keyScope, expiry: new Date(until).toISOString() }
  if (kedge === undefined) return { ...answer, kedgeJwe }
  return { ...answer, kedge: hexOf(kedge) }
}
