import { type Static, Type } from 'typebox'
import { hexDigits, matching, openEnum } from '../forms.ts'

/** Identifiers of networks, their functions, slices, areas and cells: TS 29.571 5.3 and 5.4. */

export const NfInstanceId = Type.String({ format: 'uuid' })
export const NfGroupId = Type.String()
export const NfSetId = Type.String()
export const NfServiceSetId = Type.String()

export const Mcc = matching(/^\d{3}$/)
export const Mnc = matching(/^\d{2,3}$/)
/** Network identifier of a stand-alone non-public network. */
export const Nid = hexDigits(11)

/** A closed access group within a network. */
export const CagId = hexDigits(8)

export const PlmnId = Type.Object({ mcc: Mcc, mnc: Mnc })
export type PlmnId = Static<typeof PlmnId>

export const PlmnIdNid = Type.Object({ mcc: Mcc, mnc: Mnc, nid: Type.Optional(Nid) })
export type PlmnIdNid = Static<typeof PlmnIdNid>

/** Data network name, with or without its operator identifier. */
export const Dnn = Type.String()
/** Data network access identifier: where a user plane meets an edge data network. */
export const Dnai = Type.String()

export const Snssai = Type.Object({
  sst: Type.Integer({ minimum: 0, maximum: 255 }),
  sd: Type.Optional(hexDigits(6)),
})
export type Snssai = Static<typeof Snssai>

/** 2 octets in EPS, 3 octets in 5GS. */
export const Tac = matching(/(^[A-Fa-f0-9]{4}$)|(^[A-Fa-f0-9]{6}$)/)

export const Tai = Type.Object({ plmnId: PlmnId, tac: Tac, nid: Type.Optional(Nid) })
export type Tai = Static<typeof Tai>

/** 28 bits. */
export const EutraCellId = hexDigits(7)

export const Ecgi = Type.Object({ plmnId: PlmnId, eutraCellId: EutraCellId, nid: Type.Optional(Nid) })
export type Ecgi = Static<typeof Ecgi>

/** 36 bits. */
export const NrCellId = hexDigits(9)

export const Ncgi = Type.Object({ plmnId: PlmnId, nrCellId: NrCellId, nid: Type.Optional(Nid) })
export type Ncgi = Static<typeof Ncgi>

/** Open as every enumeration of TS 29.571, although a misplaced line break closes it in the published file. */
export const RatType = openEnum([
  'NR',
  'EUTRA',
  'WLAN',
  'VIRTUAL',
  'NBIOT',
  'WIRELINE',
  'WIRELINE_CABLE',
  'WIRELINE_BBF',
  'LTE-M',
  'NR_U',
  'EUTRA_U',
  'TRUSTED_N3GA',
  'TRUSTED_WLAN',
  'UTRA',
  'GERA',
  'NR_LEO',
  'NR_MEO',
  'NR_GEO',
  'NR_OTHER_SAT',
  'NR_REDCAP',
  'WB_E_UTRAN_LEO',
  'WB_E_UTRAN_MEO',
  'WB_E_UTRAN_GEO',
  'WB_E_UTRAN_OTHERSAT',
  'NB_IOT_LEO',
  'NB_IOT_MEO',
  'NB_IOT_GEO',
  'NB_IOT_OTHERSAT',
  'LTE_M_LEO',
  'LTE_M_MEO',
  'LTE_M_GEO',
  'LTE_M_OTHERSAT',
  'NR_EREDCAP',
  'HSPA_EVOLUTION',
])
export type RatType = Static<typeof RatType>
