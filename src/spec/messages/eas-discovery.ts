import { type Static, Type } from 'typebox'
import { ACProfile } from './ac-profile.ts'
import { EASBundleInfo } from './eas-bundle.ts'
import { EASCategory, EASProfile } from './eas-profile.ts'
import { ACRScenario, EASInstantiationInfo } from './ees-registration.ts'
import { EndPoint } from './end-point.ts'
import { exactlyOneOf, listOf, mapOf, notBoth, openEnum } from './forms.ts'
import { AppGroupProfile } from './service-provisioning.ts'
import { DateTime, Port, TimeWindow, Uri, WebsockNotifConfig } from './ts29122/basic-types.ts'
import { ScheduledCommunicationTime } from './ts29122/cp-provisioning.ts'
import { LocationArea5G } from './ts29122/location-area.ts'
import { LocationInfo } from './ts29122/monitoring-event.ts'
import { SupportedFeatures, Uinteger } from './ts29571/basic-types.ts'
import { Dnai, PlmnIdNid } from './ts29571/network-identifiers.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'
import { TunnelInfo } from './tunnel-info.ts'

/** Eees_EASDiscovery, EDGE-1 and EDGE-9: TS 24.558. */

const flag = Type.Optional(Type.Boolean())

/** Who asks; it must be who the credential says. */
export const RequestorId = exactlyOneOf(
  Type.Object({
    eesId: Type.Optional(Type.String()),
    easId: Type.Optional(Type.String()),
    eecId: Type.Optional(Type.String()),
  }),
  ['eesId', 'easId', 'eecId'],
)
export type RequestorId = Static<typeof RequestorId>

export const ACCharacteristics = Type.Object({ acProf: ACProfile })
export type ACCharacteristics = Static<typeof ACCharacteristics>

export const EasCharacteristics = notBoth(
  Type.Object({
    easId: Type.Optional(Type.String()),
    appGrpId: Type.Optional(Type.String()),
    easSyncInd: flag,
    easProvId: Type.Optional(Type.String()),
    stdEasType: Type.Optional(EASCategory),
    easType: Type.Optional(Type.String()),
    easSched: Type.Optional(TimeWindow),
    svcArea: Type.Optional(LocationArea5G),
    easSvcContinuity: Type.Optional(Type.Array(ACRScenario)),
    svcPermLevel: Type.Optional(Type.String()),
    svcFeats: Type.Optional(listOf(Type.String())),
    easBundleInfo: Type.Optional(EASBundleInfo),
  }),
  ['stdEasType', 'easType'],
)
export type EasCharacteristics = Static<typeof EasCharacteristics>

export const EasDiscoveryFilter = Type.Object({
  acChars: Type.Optional(listOf(ACCharacteristics)),
  appGroupProfile: Type.Optional(AppGroupProfile),
  easChars: Type.Optional(listOf(EasCharacteristics)),
})
export type EasDiscoveryFilter = Static<typeof EasDiscoveryFilter>

export const EasDiscoveryReq = Type.Object({
  requestorId: RequestorId,
  ueId: Type.Optional(Gpsi),
  easDiscoveryFilter: Type.Optional(EasDiscoveryFilter),
  eecSvcContinuity: Type.Optional(Type.Array(ACRScenario)),
  eesSvcContinuity: Type.Optional(Type.Array(ACRScenario)),
  easSvcContinuity: Type.Optional(Type.Array(ACRScenario)),
  locInf: Type.Optional(LocationInfo),
  easTDnai: Type.Optional(Dnai),
  easSelSupInd: flag,
  suppFeat: Type.Optional(SupportedFeatures),
  easIntTrigSup: flag,
  predictExpTime: Type.Optional(DateTime),
  servingPLMNInfo: Type.Optional(PlmnIdNid),
  svcContinuityPlanInd: flag,
  appGrpUeIds: Type.Optional(listOf(Gpsi)),
  tunnel_Info: Type.Optional(TunnelInfo),
})
export type EasDiscoveryReq = Static<typeof EasDiscoveryReq>

