import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { Timers } from '../../ports/timers.ts'
import type { EESRegistration } from '../../spec/messages/ees-registration.ts'
import { delayAfter } from '../retry.ts'
import { hasEnded, type Registration } from './registration.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const BACKOFF = { first: 5 * SECOND, longest: 900 * SECOND }
/** Between two requests that nobody asked for, whatever times the ECS answers. */
const SHORTEST_PAUSE = 10 * SECOND
/** Never asleep for longer, so that a wall clock that was set is noticed (THREATS TM-01). */
const LONGEST_SLEEP = HOUR
/** The part of the time between `renewAfter` and the end of the certificate over which the renewals of many EESs spread. */
const SPREAD = 0.1

export interface KeepingPorts {
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'fraction'>
  readonly timers: Pick<Timers, 'after'>
}

/** Hears what happens while nobody asks. */
export interface KeepingObserver {
  renewed?(registration: EESRegistration): void
  extended?(registration: EESRegistration): void
  /** @param again - milliseconds until the next attempt */
  failed?(error: unknown, again: number): void
  /** The registration is no more: this EES has to be onboarded anew. */
  ended?(): void
}

type Kept = Pick<Registration, 'record' | 'certificate' | 'reload' | 'renew' | 'modify'>

/**
 * Keeps a registration and its certificate alive: the certificate is renewed from `renewAfter` (D-7), and an expiration
 * time that comes before the end of the certificate is moved when two thirds of the time to it have passed
 * (TS 23.558 8.4.4.3: an update is due before it).
 *
 * @returns a function that ends the keeping, not the registration
 */
export function keepRegistered(
  registration: Kept,
  { clock, random, timers }: KeepingPorts,
  observer: KeepingObserver = {},
): () => void {
  let stopped = false
  let cancel = () => {}
  let failures = 0
  let since = clock.now()
  let fraction = random.fraction()

  const tend = async () => {
    if (!(await registration.reload())) return end()
    const { renewAt, extendAt } = nextDue(registration, since, fraction)
    const now = clock.now()
    if (renewAt <= now) await renew()
    else if (extendAt <= now) await extend()
    else return sleep(Math.min(renewAt, extendAt) - now)
    since = clock.now()
    fraction = random.fraction()
    failures = 0
    sleep(0)
  }
  const renew = async () => observer.renewed?.(await registration.renew())
  const extend = async () => {
    const expTime = new Date(registration.certificate.notAfter).toISOString()
    observer.extended?.(await registration.modify({ expTime }))
  }
  const end = () => {
    stopped = true
    observer.ended?.()
  }
  const retry = (error: unknown) => {
    if (hasEnded(error)) return end()
    const again = delayAfter(++failures, BACKOFF, random)
    observer.failed?.(error, again)
    sleep(again)
  }
  const sleep = (milliseconds: number) => {
    if (stopped) return
    cancel = timers.after(Math.max(SECOND, Math.min(milliseconds, LONGEST_SLEEP)), () => {
      tend().catch(retry)
    })
  }

  sleep(0)
  return () => {
    stopped = true
    cancel()
  }
}

/** Milliseconds since 1970. */
interface Due {
  readonly renewAt: number
  readonly extendAt: number
}

/** @param since - when the ECS was last asked */
function nextDue({ record, certificate }: Kept, since: number, fraction: number): Due {
  const { notAfter } = certificate
  const renewAfter = Date.parse(record.authInfo.renewAfter)
  const { expTime } = record.registration
  const expires = expTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(expTime)
  const soonest = since + SHORTEST_PAUSE
  return {
    renewAt: Math.max(soonest, renewAfter + Math.max(0, notAfter - renewAfter) * SPREAD * fraction),
    // A registration that lasts as long as its certificate is moved by the renewal.
    extendAt: expires < notAfter ? Math.max(soonest, since + ((expires - since) * 2) / 3) : Number.POSITIVE_INFINITY,
  }
}
