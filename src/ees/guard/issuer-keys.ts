import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../ports/clock.ts'
import { Refusal } from '../../spec/refusal.ts'
import { type KeySet, type KeySource, readJwkSet } from '../../tokens/key-set.ts'

export interface IssuerKeysPorts {
  /** the JWK Set of this one issuer, over TLS that trusts the pinned root alone */
  readonly fetch: () => Promise<Uint8Array>
  readonly clock: Pick<Clock, 'monotonic'>
  /** hears of each failure to fetch */
  readonly failed?: (error: unknown) => void
}

/** Milliseconds. A key that the issuer has taken back is asked about after `fresh`, and gone after `usable` at the latest. */
const TIMES = { betweenFetches: 30_000, fresh: 300_000, usable: 900_000 }

/**
 * The keys of one issuer (RFC 7517 5). An unknown `kid` makes them be fetched again, but not more often than every 30 s
 * and never twice at a time, whatever kids a stranger invents (THREATS TK-12). Nothing but the issuer's own address is
 * ever asked, and a `kid` is a map key only (THREATS TK-02).
 *
 * @throws Refusal NF_CONGESTION from `get` while there are no keys that can be relied on: fails closed
 */
export function issuerKeys({ fetch, clock, failed }: IssuerKeysPorts): KeySource {
  let keys: KeySet | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let failure: unknown
  let underWay: Promise<void> | undefined

  const refetch = async () => {
    triedAt = clock.monotonic()
    try {
      keys = readJwkSet(await fetch())
      fetchedAt = triedAt
      failure = undefined
    } catch (error) {
      failure = error
      failed?.(error)
    }
  }
  const refetchOnce = (): Promise<void> => {
    if (underWay !== undefined) return underWay
    if (clock.monotonic() - triedAt < TIMES.betweenFetches) return Promise.resolve()
    underWay = refetch().finally(() => {
      underWay = undefined
    })
    return underWay
  }
  const isYounger = (age: number) => clock.monotonic() - fetchedAt < age

  return {
    async get(kid): Promise<KeyObject | undefined> {
      const known = isYounger(TIMES.usable) ? keys?.get(kid) : undefined
      if (known !== undefined) {
        // An issuer that is down for a minute shall not take its EESs with it.
        if (!isYounger(TIMES.fresh)) void refetchOnce()
        return known
      }
      await refetchOnce()
      const unsure = failure !== undefined || !isYounger(TIMES.usable)
      if (unsure) throw new Refusal('NF_CONGESTION', 'the keys of the issuer cannot be had now', { cause: failure })
      return keys?.get(kid)
    },
  }
}
