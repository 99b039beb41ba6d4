import { LRUCache } from 'lru-cache'
import type { Log } from '../http/log.ts'
import { ALARM, type Alarm } from '../http/observation.ts'

/** Who and what an operator should hear of. */
export type AlarmName =
  | 'certificate-refused'
  | 'foreign-client'
  | 'caller-refused'
  | 'key-id-unknown'
  | 'foreign-ecs-named'
  | 'rate-limit'
  | 'signing-key-ends'

export interface Alarms {
  /** @param who - a name that a certificate proved, or an address */
  raise(name: AlarmName, who: string): void
  /** how often it was raised since the start */
  count(name: AlarmName): number
}

const PARTIES = 10_000

/**
 * Counts everything; logs the first, the second, the fourth, the eighth ..., so that an attack does not fill the log.
 */
export function createAlarms(log: Log): Alarms {
  const totals = new Map<AlarmName, number>()
  const parties = new LRUCache<string, number>({ max: PARTIES })
  return {
    raise(name, who) {
      totals.set(name, (totals.get(name) ?? 0) + 1)
      ALARM.publish({ alarm: name } satisfies Alarm)
      const count = (parties.get(`${name} ${who}`) ?? 0) + 1
      parties.set(`${name} ${who}`, count)
      if ((count & (count - 1)) === 0) log.warn({ alarm: name, who, count }, 'alarm')
    },
    count: (name) => totals.get(name) ?? 0,
  }
}
