import { ok, type Route, routesOf } from '../../http/route.ts'
import { EDGE_KEY_RETRIEVAL } from '../../spec/core-operations.ts'
import { EdgeKeyRequest } from '../../spec/messages/edge-key-retrieval.ts'
import { namesAnother } from '../edge-key/other-names.ts'
import { type RetrievalPorts, retrieveEdgeKey } from '../edge-key/retrieve-edge-key.ts'
import type { NefPeers } from '../peers.ts'

const route = routesOf<NefPeers>()

export interface EdgeKeyRoutePorts extends RetrievalPorts {
  /** whether an ECS of this name is on the list */
  isListed(name: string): boolean
}

/** `3gpp-edge-key` (D-24). */
export function edgeKeyRoute(nef: EdgeKeyRoutePorts): Route<NefPeers> {
  return route({
    operation: EDGE_KEY_RETRIEVAL,
    credential: 'ecs',
    content: { mediaType: 'application/json', schema: EdgeKeyRequest, limit: 4_096 },
    async handle({ peer, headers, body }) {
      // Members and fields that we do not know are not looked at for more than this.
      const { kedgeId: _kedgeId, eecId: _eecId, ...rest } = body
      const said = [...Object.values(headers), ...Object.values(rest)]
      if (namesAnother(said, peer.fqdn, nef.isListed)) nef.alarms.raise('foreign-ecs-named', peer.fqdn)
      return ok(await retrieveEdgeKey(nef, peer, body))
    },
  })
}
