import { LRUCache } from 'lru-cache'
import { Refusal } from '../spec/refusal.ts'

export interface RequestLimits {
  /** requests under way at once */
  readonly pending: number
  /** of these, those of one caller: it cannot take the places of the others */
  readonly pendingOfCaller: number
  /** milliseconds for which what was not known is not asked for again */
  readonly unknownFor: number
  /** how much of that is remembered */
  readonly unknown: number
}

/**
 * Asks another network function for something of a caller's, or finds that somebody else is asking already.
 *
 * @param subject - what is asked for; asked for twice at once, it is one request
 * @returns undefined if it is not known
 * @throws Refusal NF_CONGESTION if too many requests are under way, and what `ask` throws; neither is remembered
 */
export type BoundedRequest<Answer> = (
  caller: string,
  subject: string,
  ask: () => Promise<Answer | undefined>,
) => Promise<Answer | undefined>

/**
 * Stands before another network function, so that whoever invents identifiers reaches it rarely (THREATS KE-08). What
 * was answered is not kept.
 *
 * @param monotonic - milliseconds
 */
export function boundedRequests<Answer>(limits: RequestLimits, monotonic: () => number): BoundedRequest<Answer> {
  const pending = new Map<string, Promise<Answer | undefined>>()
  const ofCaller = new Map<string, number>()
  const unknownUntil = new LRUCache<string, number>({ max: limits.unknown })

  const count = (caller: string, change: 1 | -1) => {
    const now = (ofCaller.get(caller) ?? 0) + change
    if (now === 0) ofCaller.delete(caller)
    else ofCaller.set(caller, now)
  }

  return async (caller, subject, ask) => {
    const name = `${caller} ${subject}`
    const underWay = pending.get(name)
    if (underWay !== undefined) return underWay
    if ((unknownUntil.get(name) ?? 0) > monotonic()) return undefined
    const full = pending.size >= limits.pending || (ofCaller.get(caller) ?? 0) >= limits.pendingOfCaller
    if (full) throw new Refusal('NF_CONGESTION', 'too many requests are under way')
    count(caller, 1)
    const asked = ask().finally(() => {
      pending.delete(name)
      count(caller, -1)
    })
    pending.set(name, asked)
    const answer = await asked
    if (answer === undefined) unknownUntil.set(name, monotonic() + limits.unknownFor)
    return answer
  }
}