export const DiscoveredEas = Type.Object({
  eas: EASProfile,
  eesEndPt: Type.Optional(EndPoint),
  lifeTime: Type.Optional(DateTime),
  trafficInfluenceInd: flag,
})
export type DiscoveredEas = Static<typeof DiscoveredEas>

export const PredictiveData = Type.Object({
  scheds: Type.Optional(listOf(ScheduledCommunicationTime)),
  status: Type.Optional(Type.String()),
})
export type PredictiveData = Static<typeof PredictiveData>

export const StatisticalData = Type.Object({ numRecPerf: Type.Optional(Uinteger) })
export type StatisticalData = Static<typeof StatisticalData>

export const EdgeLoadAnalytic = Type.Object({
  easId: Type.String(),
  predictData: Type.Optional(PredictiveData),
  statisticData: Type.Optional(StatisticalData),
})
export type EdgeLoadAnalytic = Static<typeof EdgeLoadAnalytic>

const aboutEass = {
  easInstInfos: Type.Optional(mapOf(EASInstantiationInfo)),
  edgeLoadAnalytics: Type.Optional(mapOf(EdgeLoadAnalytic)),
}

export const EasDiscoveryResp = Type.Object({ discoveredEas: Type.Array(DiscoveredEas), ...aboutEass })
export type EasDiscoveryResp = Static<typeof EasDiscoveryResp>

export const EASDiscEventIDs = openEnum(['EAS_AVAILABILITY_CHANGE', 'EAS_DYNAMIC_INFO_CHANGE'])
export type EASDiscEventIDs = Static<typeof EASDiscEventIDs>

export const EasDynamicInfoFilterData = Type.Object({
  eecId: Type.String(),
  easStatus: flag,
  easAcIds: flag,
  easDesc: flag,
  easPt: flag,
  easEndPoint: Type.Optional(EndPoint),
  easFeature: flag,
  easSchedule: flag,
  svcArea: flag,
  svcKpi: flag,
  svcCont: flag,
})
export type EasDynamicInfoFilterData = Static<typeof EasDynamicInfoFilterData>

export const EasDynamicInfoFilter = Type.Object({ dynInfoFilter: listOf(EasDynamicInfoFilterData) })
export type EasDynamicInfoFilter = Static<typeof EasDynamicInfoFilter>

export const EasDiscoverySubscription = Type.Object({
  eecId: Type.String(),
  ueId: Type.Optional(Gpsi),
  easEventType: EASDiscEventIDs,
  easDiscoveryFilter: Type.Optional(EasDiscoveryFilter),
  easDynInfoFilter: Type.Optional(EasDynamicInfoFilter),
  easSvcContinuity: Type.Optional(Type.Array(ACRScenario)),
  expTime: Type.Optional(DateTime),
  /** an address that the EES will call: never before it has passed the checks of THREATS HT-06 */
  notificationDestination: Type.Optional(Uri),
  requestTestNotification: flag,
  websockNotifConfig: Type.Optional(WebsockNotifConfig),
  suppFeat: Type.Optional(SupportedFeatures),
  easIntTrigSup: flag,
  eecTriggerRequest: flag,
  eecTriggerPortInfo: Type.Optional(Port),
})
export type EasDiscoverySubscription = Static<typeof EasDiscoverySubscription>

/** A merge patch (RFC 7396). */
export const EasDiscoverySubscriptionPatch = Type.Object({
  easDiscoveryFilter: Type.Optional(EasDiscoveryFilter),
  easDynInfoFilter: Type.Optional(EasDynamicInfoFilter),
  easSvcContinuity: Type.Optional(Type.Array(ACRScenario)),
  expTime: Type.Optional(DateTime),
  easEventType: Type.Optional(EASDiscEventIDs),
})
export type EasDiscoverySubscriptionPatch = Static<typeof EasDiscoverySubscriptionPatch>

export const EasDiscoveryNotification = Type.Object({
  subId: Type.String(),
  eventType: EASDiscEventIDs,
  discoveredEas: listOf(DiscoveredEas),
  ...aboutEass,
})
export type EasDiscoveryNotification = Static<typeof EasDiscoveryNotification>
