import type { KeyObject } from 'node:crypto'
import type { EecId, Gpsi } from '../../spec/subscriber-identifiers.ts'
import type { KeyId, KeyIdentity } from './key-id.ts'

/** A key by which an EEC may open TLS-PSK. It lives in memory only, until it expires (D-23). */
export interface EdgeKey {
  readonly identity: KeyIdentity
  readonly eecId: EecId
  readonly keyId: KeyId
  /** delivered with the key, if the network lets this ECS know it (D-16) */
  readonly gpsi?: Gpsi | undefined
  /** 32 octets */
  readonly key: KeyObject
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** A key as it is kept: one object for as long as it is the same key, by which connections remember it. */
export interface HeldKey {
  readonly identity: KeyIdentity
  readonly keyId: KeyId
  readonly key: KeyObject
  /** those for which it was asked; one, if the key is bound to its EEC (D-20) */
  readonly eecIds: ReadonlySet<EecId>
  readonly gpsi: Gpsi | undefined
  readonly expiresAt: number
}

interface Held extends HeldKey {
  readonly eecIds: Set<EecId>
  gpsi: Gpsi | undefined
  expiresAt: number
  usedAt: number
  /** milliseconds since 1970: when to ask whether it is still the key of its EEC */
  confirmAt: number
}

export interface KeyLimits {
  /** milliseconds after which a key that nobody uses is forgotten (D-23) */
  readonly idle: number
  /** milliseconds for which a network may let the key before the newest be good (D-22), and some more */
  readonly grace: number
  /** keys that some connection has proven */
  readonly proven: number
  /** keys that were delivered, and not yet proven: whoever asks for keys can fill this, and nothing else */
  readonly delivered: number
  /** EECs that may share a key that is not bound to one */
  readonly eecs: number
}

export const KEY_LIMITS: KeyLimits = { idle: 600_000, grace: 65_000, proven: 100_000, delivered: 20_000, eecs: 16 }

/** The keys that handshakes may use now. Both tables are bounded: the least recently used one goes first. */
export class PskKeys {
  readonly #delivered = new Map<string, Held>()
  readonly #proven = new Map<string, Held>()
  /** so that the keys before the newest are found */
  readonly #ofEec = new Map<EecId, Set<Held>>()
  readonly #now: () => number
  readonly #limits: KeyLimits
  #lost = false

  constructor(now: () => number, limits = KEY_LIMITS) {
    this.#now = now
    this.#limits = limits
  }

  /**
   * The key of an identity that has the same octets is the same key, as its network now speaks of it; another one takes
   * its place, and the connections of the earlier one have lost theirs.
   *
   * @returns false if it was not kept, because too many EECs share it
   */
  hold({ identity, keyId, eecId, key, gpsi, expiresAt }: EdgeKey): boolean {
    const known = this.#find(identity)
    const held = known?.key.equals(key) ? known : this.#add({ identity, keyId, key })
    if (!held.eecIds.has(eecId)) {
      if (held.eecIds.size >= this.#limits.eecs) return false
      held.eecIds.add(eecId)
      this.#doubtOthersOf(eecId, held)
    }
    Object.assign(held, { gpsi, expiresAt, usedAt: this.#now() })
    return true
  }

  /** @returns the key that a handshake may try now; that it is tried proves nothing, and is no use of it */
  find(identity: string): HeldKey | undefined {
    const held = this.#find(identity)
    return held !== undefined && held.expiresAt > this.#now() ? held : undefined
  }

  /** Whether this very key, which some connection has proven, is good now. */
  isGood(key: HeldKey): boolean {
    return this.find(key.identity) === key
  }

  /** A connection that has proven this key goes on to use it. */
  use(key: HeldKey): void {
    const held = this.#find(key.identity)
    if (held === undefined || held !== key) return
    held.usedAt = this.#now()
    this.#delivered.delete(held.identity)
    this.#proven.delete(held.identity)
    this.#makeRoom(this.#proven, this.#limits.proven)
    this.#proven.set(held.identity, held)
  }

  /** @returns keys that are perhaps no longer those of their EECs; they come again until they are confirmed or forgotten */
  inDoubt(): HeldKey[] {
    const now = this.#now()
    const doubted = [...this.#all()].filter(({ confirmAt }) => confirmAt <= now)
    for (const held of doubted) held.confirmAt = now + this.#limits.grace
    return doubted
  }

  confirm(identity: string): void {
    const held = this.#find(identity)
    if (held !== undefined) held.confirmAt = Number.POSITIVE_INFINITY
  }

  /** Forgets what has ended or is not used. @returns whether connections may have lost their keys since the last time */
  sweep(): boolean {
    const now = this.#now()
    for (const { identity, expiresAt, usedAt } of [...this.#all()]) {
      if (expiresAt <= now || usedAt + this.#limits.idle <= now) this.forget(identity)
    }
    const lost = this.#lost
    this.#lost = false
    return lost
  }

  forget(identity: string): void {
    const held = this.#find(identity)
    if (held === undefined) return
    if (this.#proven.delete(identity)) this.#lost = true
    this.#delivered.delete(identity)
    for (const eecId of held.eecIds) {
      const others = this.#ofEec.get(eecId)
      others?.delete(held)
      if (others?.size === 0) this.#ofEec.delete(eecId)
    }
  }

  get size(): number {
    return this.#delivered.size + this.#proven.size
  }

  #find(identity: string): Held | undefined {
    return this.#proven.get(identity) ?? this.#delivered.get(identity)
  }

  *#all(): Iterable<Held> {
    yield* this.#delivered.values()
    yield* this.#proven.values()
  }

  #add(key: Pick<EdgeKey, 'identity' | 'keyId' | 'key'>): Held {
    this.forget(key.identity)
    this.#makeRoom(this.#delivered, this.#limits.delivered)
    const held = {
      ...key,
      eecIds: new Set<EecId>(),
      gpsi: undefined,
      expiresAt: 0,
      usedAt: this.#now(),
      confirmAt: Number.POSITIVE_INFINITY,
    }
    this.#delivered.set(key.identity, held)
    return held
  }

  #makeRoom(table: Map<string, Held>, most: number): void {
    if (table.size >= most) this.forget(table.keys().next().value ?? '')
  }

  /**
   * An EEC that has another key now has perhaps authenticated anew, and then its earlier key ends (THREATS KE-03). But
   * somebody else may have named this EEC: the network knows, and is asked.
   */
  #doubtOthersOf(eecId: EecId, newest: Held): void {
    const all = this.#ofEec.get(eecId) ?? new Set()
    for (const held of all) {
      if (held.keyId !== newest.keyId) held.confirmAt = Math.min(held.confirmAt, this.#now() + this.#limits.grace)
    }
    this.#ofEec.set(eecId, all.add(newest))
  }
}
