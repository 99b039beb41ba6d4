import { LRUCache } from 'lru-cache'
import { encodeBase64url } from '../../octets/base64url.ts'
import type { Random } from '../../ports/random.ts'
import type { Exchange, RelayPorts } from '../authentication/eap-aka-relay.ts'

/** When there are more, the oldest one is forgotten: its terminal begins anew. */
const MOST_EXCHANGES = 100_000

interface Options {
  readonly random: Pick<Random, 'octets'>
  /** milliseconds */
  readonly monotonic: () => number
  /** milliseconds that a terminal has for its answer */
  readonly lifetime: number
}

/** Exchanges under way, in memory: what a restart forgets is begun anew. */
export function exchangeTable<Asked>({
  random,
  monotonic,
  lifetime,
}: Options): RelayPorts<Asked>['exchanges'] & { prune(): void } {
  const table = new LRUCache<string, { readonly exchange: Exchange<Asked>; readonly expiresAt: number }>({
    max: MOST_EXCHANGES,
  })
  return {
    open(exchange) {
      const session = encodeBase64url(random.octets(32))
      table.set(session, { exchange, expiresAt: monotonic() + lifetime })
      return session
    },
    take(session) {
      const entry = table.get(session)
      table.delete(session)
      return entry !== undefined && entry.expiresAt > monotonic() ? entry.exchange : undefined
    },
    prune() {
      const now = monotonic()
      for (const [session, { expiresAt }] of table.entries()) if (expiresAt <= now) table.delete(session)
    },
  }
}
