import { type Static, Type } from 'typebox'
import { exactlyOneOf, matching } from '../forms.ts'
import { Nid, PlmnId } from './network-identifiers.ts'

/** The nodes of a radio access network: TS 29.571 5.4. */

export const N3IwfId = matching(/^[A-Fa-f0-9]+$/)
export const WAgfId = matching(/^[A-Fa-f0-9]+$/)
export const TngfId = matching(/^[A-Fa-f0-9]+$/)

export const GNbId = Type.Object({
  /** bits, of which `gNBValue` has as many and leading zeros */
  bitLength: Type.Integer({ minimum: 22, maximum: 32 }),
  gNBValue: matching(/^[A-Fa-f0-9]{6,8}$/),
})
export type GNbId = Static<typeof GNbId>

export const NgeNbId = matching(/^(MacroNGeNB-[A-Fa-f0-9]{5}|LMacroNGeNB-[A-Fa-f0-9]{6}|SMacroNGeNB-[A-Fa-f0-9]{5})$/)

export const ENbId = matching(
  /^(MacroeNB-[A-Fa-f0-9]{5}|LMacroeNB-[A-Fa-f0-9]{6}|SMacroeNB-[A-Fa-f0-9]{5}|HomeeNB-[A-Fa-f0-9]{7})$/,
)

export const GlobalRanNodeId = exactlyOneOf(
  Type.Object({
    plmnId: PlmnId,
    n3IwfId: Type.Optional(N3IwfId),
    gNbId: Type.Optional(GNbId),
    ngeNbId: Type.Optional(NgeNbId),
    wagfId: Type.Optional(WAgfId),
    tngfId: Type.Optional(TngfId),
    nid: Type.Optional(Nid),
    eNbId: Type.Optional(ENbId),
  }),
  ['n3IwfId', 'gNbId', 'ngeNbId', 'wagfId', 'tngfId', 'eNbId'],
)
export type GlobalRanNodeId = Static<typeof GlobalRanNodeId>
