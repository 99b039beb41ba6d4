import { type Static, Type } from 'typebox'
import { listOf } from './forms.ts'
import { Dnai } from './ts29571/network-identifiers.ts'

/** Eecs_TargetEESDiscovery, EDGE-6: TS 29.558 9.2. It is a query (queries.ts), answered by an ECSServProvResp. */

export const CandidateDnaisInfo = Type.Object({
  candidateDnais: listOf(Dnai),
  candDnaisPrioInd: Type.Optional(Type.Boolean()),
})
export type CandidateDnaisInfo = Static<typeof CandidateDnaisInfo>
