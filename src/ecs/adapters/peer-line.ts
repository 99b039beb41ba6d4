import type { Message, Peer, Response } from '../../http/client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Timers } from '../../ports/timers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'

/** THREATS FW-08, in milliseconds. */
export const PEER_TIMES = { connect: 1_000, answer: 2_000, total: 3_000, rest: 1_000 }
/** Requests under way at one peer: a peer that hangs holds no more than these. */
const MOST_UNDER_WAY = 64
/** Failures in a row after which the peer is left alone for a while. */
const TOLERATED = 3

export interface PeerLine {
  /** @throws Refusal PEER_NOT_AVAILABLE, at once while the peer is left alone */
  ask(message: Message): Promise<Response>
  isLeftAlone(): boolean
  close(): void
}

/** @throws Refusal PEER_NOT_AVAILABLE when it takes longer than a request to another ECS may in all */
export function inTime<Result>(timers: Timers, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const tooLate = () => reject(new Refusal('PEER_NOT_AVAILABLE', 'the other ECS has not answered in time'))
  const cancel = timers.after(PEER_TIMES.total, tooLate)
  return Promise.race([work, promise]).finally(cancel)
}

/** One peer's own connection, its own places and its own circuit breaker: what it does to us, it does to itself alone. */
export function peerLine(peer: Peer, { monotonic }: Pick<Clock, 'monotonic'>, timers: Timers): PeerLine {
  let underWay = 0
  let failures = 0
  let leftAloneUntil = Number.NEGATIVE_INFINITY

  const isLeftAlone = () => monotonic() < leftAloneUntil
  return {
    async ask(message) {
      refuseUnless(!isLeftAlone(), 'PEER_NOT_AVAILABLE', 'the other ECS is not available now')
      // After a rest one request tries; the others wait for what it finds.
      const most = failures >= TOLERATED ? 1 : MOST_UNDER_WAY
      refuseUnless(underWay < most, 'PEER_NOT_AVAILABLE', 'the other ECS is not available now')
      underWay += 1
      try {
        const response = await inTime(timers, peer.request({ ...message, patience: PEER_TIMES.answer }))
        failures = 0
        return response
      } catch (cause) {
        failures += 1
        if (failures >= TOLERATED) leftAloneUntil = monotonic() + PEER_TIMES.rest
        throw new Refusal('PEER_NOT_AVAILABLE', 'the other ECS is not available now', { cause })
      } finally {
        underWay -= 1
      }
    },
    isLeftAlone,
    close: () => peer.close(),
  }
}
