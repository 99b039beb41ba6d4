import { type Static, Type } from 'typebox'
import { ACProfile } from './ac-profile.ts'
import { DiscoveredEas } from './eas-discovery.ts'
import { ACRScenario } from './ees-registration.ts'
import { EndPoint } from './end-point.ts'
import { listOf, notBoth, openEnum } from './forms.ts'
import { DateTime } from './ts29122/basic-types.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'

/** Eees_EECRegistration, EDGE-1: TS 24.558. */

export const DeviceType = openEnum(['CONSTRAINED_UE', 'NORMAL_UE'])
export type DeviceType = Static<typeof DeviceType>

export const UnfulfillACProfRsn = openEnum(['EAS_NOT_AVAILABLE', 'REQ_UNFULFILLED'])
export type UnfulfillACProfRsn = Static<typeof UnfulfillACProfRsn>

export const UnfulfilledAcProfile = Type.Object({
  acId: Type.Optional(Type.String()),
  reason: Type.Optional(UnfulfillACProfRsn),
})
export type UnfulfilledAcProfile = Static<typeof UnfulfilledAcProfile>

export const EECRegistration = notBoth(
  Type.Object({
    eecId: Type.String(),
    ueId: Type.Optional(Gpsi),
    acProfs: Type.Optional(Type.Array(ACProfile)),
    expTime: Type.Optional(DateTime),
    eecSvcContSupp: Type.Optional(Type.Array(ACRScenario)),
    /** the context that the EES named in `srcEesId` holds, and that this EES may fetch over EDGE-9 */
    eecCntxId: Type.Optional(Type.String()),
    srcEesId: Type.Optional(Type.String()),
    endPt: Type.Optional(EndPoint),
    ueMobilityReq: Type.Optional(Type.Boolean()),
    easSelReqInd: Type.Optional(Type.Boolean()),
    ueType: Type.Optional(DeviceType),
    discoveredEas: Type.Optional(listOf(DiscoveredEas)),
    unfulfillAcProfs: Type.Optional(listOf(UnfulfilledAcProfile)),
    /** as `unfulfillAcProfs`, but one instead of a list */
    unfulfilledAcProfs: Type.Optional(UnfulfilledAcProfile),
  }),
  ['unfulfilledAcProfs', 'unfulfillAcProfs'],
)
export type EECRegistration = Static<typeof EECRegistration>

/** A merge patch (RFC 7396). */
export const EECRegistrationPatch = Type.Object({
  acProfs: Type.Optional(Type.Array(ACProfile)),
  expTime: Type.Optional(DateTime),
  ueMobilityReq: Type.Optional(Type.Boolean()),
  easSelReqInd: Type.Optional(Type.Boolean()),
  ueType: Type.Optional(DeviceType),
})
export type EECRegistrationPatch = Static<typeof EECRegistrationPatch>
