import { type Static, Type } from 'typebox'
import { ACProfile } from './ac-profile.ts'
import { EndPoint } from './end-point.ts'
import { listOf } from './forms.ts'
import { ConnectivityInfo } from './service-provisioning.ts'
import { DateTime, Uri } from './ts29122/basic-types.ts'
import { LocationInfo } from './ts29122/monitoring-event.ts'
import { SupportedFeatures } from './ts29571/basic-types.ts'
import { Dnn, PlmnIdNid, Snssai } from './ts29571/network-identifiers.ts'
import { SpatialValidityCond } from './ts29571/spatial-validity.ts'

/** Eecs_ECSDiscovery, EDGE-10: TS 29.558 9.5. */

export const PduConfiguration = Type.Object({ snssai: Snssai, dnn: Dnn })
export type PduConfiguration = Static<typeof PduConfiguration>

export const SupportedEcsp = Type.Object({
  ecspId: Type.String(),
  easIds: listOf(Type.String()),
})
export type SupportedEcsp = Static<typeof SupportedEcsp>

export const SupportedPlmn = Type.Object({
  plmnId: Type.Optional(PlmnIdNid),
  suppEcsps: Type.Optional(listOf(SupportedEcsp)),
  pduConf: Type.Optional(PduConfiguration),
})
export type SupportedPlmn = Static<typeof SupportedPlmn>

export const ECSProfile = Type.Object({
  endPt: EndPoint,
  ecspId: Type.Optional(Type.String()),
  splVal: Type.Optional(SpatialValidityCond),
  suppPlmns: Type.Optional(listOf(SupportedPlmn)),
})
export type ECSProfile = Static<typeof ECSProfile>

export const EcsInfo = Type.Object({
  ecs: ECSProfile,
  lifeTime: Type.Optional(DateTime),
})
export type EcsInfo = Static<typeof EcsInfo>

export const EcsInfoDiscoveryReq = Type.Object({
  ecsAddr: EndPoint,
  acProfs: Type.Optional(listOf(ACProfile)),
  connInf: Type.Optional(listOf(ConnectivityInfo)),
  ueLoc: Type.Optional(listOf(LocationInfo)),
  /** an address that the ECS will call: never before it has passed the checks of THREATS HT-06 */
  notifUri: Type.Optional(Uri),
  duration: Type.Optional(DateTime),
  suppFeat: Type.Optional(SupportedFeatures),
  appGrpId: Type.Optional(Type.String()),
})
export type EcsInfoDiscoveryReq = Static<typeof EcsInfoDiscoveryReq>

export const EcsInfoDiscoveryResp = Type.Object({ ecsInfo: listOf(EcsInfo) })
export type EcsInfoDiscoveryResp = Static<typeof EcsInfoDiscoveryResp>

export const EcsInfoDiscNotif = Type.Object({ ecsInfo: listOf(EcsInfo) })
export type EcsInfoDiscNotif = Static<typeof EcsInfoDiscNotif>
