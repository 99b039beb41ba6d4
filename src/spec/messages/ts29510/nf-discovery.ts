import { type Static, Type } from 'typebox'
import { listOf, openEnum } from '../forms.ts'

/** Why Nnrf_NFDiscovery of TS 29.510 found no profile, as problem details tell it. */

export const NoProfileMatchReason = openEnum([
  'REQUESTER_PLMN_NOT_ALLOWED',
  'TARGET_NF_SUSPENDED',
  'TARGET_NF_UNDISCOVERABLE',
  'QUERY_PARAMS_COMBINATION_NO_MATCH',
  'TARGET_NF_TYPE_NOT_SUPPORTED',
  'UNSPECIFIED',
])
export type NoProfileMatchReason = Static<typeof NoProfileMatchReason>

export const QueryParameter = Type.Object({ name: Type.String(), value: Type.String() })

export const QueryParamCombination = Type.Object({ queryParams: listOf(QueryParameter) })

export const NoProfileMatchInfo = Type.Object({
  reason: NoProfileMatchReason,
  queryParamCombinationList: Type.Optional(listOf(QueryParamCombination)),
})
export type NoProfileMatchInfo = Static<typeof NoProfileMatchInfo>
