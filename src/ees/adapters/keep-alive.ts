import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import { systemTimers } from '../../ports/timers.ts'
import { followAuthority } from '../registration/follow-authority.ts'
import { type KeepingObserver, keepRegistered } from '../registration/keep-registered.ts'
import type { Registration } from '../registration/registration.ts'

/**
 * Renews the certificate and extends the registration before either ends, and follows the ECS when its certificate
 * authority changes, for as long as the process runs.
 *
 * @returns a function that ends the keeping, not the registration
 */
export function keepAlive(registration: Registration, observer?: KeepingObserver): () => void {
  const ports = { clock: systemClock, random: systemRandom, timers: systemTimers }
  const stops = [keepRegistered(registration, ports, observer), followAuthority(registration, ports, observer)]
  return () => {
    for (const stop of stops) stop()
  }
}
