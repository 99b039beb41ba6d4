import type { Registration } from '../registrar/registration.ts'
import type { CertificateState, RegistrationState } from '../tables.ts'

/** What the operator sees of an EES. Times are RFC 3339. */
export interface EesDescription {
  readonly registrationId: string
  readonly eesId: string
  readonly fqdn: string
  readonly state: RegistrationState
  readonly expTime: string
  readonly eesProf: Registration['eesProf']
  readonly certificates: readonly CertificateDescription[]
}

export interface CertificateDescription {
  /** hexadecimal */
  readonly serial: string
  readonly state: CertificateState
  readonly notAfter: string
  readonly revokedAt?: string
}

interface CertificateRecord {
  readonly serial: string
  readonly state: CertificateState
  readonly not_after: number
  readonly revoked_at: number | null
}

export function describeEes(registration: Registration, certificates: readonly CertificateRecord[]): EesDescription {
  const { registrationId, eesId, fqdn, state, expiresAt, eesProf } = registration
  return {
    registrationId,
    eesId,
    fqdn,
    state,
    expTime: new Date(expiresAt).toISOString(),
    eesProf,
    certificates: certificates.map(({ serial, state: certificateState, not_after, revoked_at }) => ({
      serial,
      state: certificateState,
      notAfter: new Date(not_after).toISOString(),
      ...(revoked_at !== null && { revokedAt: new Date(revoked_at).toISOString() }),
    })),
  }
}
