import { type Static, Type } from 'typebox'
import { EASProfile } from './eas-profile.ts'
import { DateTime } from './ts29122/basic-types.ts'
import { DateTimeRm, SupportedFeatures } from './ts29571/basic-types.ts'

/** Eees_EASRegistration, EDGE-3: TS 29.558 8.1. */

export const EASRegistration = Type.Object({
  easProf: EASProfile,
  expTime: Type.Optional(DateTime),
  suppFeat: Type.Optional(SupportedFeatures),
})
export type EASRegistration = Static<typeof EASRegistration>

/** A merge patch (RFC 7396); the profile in it is a whole one. */
export const EASRegistrationPatch = Type.Object({
  easProf: Type.Optional(EASProfile),
  expTime: Type.Optional(DateTimeRm),
})
export type EASRegistrationPatch = Static<typeof EASRegistrationPatch>
