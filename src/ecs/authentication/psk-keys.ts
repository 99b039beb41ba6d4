import type { KedgeId, PskIdentity } from '../../spec/kedge-id.ts'
import type { EecId, Gpsi } from '../../spec/subscriber-identifiers.ts'

/** A key by which an EEC may open TLS-PSK. It lives in memory only, until it expires (D-23). */
export interface EdgeKey {
  readonly identity: PskIdentity | KedgeId
  readonly eecId: EecId
  readonly kedgeId: KedgeId
  /** delivered with the key, if the network lets this ECS know it (D-16) */
  readonly gpsi?: Gpsi
  /** 32 octets */
  readonly key: Buffer
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** An unused key is forgotten after this time, in milliseconds (D-23). */
const IDLE = 600_000

/** The keys that handshakes may use now: bounded, the least recently used one goes first. */
export class PskKeys {
  readonly #keys = new Map<string, EdgeKey & { usedAt: number }>()
  readonly #most: number
  readonly #now: () => number

  /** @param most - how many keys are held at once */
  constructor(now: () => number, most = 100_000) {
    this.#now = now
    this.#most = most
  }

  /** Takes the place of an earlier key of the same identity, whose octets are wiped. */
  hold(key: EdgeKey): void {
    this.forget(key.identity)
    if (this.#keys.size >= this.#most) this.forget(this.#keys.keys().next().value ?? '')
    this.#keys.set(key.identity, { ...key, usedAt: this.#now() })
  }

  /** @returns the key if it is good now */
  find(identity: string): EdgeKey | undefined {
    const held = this.#keys.get(identity)
    if (held === undefined || held.expiresAt <= this.#now()) return undefined
    held.usedAt = this.#now()
    return held
  }

  /** @returns the identities whose keys have ended, and are forgotten now */
  sweep(): string[] {
    const now = this.#now()
    const ended = [...this.#keys.values()].filter(({ expiresAt, usedAt }) => expiresAt <= now || usedAt + IDLE <= now)
    for (const { identity } of ended) this.forget(identity)
    return ended.filter(({ expiresAt }) => expiresAt <= now).map(({ identity }) => identity)
  }

  forget(identity: string): void {
    this.#keys.get(identity)?.key.fill(0)
    this.#keys.delete(identity)
  }

  get size(): number {
    return this.#keys.size
  }
}
