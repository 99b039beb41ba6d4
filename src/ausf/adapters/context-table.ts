import { LRUCache } from 'lru-cache'
import type { Random } from '../../ports/random.ts'
import type { Context, Contexts } from '../authentication/context.ts'

interface Entry {
  readonly context: Context
  /** milliseconds, monotonic */
  readonly expiresAt: number
}

/** When there are more, the oldest challenge is forgotten: its UE begins anew. */
const MOST_CONTEXTS = 100_000
/** For as long as its result may be taken back. */
const ENDED_LIFETIME = 86_400_000

interface ContextTableOptions {
  readonly random: Pick<Random, 'uuid'>
  /** milliseconds */
  readonly monotonic: () => number
  /** milliseconds that a UE has for its answer */
  readonly lifetime: number
}

/** The contexts of an AUSF, in memory: what a restart forgets is authenticated again. */
export function contextTable({ random, monotonic, lifetime }: ContextTableOptions): Contexts & { prune(): void } {
  const byRand = new Map<string, string>()
  const entries = new LRUCache<string, Entry>({
    max: MOST_CONTEXTS,
    dispose({ context }, authCtxId) {
      const rand = randOf(context)
      if (rand !== undefined && byRand.get(rand) === authCtxId) byRand.delete(rand)
    },
  })

  const contexts: Contexts & { prune(): void } = {
    open(context) {
      const authCtxId = random.uuid()
      contexts.putBack(authCtxId, context)
      return authCtxId
    },
    take(authCtxId, seaf) {
      const entry = entries.get(authCtxId)
      if (entry?.context.seaf !== seaf) return undefined
      entries.delete(authCtxId)
      return entry.expiresAt > monotonic() ? entry.context : undefined
    },
    takeByRand(rand, seaf) {
      const authCtxId = byRand.get(rand.toString('hex'))
      const context = authCtxId === undefined ? undefined : contexts.take(authCtxId, seaf)
      return context?.method === '5G_AKA' ? context : undefined
    },
    putBack(authCtxId, context) {
      const expiresAt = monotonic() + (context.method === 'ended' ? ENDED_LIFETIME : lifetime)
      entries.set(authCtxId, { context, expiresAt })
      const rand = randOf(context)
      if (rand !== undefined) byRand.set(rand, authCtxId)
    },
    prune() {
      const now = monotonic()
      for (const [authCtxId, { expiresAt }] of entries.entries()) if (expiresAt <= now) entries.delete(authCtxId)
    },
  }
  return contexts
}

/** Only in 5G AKA a synchronisation failure comes back by its RAND. */
function randOf(context: Context): string | undefined {
  return context.method === '5G_AKA' ? context.rand.toString('hex') : undefined
}
