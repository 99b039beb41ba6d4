import { type Static, Type } from 'typebox'
import { EcsInfoDiscoveryReq } from './ecs-discovery.ts'
import { ServProvReq } from './ecs-service-provisioning.ts'

/**
 * Ours in the requests of EDGE-10: for which of its EESs an ECS asks. What another ECS tells depends on who will know
 * of it (THREATS TK-14); without this member it tells what every EES of that ECS may know.
 */
const requesting = {
  /** FQDN of an EES that is registered at the ECS that asks */
  requestingEes: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
}

export const EcsInfoDiscoveryReqForEes = Type.Object({ ...EcsInfoDiscoveryReq.properties, ...requesting })
export type EcsInfoDiscoveryReqForEes = Static<typeof EcsInfoDiscoveryReqForEes>

export const ServProvReqForEes = Type.Object({ ...ServProvReq.properties, ...requesting })
export type ServProvReqForEes = Static<typeof ServProvReqForEes>
