import { type Static, Type } from 'typebox'
import { ACProfile } from './ac-profile.ts'
import { listOf } from './forms.ts'
import { ConnectivityInfo, EDNConfigInfo } from './service-provisioning.ts'
import { DateTime, DurationSec, Uri } from './ts29122/basic-types.ts'
import { LocationInfo } from './ts29122/monitoring-event.ts'
import { SupportedFeatures, Uinteger } from './ts29571/basic-types.ts'
import { GeographicArea } from './ts29572/geographic-area.ts'

/** Eecs_ECSServiceProvisioning, EDGE-10: TS 29.558. One ECS asks another for what that would provision an EEC with. */

export const FederationInfo = Type.Object({ federationId: Type.String() })
export type FederationInfo = Static<typeof FederationInfo>

export const AppGrpProfile = Type.Object({
  appGrpId: Type.String(),
  e2eRespTime: Type.Optional(Uinteger),
  easId: Type.String(),
  expGeoAreas: Type.Optional(listOf(GeographicArea)),
})
export type AppGrpProfile = Static<typeof AppGrpProfile>

export const AppInfo = Type.Object({
  acProf: ACProfile,
  appGrpProf: Type.Optional(AppGrpProfile),
})
export type AppInfo = Static<typeof AppInfo>

export const ServProvReq = Type.Object({
  fedInfo: Type.Optional(listOf(FederationInfo)),
  acProfs: Type.Optional(listOf(ACProfile)),
  appInfos: Type.Optional(listOf(AppInfo)),
  connInfo: Type.Optional(listOf(ConnectivityInfo)),
  locInfo: Type.Optional(LocationInfo),
  suppFeat: Type.Optional(SupportedFeatures),
})
export type ServProvReq = Static<typeof ServProvReq>

export const ServProvResp = Type.Object({
  ednConfigInfo: listOf(EDNConfigInfo),
  suppFeat: Type.Optional(SupportedFeatures),
})
export type ServProvResp = Static<typeof ServProvResp>

const subscribed = {
  fedInfo: Type.Optional(listOf(FederationInfo)),
  acProfs: Type.Optional(listOf(ACProfile)),
  connInfo: Type.Optional(listOf(ConnectivityInfo)),
  locInfo: Type.Optional(LocationInfo),
  expTime: Type.Optional(DateTime),
}

export const ServProvSubsc = Type.Object({
  /** an address that the ECS will call: never before it has passed the checks of THREATS HT-06 */
  notifUri: Uri,
  ...subscribed,
  suppFeat: Type.Optional(SupportedFeatures),
})
export type ServProvSubsc = Static<typeof ServProvSubsc>

/** A merge patch (RFC 7396). */
export const ServProvSubscPatch = Type.Object({ notifUri: Type.Optional(Uri), ...subscribed })
export type ServProvSubscPatch = Static<typeof ServProvSubscPatch>

export const ServProvNotif = Type.Object({
  subscId: Type.String(),
  ednConfigInfo: listOf(EDNConfigInfo),
  lifetime: Type.Optional(DurationSec),
})
export type ServProvNotif = Static<typeof ServProvNotif>
