import type { KeyObject } from 'node:crypto'
import type { Clock } from '../ports/clock.ts'
import { Refusal } from '../spec/refusal.ts'
import { type KeySource, readJwkSet } from './key-set.ts'

/** The keys of one issuer as it showed them last. */
export interface FetchedKeys {
  get(...name: Parameters<KeySource['get']>): KeyObject | undefined
}

export interface IssuerKeysPorts {
  /** what this one issuer publishes, over TLS that trusts the pinned root alone */
  readonly fetch: () => Promise<Uint8Array>
  /** `readJwkSet` unless stated; throws for anything that is not to be relied on */
  readonly read?: (octets: Uint8Array) => FetchedKeys
  readonly clock: Pick<Clock, 'monotonic'>
  /** hears of each failure to fetch */
  readonly failed?: (error: unknown) => void
}

/**
 * Milliseconds. A key that the issuer has taken back is asked about after `fresh`, and gone after `usable` at the
 * latest.
 */
const TIMES = { betweenFetches: 30_000, fresh: 300_000, usable: 900_000 }

/**
 * The keys of one issuer (RFC 7517 5). An unknown `kid` makes them be fetched again, but not more often than every 30 s
 * and never twice at a time, whatever kids a stranger invents (THREATS TK-12). Nothing but the issuer's own address is
 * ever asked, and a `kid` is a map key only (THREATS TK-02).
 *
 * @throws Refusal NF_CONGESTION from `get` while there are no keys that can be relied on: fails closed
 */
export function issuerKeys({ fetch, read = readJwkSet, clock, failed }: IssuerKeysPorts): KeySource {
  let keys: FetchedKeys | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let failure: unknown
  let underWay: Promise<void> | undefined

  const refetch = async () => {
    triedAt = clock.monotonic()
    try {
      keys = read(await fetch())
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
    async get(...name): Promise<KeyObject | undefined> {
      const known = isYounger(TIMES.usable) ? keys?.get(...name) : undefined
      if (known !== undefined) {
        // An issuer that is down for a minute shall not take its EESs with it.
        if (!isYounger(TIMES.fresh)) void refetchOnce()
        return known
      }
      await refetchOnce()
      const unsure = failure !== undefined || !isYounger(TIMES.usable)
      if (unsure) throw new Refusal('NF_CONGESTION', 'the keys of the issuer cannot be had now', { cause: failure })
      return keys?.get(...name)
    },
  }
}
