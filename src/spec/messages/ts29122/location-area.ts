import { type Static, Type } from 'typebox'
import { NetworkAreaInfo } from '../network-area.ts'
import { CivicAddress } from '../ts29572/civic-address.ts'
import { GeographicArea } from '../ts29572/geographic-area.ts'

/** An area by its shape, its addresses or its cells: TS 29.122 5.2.1.2. */
export const LocationArea5G = Type.Object({
  geographicAreas: Type.Optional(Type.Array(GeographicArea)),
  civicAddresses: Type.Optional(Type.Array(CivicAddress)),
  nwAreaInfo: Type.Optional(NetworkAreaInfo),
})
export type LocationArea5G = Static<typeof LocationArea5G>
