import { type Static, Type } from 'typebox'
import { EASBundleInfo } from './eas-bundle.ts'
import { ACRScenario } from './ees-registration.ts'
import { EndPoint } from './end-point.ts'
import { atLeastOneOf, listOf, notBoth, openEnum } from './forms.ts'
import { ServiceArea } from './service-area.ts'
import { DurationSec } from './ts29122/basic-types.ts'
import { ScheduledCommunicationTime } from './ts29122/cp-provisioning.ts'
import { BitRate, Uinteger } from './ts29571/basic-types.ts'
import { RouteToLocation } from './ts29571/ip-addresses.ts'
import { PlmnIdNid } from './ts29571/network-identifiers.ts'

/** What an EAS says of itself: TS 29.558, defined by Eees_EASRegistration. */

export const EASCategory = openEnum(['UAS', 'V2X', 'APP_ENABLER', 'OTHER'])
export type EASCategory = Static<typeof EASCategory>

export const PermissionLevel = openEnum(['TRIAL', 'GOLD', 'SILVER', 'OTHER'])
export type PermissionLevel = Static<typeof PermissionLevel>

export const EASStatus = openEnum(['ENABLED', 'DISABLED', 'OVERLOAD_WARNING', 'OTHER'])
export type EASStatus = Static<typeof EASStatus>

/** Of the transport between EAS and EAS; TS 29.571 has another type of this name. */
export const TransportProtocol = openEnum(['QUIC', 'TCP', 'TCP_TLS'])
export type TransportProtocol = Static<typeof TransportProtocol>

/** Of a device beside the UE; Eees_EECRegistration has another type of this name. */
export const DeviceType = openEnum(['HAPTIC_DEVICE', 'JOY_STICK', 'OTHER'])
export type DeviceType = Static<typeof DeviceType>

export const TransContSuppDetails = Type.Object({ transProtocs: listOf(TransportProtocol) })
export type TransContSuppDetails = Static<typeof TransContSuppDetails>

export const AssociatedDevice = atLeastOneOf(
  Type.Object({
    devInfo: Type.Optional(Type.String()),
    devType: Type.Optional(DeviceType),
  }),
  ['devInfo', 'devType'],
)
export type AssociatedDevice = Static<typeof AssociatedDevice>

export const EASServiceKPI = Type.Object({
  maxReqRate: Type.Optional(Uinteger),
  maxRespTime: Type.Optional(Uinteger),
  avail: Type.Optional(Uinteger),
  avlComp: Type.Optional(Uinteger),
  avlGraComp: Type.Optional(Uinteger),
  avlMem: Type.Optional(Uinteger),
  avlStrg: Type.Optional(Uinteger),
  connBand: Type.Optional(BitRate),
})
export type EASServiceKPI = Static<typeof EASServiceKPI>

/** The type of the EAS is a known one or its own, and likewise its status. */
export const EASProfile = notBoth(
  Type.Object({
    easId: Type.String(),
    endPt: EndPoint,
    allowedPlmnId: Type.Optional(PlmnIdNid),
    allowedPlmnIds: Type.Optional(listOf(PlmnIdNid)),
    easBdlInfos: Type.Optional(listOf(EASBundleInfo)),
    acIds: Type.Optional(listOf(Type.String())),
    provId: Type.Optional(Type.String()),
    type: Type.Optional(EASCategory),
    flexEasType: Type.Optional(Type.String()),
    scheds: Type.Optional(listOf(ScheduledCommunicationTime)),
    svcArea: Type.Optional(ServiceArea),
    svcKpi: Type.Optional(EASServiceKPI),
    permLvl: Type.Optional(listOf(PermissionLevel)),
    easFeats: Type.Optional(listOf(Type.String())),
    appLocs: Type.Optional(listOf(RouteToLocation)),
    svcContSupp: Type.Optional(listOf(ACRScenario)),
    svcContSuppExt1: Type.Optional(listOf(EASBundleInfo)),
    transContSupp: Type.Optional(TransContSuppDetails),
    avlRep: Type.Optional(DurationSec),
    status: Type.Optional(Type.String()),
    statusVal: Type.Optional(EASStatus),
    genCtxDur: Type.Optional(DurationSec),
    easSyncSupp: Type.Optional(Type.Boolean()),
    assoDevList: Type.Optional(listOf(AssociatedDevice)),
  }),
  ['type', 'flexEasType'],
  ['status', 'statusVal'],
)
export type EASProfile = Static<typeof EASProfile>
