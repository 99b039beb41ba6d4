import { noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { ECSServProvReq } from '../../spec/messages/service-provisioning.ts'
import type { Operation } from '../../spec/operation.ts'
import type { EcsPeers } from '../peers.ts'
import { type ProvisioningPorts, provisionService } from '../provisioning/provision-service.ts'

const route = routesOf<EcsPeers>()

export const REQUEST_SERV_PROV: Operation = {
  id: 'RequestServProv',
  api: 'eecs-serviceprovisioning',
  method: 'POST',
  path: '/eecs-serviceprovisioning/v1/request',
  clause: 'TS 24.558 6.2',
}

/** On the `psk` listener: EDGE-4 for an EEC that has proven its key. */
export function provisioningRoute(ecs: ProvisioningPorts): Route<EcsPeers> {
  return route({
    operation: REQUEST_SERV_PROV,
    credential: 'psk',
    content: { mediaType: 'application/json', schema: ECSServProvReq },
    async handle({ peer, body }) {
      const answer = await provisionService(ecs, peer, body)
      return answer === undefined ? noContent() : ok(answer)
    },
  })
}
