import { type Static, Type } from 'typebox'
import { listOf } from './forms.ts'
import { TimeWindow } from './ts29122/basic-types.ts'
import { RatType } from './ts29571/network-identifiers.ts'
import { GeographicArea } from './ts29572/geographic-area.ts'

/** When satellites cover an area: TS 29.549, SS_ASCAIInfoRetrieval. */
export const AscaiInfo = Type.Object({
  geoArea: GeographicArea,
  availTimeWnds: listOf(TimeWindow),
  availRatTypes: Type.Optional(listOf(RatType)),
})
export type AscaiInfo = Static<typeof AscaiInfo>
