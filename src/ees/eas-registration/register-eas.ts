import type { EASRegistration, EASRegistrationPatch } from '../../spec/messages/eas-registration.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { endOf } from '../eec-registration/registration.ts'
import type { EasPeer } from '../peers.ts'
import type { EasRegistration } from './registration.ts'

export interface EasRegistrationPorts {
  now(): number
  /** milliseconds */
  readonly longest: number
  newId(): string
  /** @returns one that has not ended */
  findByEasId(easId: string): EasRegistration | undefined
  findByRegistrationId(registrationId: string): EasRegistration | undefined
  /** Keeps a new one, or the next state of one. @throws Refusal QUOTA_EXCEEDED */
  keep(registration: EasRegistration): Promise<void>
  remove(registration: EasRegistration): Promise<void>
}

/**
 * Eees_EASRegistration, POST: TS 29.558 8.1. An EAS has one registration, so one that registers again gets that one.
 *
 * @throws Refusal EAS_MISMATCH for the profile of another EAS than the credential's (THREATS RS-03)
 */
export async function registerEas(
  ees: EasRegistrationPorts,
  peer: EasPeer,
  { easProf, expTime }: EASRegistration,
): Promise<EasRegistration> {
  refuseForeign(peer, easProf.easId)
  const expiresAt = endOf(expTime, ees.now(), ees.longest)
  const registrationId = ees.findByEasId(peer.easId)?.registrationId ?? ees.newId()
  const registration = { registrationId, easId: peer.easId, easProf, expiresAt }
  await ees.keep(registration)
  return registration
}

/** Eees_EASRegistration, PUT. */
export async function replaceEas(
  ees: EasRegistrationPorts,
  peer: EasPeer,
  registrationId: string | undefined,
  { easProf, expTime }: EASRegistration,
): Promise<EasRegistration> {
  const registration = ownEas(ees, peer, registrationId)
  refuseForeign(peer, easProf.easId)
  const next = { ...registration, easProf, expiresAt: endOf(expTime, ees.now(), ees.longest) }
  await ees.keep(next)
  return next
}

/** Eees_EASRegistration, PATCH; `null` asks for the longest lifetime. */
export async function modifyEas(
  ees: EasRegistrationPorts,
  peer: EasPeer,
  registrationId: string | undefined,
  { easProf, expTime }: EASRegistrationPatch,
): Promise<EasRegistration> {
  const registration = ownEas(ees, peer, registrationId)
  if (easProf !== undefined) refuseForeign(peer, easProf.easId)
  const expiresAt = expTime === undefined ? registration.expiresAt : endOf(expTime ?? undefined, ees.now(), ees.longest)
  const next = { ...registration, ...(easProf && { easProf }), expiresAt }
  await ees.keep(next)
  return next
}

/** Eees_EASRegistration, DELETE. */
export async function deregisterEas(
  ees: EasRegistrationPorts,
  peer: EasPeer,
  registrationId: string | undefined,
): Promise<void> {
  await ees.remove(ownEas(ees, peer, registrationId))
}

/** Somebody else's and none at all answer alike (THREATS RS-03, HT-12). */
export function ownEas(ees: EasRegistrationPorts, peer: EasPeer, registrationId = ''): EasRegistration {
  const registration = ees.findByRegistrationId(registrationId)
  const isOwn = registration?.easId === peer.easId
  refuseUnless(registration !== undefined && isOwn, 'REGISTRATION_NOT_FOUND', 'the caller has no such registration')
  return registration
}

function refuseForeign({ easId }: EasPeer, named: string): void {
  refuseUnless(named === easId, 'EAS_MISMATCH', 'easId is not the EAS of the certificate')
}
