import { setTimeout as wait } from 'node:timers/promises'
import type { Resolve } from '../../http/client.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import { NotUsable } from '../errors.ts'
import { type OnboardingBundle, readBundle } from '../onboarding/bundle.ts'
import { type OnboardingStore, onboardEes, type Presentation } from '../onboarding/onboard-ees.ts'
import { Registration } from '../registration/registration.ts'
import { connectOver } from './connect.ts'
import { eesFolder } from './ees-folder.ts'
import { newPrivateKey } from './private-key.ts'

export interface SdkOptions {
  /** a folder of its own for this EES, or another place to keep its key and its registration */
  readonly store: string | OnboardingStore
  /** where names are reached when DNS shall not be asked */
  readonly resolve?: Resolve
}

/**
 * EES onboarding (TR 33.839 6.Y.2): makes a key, shows the onboarding token once, keeps what comes back. What was done
 * is not done again, so this can stand at every start of the program.
 *
 * @param bundle - JSON text as `ecs invite` prints it, or what `readBundle` made of it
 * @throws NotUsable, PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function onboard(
  bundle: string | OnboardingBundle,
  presentation: Presentation,
  { store: place, resolve }: SdkOptions,
): Promise<Registration> {
  const store = storeAt(place)
  const connect = connectOver(resolve)
  const ports = { store, connect, clock: systemClock, random: systemRandom, wait }
  const credential = typeof bundle === 'string' ? readBundle(bundle) : bundle
  const { registration: stored, accessToken } = await onboardEes(ports, credential, presentation)
  const registration = new Registration(stored, { store, connect, clock: systemClock, newPrivateKey })
  if (accessToken !== undefined) registration.holdToken(accessToken)
  return registration
}

/** @throws NotUsable if no EES is onboarded there */
export async function openRegistration({ store: place, resolve }: SdkOptions): Promise<Registration> {
  const store = storeAt(place)
  const stored = await store.load()
  if (stored === undefined)
    throw new NotUsable('no EES is onboarded here: "edgeward ees onboard" does that, with a bundle')
  return new Registration(stored, { store, connect: connectOver(resolve), clock: systemClock, newPrivateKey })
}

const storeAt = (place: string | OnboardingStore) => (typeof place === 'string' ? eesFolder(place) : place)
