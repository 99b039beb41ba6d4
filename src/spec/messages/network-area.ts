import { type Static, Type } from 'typebox'
import { listOf } from './forms.ts'
import { Ecgi, Ncgi, Tai } from './ts29571/network-identifiers.ts'
import { GlobalRanNodeId } from './ts29571/radio-access-nodes.ts'

/** An area as the network knows it: TS 29.554, Npcf_BDTPolicyControl. */
export const NetworkAreaInfo = Type.Object({
  ecgis: Type.Optional(listOf(Ecgi)),
  ncgis: Type.Optional(listOf(Ncgi)),
  gRanNodeIds: Type.Optional(listOf(GlobalRanNodeId)),
  tais: Type.Optional(listOf(Tai)),
})
export type NetworkAreaInfo = Static<typeof NetworkAreaInfo>
