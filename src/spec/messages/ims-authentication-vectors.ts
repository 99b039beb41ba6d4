import { type Static, Type } from 'typebox'
import {
  Autn,
  ConfidentialityKey,
  IntegrityKey,
  Rand,
  ResynchronizationInfo as UeauResynchronizationInfo,
  Xres,
} from './authentication-vectors.ts'

/** What Nudm_UEAU takes over from TS 29.562, Nhss_imsUEAU. */

export const ResynchronizationInfo = UeauResynchronizationInfo

/** `3GAkaAv` */
export const ThreeGAkaAv = Type.Object({
  rand: Rand,
  xres: Xres,
  autn: Autn,
  ck: ConfidentialityKey,
  ik: IntegrityKey,
})
export type ThreeGAkaAv = Static<typeof ThreeGAkaAv>
