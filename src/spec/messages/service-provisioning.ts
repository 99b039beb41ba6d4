import { type Static, Type } from 'typebox'
import { ACProfile } from './ac-profile.ts'
import { EASBundleInfo } from './eas-bundle.ts'
import { ACRScenario, EASInstantiationInfo } from './ees-registration.ts'
import { EndPoint } from './end-point.ts'
import { listOf, openEnum } from './forms.ts'
import { DateTime, Port, Uri, WebsockNotifConfig } from './ts29122/basic-types.ts'
import { LocationArea5G } from './ts29122/location-area.ts'
import { LocationInfo } from './ts29122/monitoring-event.ts'
import { SupportedFeatures, Uinteger } from './ts29571/basic-types.ts'
import { Dnai, Dnn, PlmnIdNid, Snssai } from './ts29571/network-identifiers.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'
import { TunnelInfo } from './tunnel-info.ts'

/**
 * Eecs_ServiceProvisioning, EDGE-4: TS 24.558. `eecId` and `ueId` are claims until the credential has borne them out
 * (D-16).
 */

/** How an EES authenticates an EEC; open, so that a value of ours can stand beside them (D-14). */
export const EesAuthMethod = openEnum([
  'TLS_CLIENT_SERVER_CERTIFICATE',
  'TLS_WITH_AKMA',
  'TLS_WITH_GBA',
  'SERVER_SIDE_CERTIFICATE_BASED',
])
export type EesAuthMethod = Static<typeof EesAuthMethod>

export const ConnectivityInfo = Type.Object({
  plmnId: Type.Optional(PlmnIdNid),
  ssId: Type.Optional(Type.String()),
})
export type ConnectivityInfo = Static<typeof ConnectivityInfo>

export const AppGroupProfile = Type.Object({
  appGrpId: Type.String(),
  e2eRespTime: Type.Optional(Uinteger),
  easId: Type.String(),
  expectedSvcArea: Type.Optional(LocationArea5G),
})
export type AppGroupProfile = Static<typeof AppGroupProfile>

export const ApplicationInfo = Type.Object({
  acProf: ACProfile,
  appGroupProfile: Type.Optional(AppGroupProfile),
})
export type ApplicationInfo = Static<typeof ApplicationInfo>

export const ECSServProvReq = Type.Object({
  eecId: Type.String(),
  ueId: Type.Optional(Gpsi),
  acProfs: Type.Optional(Type.Array(ACProfile)),
  appInfo: Type.Optional(listOf(ApplicationInfo)),
  eecSvcContSupp: Type.Optional(Type.Array(ACRScenario)),
  connInfo: Type.Optional(Type.Array(ConnectivityInfo)),
  locInf: Type.Optional(LocationInfo),
  ecspIds: Type.Optional(listOf(Type.String())),
  predictExpTime: Type.Optional(DateTime),
  satelliteId: Type.Optional(Type.String()),
  minSatelliteAccessTime: Type.Optional(DateTime),
  suppFeat: Type.Optional(SupportedFeatures),
  tunnel_Info: Type.Optional(TunnelInfo),
})
export type ECSServProvReq = Static<typeof ECSServProvReq>

export const EASBundleDetail = Type.Object({
  easId: Type.String(),
  easBundleInfos: listOf(EASBundleInfo),
})
export type EASBundleDetail = Static<typeof EASBundleDetail>

/** An EES as an EEC learns of it. There is no member for a token: ours is `eesTokens` (D-12). */
export const EESInfo = Type.Object({
  eesId: Type.String(),
  endPt: Type.Optional(EndPoint),
  easIds: Type.Optional(Type.Array(Type.String())),
  appGroupIdList: Type.Optional(Type.Array(Type.String())),
  ecspInfo: Type.Optional(Type.String()),
  svcArea: Type.Optional(LocationArea5G),
  dnais: Type.Optional(Type.Array(Dnai)),
  eesSvcContSupp: Type.Optional(Type.Array(ACRScenario)),
  eecRegConf: Type.Boolean(),
  easInstInfos: Type.Optional(listOf(EASInstantiationInfo)),
  eesAuthMethods: Type.Optional(listOf(EesAuthMethod)),
  easBundleInfos: Type.Optional(listOf(EASBundleInfo)),
  easBundleDetails: Type.Optional(listOf(EASBundleDetail)),
  satelliteId: Type.Optional(Type.String()),
})
export type EESInfo = Static<typeof EESInfo>

/** How the UE connects to the edge data network. */
export const EDNConInfo = Type.Object({
  dnn: Type.Optional(Dnn),
  snssai: Type.Optional(Snssai),
  ednTopoSrvArea: Type.Optional(LocationArea5G),
})
export type EDNConInfo = Static<typeof EDNConInfo>

export const EDNConfigInfo = Type.Object({
  ednConInfo: EDNConInfo,
  eess: listOf(EESInfo),
  lifeTime: Type.Optional(DateTime),
})
export type EDNConfigInfo = Static<typeof EDNConfigInfo>

export const ECSRedirectInfo = Type.Object({
  ecsEndPt: EndPoint,
  dnn: Type.Optional(Dnn),
  snssai: Type.Optional(Snssai),
})
export type ECSRedirectInfo = Static<typeof ECSRedirectInfo>

export const ECSServProvResp = Type.Object({
  ednCnfgInfo: listOf(EDNConfigInfo),
  redirectedECS: Type.Optional(listOf(ECSRedirectInfo)),
})
export type ECSServProvResp = Static<typeof ECSServProvResp>

export const ECSServProvSubscription = Type.Object({
  eecId: Type.String(),
  ueId: Type.Optional(Gpsi),
  acProfs: Type.Optional(Type.Array(ACProfile)),
  expTime: Type.Optional(DateTime),
  eecSvcContSupp: Type.Optional(Type.Array(ACRScenario)),
  connInfo: Type.Optional(Type.Array(ConnectivityInfo)),
  /** an address that the ECS will call: never before it has passed the checks of THREATS HT-06 */
  notificationDestination: Type.Optional(Uri),
  requestTestNotification: Type.Optional(Type.Boolean()),
  websockNotifConfig: Type.Optional(WebsockNotifConfig),
  ecspIds: Type.Optional(listOf(Type.String())),
  eecTriggerRequest: Type.Optional(Type.Boolean()),
  eecTriggerPortInfo: Type.Optional(Port),
  suppFeat: Type.Optional(SupportedFeatures),
})
export type ECSServProvSubscription = Static<typeof ECSServProvSubscription>

/** A merge patch (RFC 7396). */
export const ECSServProvSubscriptionPatch = Type.Object({
  acProfs: Type.Optional(Type.Array(ACProfile)),
  expTime: Type.Optional(DateTime),
  eecSvcContSupp: Type.Optional(Type.Array(ACRScenario)),
  connInfo: Type.Optional(Type.Array(ConnectivityInfo)),
})
export type ECSServProvSubscriptionPatch = Static<typeof ECSServProvSubscriptionPatch>

export const ServProvNotification = Type.Object({
  subId: Type.String(),
  ednCnfgInfo: listOf(EDNConfigInfo),
  redirectedECS: Type.Optional(listOf(ECSRedirectInfo)),
})
export type ServProvNotification = Static<typeof ServProvNotification>
