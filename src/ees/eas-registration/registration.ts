import type { EASProfile } from '../../spec/messages/eas-profile.ts'
import type { EASRegistration } from '../../spec/messages/eas-registration.ts'

/** One EAS at this EES. Times are milliseconds since 1970. */
export interface EasRegistration {
  readonly registrationId: string
  readonly easId: string
  readonly easProf: EASProfile
  readonly expiresAt: number
}

export function toMessage({ easProf, expiresAt }: EasRegistration, suppFeat?: string): EASRegistration {
  return {
    easProf,
    expTime: new Date(expiresAt).toISOString(),
    // We support none of the features of TS 29.558 8.1.7 (TS 29.500 6.6.2).
    ...(suppFeat !== undefined && { suppFeat: '0' }),
  }
}
