import type { EESRegistration } from '../../spec/messages/ees-registration.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { boundsOf, checkProfile } from './check-profile.ts'
import { contentOf, type EesPeer, type Registration, type RegistrationContent } from './registration.ts'

export interface ReturnPorts {
  now(): number
  /**
   * One commit: an expired registration lives again, with this content.
   *
   * @throws Refusal EES_ALREADY_REGISTERED if somebody else of this identity or name is registered by now
   */
  reviveRegistration(registration: Registration, content: RegistrationContent): Promise<Registration>
}

/**
 * Eecs_EESRegistration, POST, as TS 29.558 9.1.2.2.3.1 has it: an EES that holds a certificate registers with its
 * profile alone. Its registration keeps its identifier, which the certificate names (D-9).
 */
export async function registerAgain(ecs: ReturnPorts, peer: EesPeer, message: EESRegistration): Promise<Registration> {
  const { registration } = peer
  refuseUnless(
    registration.state === 'expired',
    'EES_ALREADY_REGISTERED',
    'this EES is registered: update the registration',
  )
  checkProfile(message, boundsOf(registration), ecs.now())
  return ecs.reviveRegistration(registration, contentOf(message))
}
