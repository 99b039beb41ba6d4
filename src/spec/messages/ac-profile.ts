import { type Static, Type } from 'typebox'
import { EASBundleInfo } from './eas-bundle.ts'
import { ACRScenario } from './ees-registration.ts'
import { listOf } from './forms.ts'
import { DurationSec } from './ts29122/basic-types.ts'
import { ScheduledCommunicationTime } from './ts29122/cp-provisioning.ts'
import { LocationArea5G } from './ts29122/location-area.ts'
import { BitRate, Uinteger } from './ts29571/basic-types.ts'

/** What an application client wants of the edge: TS 24.558, defined by Eees_EECRegistration. */

export const ACServiceKPIs = Type.Object({
  connBand: Type.Optional(BitRate),
  reqRate: Type.Optional(Uinteger),
  respTime: Type.Optional(DurationSec),
  avail: Type.Optional(Uinteger),
  reqComp: Type.Optional(Type.String()),
  reqGrapComp: Type.Optional(Type.String()),
  reqMem: Type.Optional(Type.String()),
  reqStrg: Type.Optional(Type.String()),
})
export type ACServiceKPIs = Static<typeof ACServiceKPIs>

export const EasDetail = Type.Object({
  easId: Type.String(),
  expectedSvcKPIs: Type.Optional(ACServiceKPIs),
  minimumReqSvcKPIs: Type.Optional(ACServiceKPIs),
})
export type EasDetail = Static<typeof EasDetail>

export const ACProfile = Type.Object({
  acId: Type.String(),
  acType: Type.Optional(Type.String()),
  prefEcsps: Type.Optional(Type.Array(Type.String())),
  acSchedule: Type.Optional(ScheduledCommunicationTime),
  expAcGeoServArea: Type.Optional(LocationArea5G),
  acSvcContSupp: Type.Optional(Type.Array(ACRScenario)),
  simInactTime: Type.Optional(DurationSec),
  eass: Type.Optional(listOf(EasDetail)),
  easBundleInfos: Type.Optional(listOf(EASBundleInfo)),
  associatedDevices: Type.Optional(listOf(Type.String())),
})
export type ACProfile = Static<typeof ACProfile>
