import { type Static, Type } from 'typebox'
import { listOf } from './forms.ts'
import { Ecgi, Ncgi, PlmnIdNid, Tai } from './ts29571/network-identifiers.ts'
import { CivicAddress } from './ts29572/civic-address.ts'
import { GeographicArea } from './ts29572/geographic-area.ts'

/** From where an edge service may be used: TS 29.558 9.1.5.2.5 to 9.1.5.2.7. */

export const TopologicalServiceArea = Type.Object({
  ecgis: Type.Optional(listOf(Ecgi)),
  ncgis: Type.Optional(listOf(Ncgi)),
  tais: Type.Optional(listOf(Tai)),
  plmnIds: Type.Optional(listOf(PlmnIdNid)),
})
export type TopologicalServiceArea = Static<typeof TopologicalServiceArea>

export const GeographicalServiceArea = Type.Object({
  geoArs: Type.Optional(listOf(GeographicArea)),
  civicAddrs: Type.Optional(listOf(CivicAddress)),
})
export type GeographicalServiceArea = Static<typeof GeographicalServiceArea>

export const ServiceArea = Type.Object({
  topServAr: Type.Optional(TopologicalServiceArea),
  geoServAr: Type.Optional(GeographicalServiceArea),
})
export type ServiceArea = Static<typeof ServiceArea>
