import { type Static, Type } from 'typebox'
import { ACProfile } from './ac-profile.ts'
import { ACRScenario } from './ees-registration.ts'
import { EndPoint } from './end-point.ts'
import { listOf } from './forms.ts'
import { DateTime } from './ts29122/basic-types.ts'
import { LocationArea5G } from './ts29122/location-area.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'

/**
 * Eees_EECContextRelocation, EDGE-9: TS 29.558. `eesId` and `ees-id` must be the EES of the credential,
 * and the EEC in the context that of the token, if it names one (D-19a).
 */

export const IndividualSessionContext = Type.Object({
  easId: Type.String(),
  endPt: EndPoint,
  acId: Type.Optional(Type.String()),
  acrList: Type.Optional(listOf(ACRScenario)),
  eecId: Type.Optional(Type.String()),
  appGrpId: Type.Optional(Type.String()),
})
export type IndividualSessionContext = Static<typeof IndividualSessionContext>

export const SessionContexts = Type.Object({ sessCntxs: listOf(IndividualSessionContext) })
export type SessionContexts = Static<typeof SessionContexts>

export const EECSrvContinuitySupport = Type.Object({
  srvContSupp: Type.Boolean(),
  acrScenarios: Type.Optional(listOf(ACRScenario)),
})
export type EECSrvContinuitySupport = Static<typeof EECSrvContinuitySupport>

export const EECContext = Type.Object({
  eecId: Type.String(),
  cntxId: Type.String(),
  ueId: Type.Optional(Gpsi),
  e1Subs: Type.Optional(listOf(Type.String())),
  ueLoc: Type.Optional(LocationArea5G),
  acProfs: Type.Optional(listOf(ACProfile)),
  sessCntxs: Type.Optional(SessionContexts),
  eecSrvContSupp: Type.Optional(EECSrvContinuitySupport),
  ueMobSuppInd: Type.Optional(Type.Boolean()),
})
export type EECContext = Static<typeof EECContext>

export const EECContextPush = Type.Object({
  eesId: Type.String(),
  eecCntx: EECContext,
  tgtEas: Type.Optional(EndPoint),
  acrScenariosSelReq: Type.Optional(Type.Boolean()),
  eecCntxs: Type.Optional(listOf(EECContext)),
})
export type EECContextPush = Static<typeof EECContextPush>

export const ImplicitRegDetails = Type.Object({
  regId: Type.String(),
  expTime: Type.Optional(DateTime),
})
export type ImplicitRegDetails = Static<typeof ImplicitRegDetails>

export const EECContextPushRes = Type.Object({
  implReg: Type.Optional(ImplicitRegDetails),
  selAcrScenariosList: Type.Optional(listOf(ACRScenario)),
})
export type EECContextPushRes = Static<typeof EECContextPushRes>
