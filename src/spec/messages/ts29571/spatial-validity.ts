import { type Static, Type } from 'typebox'
import { listOf } from '../forms.ts'
import { CivicAddress } from '../ts29572/civic-address.ts'
import { GeographicArea } from '../ts29572/geographic-area.ts'
import { Mcc, Tai } from './network-identifiers.ts'

/** Where something holds: TS 29.571 5.4.4. */

export const GeoServiceArea = Type.Object({
  geographicAreaList: Type.Optional(listOf(GeographicArea)),
  civicAddressList: Type.Optional(listOf(CivicAddress)),
})
export type GeoServiceArea = Static<typeof GeoServiceArea>

export const SpatialValidityCond = Type.Object({
  trackingAreaList: Type.Optional(listOf(Tai)),
  countries: Type.Optional(listOf(Mcc)),
  geographicalServiceArea: Type.Optional(GeoServiceArea),
})
export type SpatialValidityCond = Static<typeof SpatialValidityCond>
