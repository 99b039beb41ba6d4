import { onboardEes } from '../../src/ees/onboarding/onboard-ees.ts'
import { Registration } from '../../src/ees/registration/registration.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { aPrivateKey, aStore } from './a-store.ts'
import { anEcs, connectionsTo, PROFILE, type Script } from './an-ecs.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')

const DOMAIN = await aDomain({ now: NOW })

/** A clock that a test moves. Both hands move together unless it says otherwise. */
export function aClock(now = NOW) {
  let [wall, steady] = [now, 5_000_000]
  return {
    now: () => wall,
    monotonic: () => steady,
    pass(milliseconds: number) {
      wall += milliseconds
      steady += milliseconds
    },
    set(next: number) {
      wall = next
    },
  }
}

/** An EES that is registered at a scripted ECS, without a network. */
export async function aRegistration(script: Script = {}) {
  const clock = aClock()
  const ecs = await anEcs({ now: clock.now, domain: DOMAIN, ...script })
  const { connect, opened } = connectionsTo(ecs)
  const { store, did, kept } = aStore()
  const onboarding = { store, connect, clock, random: { fraction: () => 0.5 }, wait: async () => {} }
  const { registration: stored } = await onboardEes(onboarding, ecs.bundle(), { eesProf: PROFILE })
  const open = () => new Registration(stored, { store, connect, clock, newPrivateKey: async () => aPrivateKey() })
  const forget = () => {
    for (const log of [ecs.asked, did, opened]) log.length = 0
  }
  forget()
  return { ecs, clock, store, did, kept, opened, open, forget, registration: open() }
}
