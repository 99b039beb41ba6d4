import { type Static, Type } from 'typebox'
import { BdlType } from './eas-bundle.ts'
import { EECSrvContinuitySupport, SessionContexts } from './eec-context-relocation.ts'
import { ACRScenario } from './ees-registration.ts'
import { listOf } from './forms.ts'
import { CandidateDnaisInfo } from './target-ees-discovery.ts'
import { DateTime } from './ts29122/basic-types.ts'
import { LocationArea5G } from './ts29122/location-area.ts'
import { SupportedFeatures } from './ts29571/basic-types.ts'
import { Dnai, PlmnIdNid } from './ts29571/network-identifiers.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'
import { TunnelInfo } from './tunnel-info.ts'

/**
 * Query strings, by the operation that takes them and once they are decoded: what an OpenAPI file declares with
 * `content` is JSON in the query; of the rest, objects are spread over parameters and lists are joined or repeated.
 */

/** Eecs_TargetEESDiscovery: TS 29.558 9.2. */
export const GetEESProfilesQuery = Type.Object({
  /** the EES that asks: must be the one of the credential */
  'ees-id': Type.String(),
  'eas-id': Type.String(),
  'target-dnai': Type.Optional(Dnai),
  'cand-dnais-info': Type.Optional(listOf(CandidateDnaisInfo)),
  'ue-id': Type.Optional(Gpsi),
  /** JSON */
  'ue-location': Type.Optional(LocationArea5G),
  'eec-srv-cont-supp': Type.Optional(EECSrvContinuitySupport),
  'ac-svc-cont-supp': Type.Optional(listOf(ACRScenario)),
  'bdl-id': Type.Optional(Type.String()),
  'bdl-type': Type.Optional(BdlType),
  'eas-ids-list': Type.Optional(listOf(Type.String())),
  'ens-ind': Type.Optional(Type.Boolean()),
  'app-grp-id': Type.Optional(Type.String()),
  'supp-feats': Type.Optional(SupportedFeatures),
  'serving-mno-info': Type.Optional(PlmnIdNid),
  'pred-exp-time': Type.Optional(DateTime),
  /** JSON */
  'tunnel-info': Type.Optional(TunnelInfo),
})
export type GetEESProfilesQuery = Static<typeof GetEESProfilesQuery>

/** Eees_EECContextRelocation: TS 29.558. */
export const PullEecContextsQuery = Type.Object({
  /** the EES that asks: must be the one of the credential */
  'ees-id': Type.String(),
  'eec-cntx-id': Type.String(),
  /** JSON */
  'sess-cntxs': Type.Optional(SessionContexts),
})
export type PullEecContextsQuery = Static<typeof PullEecContextsQuery>
