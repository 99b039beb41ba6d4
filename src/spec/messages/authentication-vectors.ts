import { type Static, Type } from 'typebox'
import { hexDigits, matching, oneOf, openEnum } from './forms.ts'

/** Authentication vectors and their parts, in hexadecimal: TS 29.503, defined by Nudm_UEAU. Most of them are keys. */

export const Rand = hexDigits(32)
export const Autn = hexDigits(32)
export const Auts = hexDigits(28)
/** 4 to 16 octets */
export const Xres = matching(/^[A-Fa-f0-9]{8,32}$/)
export const XresStar = hexDigits(32)
export const Kausf = hexDigits(64)
export const Kasme = hexDigits(64)
export const CkPrime = hexDigits(32)
export const IkPrime = hexDigits(32)
export const ConfidentialityKey = hexDigits(32)
export const IntegrityKey = hexDigits(32)

export const AvType = openEnum(['5G_HE_AKA', 'EAP_AKA_PRIME'])
export type AvType = Static<typeof AvType>

export const HssAvType = openEnum(['EPS_AKA', 'EAP_AKA', 'IMS_AKA', 'GBA_AKA', 'UMTS_AKA'])
export type HssAvType = Static<typeof HssAvType>

export const Av5GHeAka = Type.Object({ avType: AvType, rand: Rand, xresStar: XresStar, autn: Autn, kausf: Kausf })
export type Av5GHeAka = Static<typeof Av5GHeAka>

export const AvEapAkaPrime = Type.Object({
  avType: AvType,
  rand: Rand,
  xres: Xres,
  autn: Autn,
  ckPrime: CkPrime,
  ikPrime: IkPrime,
})
export type AvEapAkaPrime = Static<typeof AvEapAkaPrime>

export const AvEpsAka = Type.Object({ avType: HssAvType, rand: Rand, xres: Xres, autn: Autn, kasme: Kasme })
export type AvEpsAka = Static<typeof AvEpsAka>

export const AvImsGbaEapAka = Type.Object({
  avType: HssAvType,
  rand: Rand,
  xres: Xres,
  autn: Autn,
  ck: ConfidentialityKey,
  ik: IntegrityKey,
})
export type AvImsGbaEapAka = Static<typeof AvImsGbaEapAka>

/** One of the two, by its members: a value with those of both is neither. */
export const AuthenticationVector = oneOf(AvEapAkaPrime, Av5GHeAka)
export type AuthenticationVector = Static<typeof AuthenticationVector>

/** What the USIM answers when it finds the sequence number out of range. */
export const ResynchronizationInfo = Type.Object({ rand: Rand, auts: Auts })
export type ResynchronizationInfo = Static<typeof ResynchronizationInfo>

export const ServingNetworkName = matching(/^(5G:mnc[0-9]{3}[.]mcc[0-9]{3}[.]3gppnetwork[.]org(:[A-F0-9]{11})?)$/)
