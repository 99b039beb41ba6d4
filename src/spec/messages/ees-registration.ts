import { type Static, Type } from 'typebox'
import { EASBundleInfo } from './eas-bundle.ts'
import { EndPoint } from './end-point.ts'
import { exactlyOneOf, listOf, mapOf, openEnum } from './forms.ts'
import { AscaiInfo } from './satellite-coverage.ts'
import { ServiceArea } from './service-area.ts'
import { DateTime, TimeWindow } from './ts29122/basic-types.ts'
import { ScheduledCommunicationTime } from './ts29122/cp-provisioning.ts'
import { DateTimeRm, SupportedFeatures } from './ts29571/basic-types.ts'
import { Dnai, Dnn, PlmnIdNid } from './ts29571/network-identifiers.ts'

/** Eecs_EESRegistration, EDGE-6: TS 29.558 9.1.5. Our extension of it is in onboarding-information.ts. */

/** Who decides and who executes an application context relocation (TS 23.558 8.8). */
export const ACRScenario = openEnum([
  'EEC_INITIATED',
  'EEC_EXECUTED_VIA_SOURCE_EES',
  'EEC_EXECUTED_VIA_TARGET_EES',
  'SOURCE_EAS_DECIDED',
  'SOURCE_EES_EXECUTED',
  'EEL_MANAGED_ACR',
])
export type ACRScenario = Static<typeof ACRScenario>

export const InstantiationStatus = openEnum(['INSTANTIATED', 'INSTANTIABLE'])
export type InstantiationStatus = Static<typeof InstantiationStatus>

/** When an EAS that does not run yet will run. */
export const InstantiationCriteria = exactlyOneOf(
  Type.Object({
    instantiationTime: Type.Optional(DateTime),
    instWindows: Type.Optional(listOf(TimeWindow)),
    scheds: Type.Optional(listOf(ScheduledCommunicationTime)),
  }),
  ['instantiationTime', 'instWindows', 'scheds'],
)
export type InstantiationCriteria = Static<typeof InstantiationCriteria>

export const EASInstantiationInfo = Type.Object({
  easId: Type.String(),
  status: InstantiationStatus,
  instCrit: Type.Optional(InstantiationCriteria),
})
export type EASInstantiationInfo = Static<typeof EASInstantiationInfo>

/** The edge data network in which the EES stands. */
export const EDNInfo = Type.Object({
  dnn: Dnn,
  dnais: Type.Optional(listOf(Dnai)),
})
export type EDNInfo = Static<typeof EDNInfo>

export const LoadInfo = Type.Object({
  /** percent */
  loadLevel: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  loadWarningStat: Type.Optional(Type.Boolean()),
})
export type LoadInfo = Static<typeof LoadInfo>

export const AppSatCovAvailInfo = Type.Object({ covAvailInfo: AscaiInfo })
export type AppSatCovAvailInfo = Static<typeof AppSatCovAvailInfo>

/** The satellite on which the EES flies. */
export const UeServSatInfo = Type.Object({
  /** the service area moves with the satellite */
  dynServAreaInd: Type.Optional(Type.Boolean()),
  satId: Type.String(),
  trajId: Type.Optional(Type.String()),
  ascaiInfo: Type.Optional(AppSatCovAvailInfo),
})
export type UeServSatInfo = Static<typeof UeServSatInfo>

export const EESProfile = Type.Object({
  eesId: Type.String(),
  endPt: EndPoint,
  easIds: Type.Optional(listOf(Type.String())),
  /** by EAS ID; a bundle here names no `mainEasId` */
  easBdlInfos: Type.Optional(mapOf(listOf(EASBundleInfo))),
  /** by EAS ID: the networks whose subscribers may use that EAS */
  allowedMNOsInfo: Type.Optional(mapOf(listOf(PlmnIdNid))),
  ednInfoSets: Type.Optional(EDNInfo),
  /** by EAS ID */
  easInstInfo: Type.Optional(mapOf(EASInstantiationInfo)),
  /** the edge computing service provider */
  provId: Type.Optional(Type.String()),
  svcArea: Type.Optional(ServiceArea),
  appLocs: Type.Optional(listOf(Dnai)),
  svcContSupp: Type.Optional(listOf(ACRScenario)),
  /** only beside `svcContSupp`: bundles whose relocation this EES coordinates */
  svcContSuppExt1: Type.Optional(listOf(EASBundleInfo)),
  /** whether an EEC registers with this EES before it uses it */
  eecRegConf: Type.Boolean(),
  ueServingSat: Type.Optional(UeServSatInfo),
  /** by EAS ID */
  easLoadInfoList: Type.Optional(mapOf(LoadInfo)),
})
export type EESProfile = Static<typeof EESProfile>

export const EESRegistration = Type.Object({
  eesProf: EESProfile,
  /** proposed in a request, granted in a response; a registration without it does not expire */
  expTime: Type.Optional(DateTime),
  suppFeat: Type.Optional(SupportedFeatures),
})
export type EESRegistration = Static<typeof EESRegistration>

/** A merge patch (RFC 7396); the profile in it is a whole one. */
export const EESRegistrationPatch = Type.Object({
  eesProf: Type.Optional(EESProfile),
  expTime: Type.Optional(DateTimeRm),
})
export type EESRegistrationPatch = Static<typeof EESRegistrationPatch>
