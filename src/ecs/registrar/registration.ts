import type { EesId, Fqdn, RegistrationId } from '../../spec/identifiers.ts'
import type { EESProfile, EESRegistration } from '../../spec/messages/ees-registration.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { RegistrationState } from '../tables.ts'

/** What the operator admitted an EES with, beside its names. It binds every profile that the EES will ever send. */
export interface Admission {
  readonly provId?: string
  /** hosts and addresses other than the FQDN that its end point may have */
  readonly endPoints?: readonly string[]
}

/** One EES at this ECS. Times are milliseconds since 1970. */
export interface Registration {
  readonly registrationId: RegistrationId
  readonly eesId: EesId
  readonly fqdn: Fqdn
  readonly admission?: Admission
  readonly eesProf: EESProfile
  readonly suppFeat?: string
  /** counts the changes */
  readonly version: number
  readonly state: RegistrationState
  /** what the EES asked for, if it did */
  readonly askedUntil?: number
  readonly expiresAt: number
}

/** What an EES may change about its registration. */
export type RegistrationContent = Pick<Registration, 'eesProf' | 'suppFeat' | 'askedUntil'>

/** What a client certificate proved: an EES, and the registration that the certificate was issued for. */
export interface EesPeer {
  readonly eesId: EesId
  readonly fqdn: Fqdn
  /** `x5t#S256` of the certificate on this connection */
  readonly thumbprint: string
  readonly serial: string
  /** as it was stored when this request began */
  readonly registration: Registration
}

/** RFC 9110 8.8.3: strong, and new with every change. */
export const etagOf = ({ registrationId, version }: Registration) => `"${registrationId.slice(0, 8)}-${version}"`

export function toMessage({ eesProf, expiresAt, suppFeat }: Registration): EESRegistration {
  return { eesProf, expTime: new Date(expiresAt).toISOString(), ...(suppFeat !== undefined && { suppFeat }) }
}

export function contentOf({ eesProf, expTime, suppFeat }: EESRegistration): RegistrationContent {
  return {
    eesProf,
    ...(suppFeat !== undefined && { suppFeat }),
    ...(expTime !== undefined && { askedUntil: Date.parse(expTime) }),
  }
}

/**
 * The registration that the path names, if it is the caller's own. Somebody else's and none at all answer alike
 * (D-9, THREATS ON-08, HT-12).
 */
export function ownRegistration(peer: EesPeer, registrationId: string | undefined): Registration {
  const { registration } = peer
  refuseUnless(
    registration.registrationId === registrationId && registration.state === 'live',
    'REGISTRATION_NOT_FOUND',
    'the caller has no such registration',
  )
  return registration
}
