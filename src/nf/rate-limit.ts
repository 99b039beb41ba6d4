import { LRUCache } from 'lru-cache'
import { type Static, Type } from 'typebox'

interface Bucket {
  tokens: number
  filledAt: number
}

/** How many callers are remembered; who is forgotten begins with a full bucket. */
const CALLERS = 10_000

/** Also as a configuration says it. */
export const Rate = Type.Object(
  {
    perSecond: Type.Number({ minimum: 0.01, maximum: 100_000 }),
    /** how many may come at once */
    burst: Type.Integer({ minimum: 1, maximum: 100_000 }),
  },
  { additionalProperties: false },
)
export type Rate = Static<typeof Rate>

/**
 * A token bucket for each caller.
 *
 * @param monotonic - milliseconds
 * @returns whether this caller may go on
 */
export function rateLimit({ perSecond, burst }: Rate, monotonic: () => number): (caller: string) => boolean {
  const buckets = new LRUCache<string, Bucket>({ max: CALLERS })
  return (caller) => {
    const now = monotonic()
    const bucket = buckets.get(caller) ?? { tokens: burst, filledAt: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) * perSecond) / 1000)
    bucket.filledAt = now
    buckets.set(caller, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}
