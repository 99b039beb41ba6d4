import type { Random } from '../../ports/random.ts'
import type { Timers } from '../../ports/timers.ts'
import type { KeepingObserver } from './keep-registered.ts'
import type { Registration } from './registration.ts'

/** Milliseconds. The ECS counts on the first one before it lets another authority sign. */
const TIMES = { ask: 60_000, look: 5_000, spread: 20_000 }

export interface FollowingPorts {
  readonly random: Pick<Random, 'fraction'>
  readonly timers: Pick<Timers, 'after' | 'every'>
}

type Following = Pick<Registration, 'partners' | 'overtaken' | 'renew'>

/**
 * Trusts the roots that the ECS tells of, as it tells of them, and renews the certificate when another authority has begun
 * to sign: not at once, since all EESs of the ECS do.
 *
 * @returns a function that ends it
 */
export function followAuthority(
  registration: Following,
  { random, timers }: FollowingPorts,
  observer: Pick<KeepingObserver, 'renewed' | 'failed'> = {},
): () => void {
  let cancel: (() => void) | undefined
  const ask = () => registration.partners().catch((error: unknown) => observer.failed?.(error, TIMES.ask))
  const look = () => {
    if (registration.overtaken) cancel ??= timers.after(random.fraction() * TIMES.spread, () => void renew())
  }
  const renew = async () => {
    try {
      if (registration.overtaken) observer.renewed?.(await registration.renew())
    } catch (error) {
      observer.failed?.(error, TIMES.look)
    } finally {
      cancel = undefined
    }
  }
  void ask()
  const stops = [timers.every(TIMES.ask, () => void ask()), timers.every(TIMES.look, look)]
  return () => {
    for (const stop of stops) stop()
    cancel?.()
  }
}
