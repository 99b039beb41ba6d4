import { noContent, ok, type Route, routesOf } from '../../http/route.ts'
import type { EcsMethod } from '../../spec/authentication-methods.ts'
import type { ECSServProvRespWithTokens, EesToken } from '../../spec/messages/ees-tokens.ts'
import { ECSServProvReq } from '../../spec/messages/service-provisioning.ts'
import type { Operation } from '../../spec/operation.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { EDGEWARD_EES_TOKENS, hasFeature } from '../../spec/supported-features.ts'
import type { EcsPeers } from '../peers.ts'
import {
  type AuthenticatedEec,
  type ProvisioningPorts,
  provisionService,
  toEdnConfigInfo,
} from '../provisioning/provision-service.ts'
import type { IndexedEes } from '../provisioning/registration-index.ts'
import { withMethods } from './eec-answer.ts'

const route = routesOf<EcsPeers>()

const operation = (id: string, method: Operation['method'], resource: string, clause: string): Operation => {
  return { id, api: 'eecs-serviceprovisioning', method, path: `/eecs-serviceprovisioning/v1${resource}`, clause }
}

/** By operationId of the OpenAPI file. */
export const PROVISIONING = {
  RequestServProv: operation('RequestServProv', 'POST', '/request', 'TS 24.558 6.2'),
  CreateServProvSub: operation('CreateServProvSub', 'POST', '/subscriptions', 'TS 24.558 6.2'),
  UpdateIndServProvSub: operation('UpdateIndServProvSub', 'PUT', '/subscriptions/{subscriptionId}', 'TS 24.558 6.2'),
  ModifyIndServProvSub: operation('ModifyIndServProvSub', 'PATCH', '/subscriptions/{subscriptionId}', 'TS 24.558 6.2'),
  DeleteIndServProvSub: operation('DeleteIndServProvSub', 'DELETE', '/subscriptions/{subscriptionId}', 'TS 24.558 6.2'),
} as const

export const REQUEST_SERV_PROV: Operation = PROVISIONING.RequestServProv

/** The credentials of an EEC: one on each listener that EECs come to. */
export type EecCredential = 'entitlement' | 'psk' | 'eecCertificate'

export interface ProvisioningRoutePorts extends ProvisioningPorts {
  readonly offered: readonly EcsMethod[]
  issueEesTokens(eec: AuthenticatedEec & { readonly eecId: EecId }, eess: readonly IndexedEes[]): Promise<EesToken[]>
}

/** EDGE-4, for an EEC that has authenticated in whatever way. */
export function provisioningRoute(ecs: ProvisioningRoutePorts, credential: EecCredential): Route<EcsPeers> {
  return route({
    operation: REQUEST_SERV_PROV,
    credential,
    content: { mediaType: 'application/json', schema: ECSServProvReq },
    async handle({ peer, body }) {
      const { eecId, eess } = provisionService(ecs, peer, body)
      if (eess.length === 0) return withMethods(ecs.offered, peer, noContent())
      // Who has proven no key has nothing that a token could be bound to.
      const wanted = hasFeature(body.suppFeat, EDGEWARD_EES_TOKENS) && peer.jkt !== undefined
      const eesTokens = wanted ? await ecs.issueEesTokens({ ...peer, eecId }, eess) : []
      const answer: ECSServProvRespWithTokens = {
        ednCnfgInfo: toEdnConfigInfo(eess),
        ...(eesTokens.length > 0 && { eesTokens }),
      }
      return withMethods(ecs.offered, peer, ok(answer))
    },
  })
}
