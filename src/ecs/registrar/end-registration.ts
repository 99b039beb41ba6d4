import type { RegistrationId } from '../../spec/identifiers.ts'
import { type EesPeer, ownRegistration, type Registration } from './registration.ts'

/** How a registration ends, and what its certificates are revoked for (RFC 5280 5.3.1). */
export type Ending = 'deregistered' | 'expired' | 'revoked'

export interface EndingPorts {
  now(): number
  /**
   * One commit: the registration ends, its certificates are revoked, and its keys are set free, unless it ends as revoked.
   * An expired one may keep both, by configuration, so that its EES can come back (D-8).
   *
   * @returns false if it had ended before
   */
  endRegistration(registration: Registration, ending: Ending): Promise<boolean>
  /** Closes what is open, now or when the answer under way has left, and publishes what was revoked. It does not fail. */
  cutOff(registrationId: RegistrationId, when: 'now' | 'after-answer'): Promise<void>
  /** live registrations whose time has passed, the oldest first */
  expiredRegistrations(limit: number): Promise<readonly Registration[]>
}

/** Eecs_EESRegistration, DELETE (TS 29.558 8.1.2.2.3.4; TR 33.839 6.Y.2, "deregistration"; THREATS ON-11). */
export async function deregister(ecs: EndingPorts, peer: EesPeer, registrationId: string | undefined): Promise<void> {
  const registration = ownRegistration(peer, registrationId)
  await ecs.endRegistration(registration, 'deregistered')
  void ecs.cutOff(registration.registrationId, 'after-answer')
}

/** The operator takes an EES off: its certificate, its tokens and its connections end with it (THREATS CA-06). */
export async function revoke(ecs: EndingPorts, registration: Registration): Promise<void> {
  await ecs.endRegistration(registration, 'revoked')
  await ecs.cutOff(registration.registrationId, 'now')
}

/**
 * Implicit deregistration (TS 23.558 8.4.4.3): an update was due before the expiration time.
 *
 * @returns how many registrations ended
 */
export async function deregisterExpired(ecs: EndingPorts): Promise<number> {
  let ended = 0
  for (;;) {
    const expired = await ecs.expiredRegistrations(100)
    for (const registration of expired) {
      if (await ecs.endRegistration(registration, 'expired')) ended++
      await ecs.cutOff(registration.registrationId, 'now')
    }
    if (expired.length < 100) return ended
  }
}
