import { sha256Base64url } from '../octets/digest.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { MAX_SKEW } from '../tokens/claims.ts'

/** At 5,000 requests a second, each with a proof of 90 s at most. One entry takes about 130 octets. */
const CAPACITY = 500_000

export interface Use {
  /** two uses have the same name if one is a replay of the other */
  readonly name: string
  /** when the thing was made: seconds since 1970-01-01T00:00:00Z */
  readonly iat: number
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly goodUntil: number
}

/**
 * What was used and must not be used again: the `jti` of proofs and of tokens that are good once (RFC 9449 11.1, D-14).
 * An entry stays as long as the thing itself is good. When there is no room for another, the answer is no: nothing is
 * forgotten early. What was made before this memory began may have been used then, and is taken for used; when it was
 * made its maker says, so that a clock that is ahead leaves a gap of at most `MAX_SKEW` after a restart. A clock that
 * is set back by more than that begins a memory anew, with what it had: what was forgotten too early cannot come again,
 * and what is made from `MAX_SKEW` later on is new (THREATS TM-01).
 */
export class ReplayCache {
  readonly #capacity: number
  /** seconds since 1970-01-01T00:00:00Z */
  #since: number
  readonly #used = new Set<string>()
  /** by the second until which they stay */
  readonly #bySecond = new Map<number, string[]>()
  #now = 0

  /** @param since - when it begins: milliseconds since 1970-01-01T00:00:00Z */
  constructor(since: number, capacity = CAPACITY) {
    this.#since = Math.floor(since / 1000)
    this.#capacity = capacity
  }

  /** How many are remembered. */
  get size(): number {
    return this.#used.size
  }

  /**
   * @param now - milliseconds since 1970-01-01T00:00:00Z
   * @returns whether this is the first use
   * @throws Refusal NF_CONGESTION if there is no room
   */
  isFirst({ name, iat, goodUntil }: Use, now: number): boolean {
    if (now < this.#now - MAX_SKEW * 1000) this.#beginAnew(now)
    this.#forgetUntil(now)
    // A digest: no length that a client chooses, and no two that collide.
    const key = sha256Base64url(name)
    if (iat < this.#since || goodUntil <= this.#now || this.#used.has(key)) return false
    refuseUnless(this.#used.size < this.#capacity, 'NF_CONGESTION', 'no more credentials can be remembered now')
    this.#used.add(key)
    const second = Math.ceil(goodUntil / 1000)
    const others = this.#bySecond.get(second)
    if (others) others.push(key)
    else this.#bySecond.set(second, [key])
    return true
  }

  /** The makers of what is good now may be ahead of us by `MAX_SKEW`. */
  #beginAnew(now: number): void {
    this.#now = now
    this.#since = Math.floor(now / 1000) + MAX_SKEW + 1
  }

  #forgetUntil(now: number): void {
    const before = Math.floor(this.#now / 1000)
    this.#now = Math.max(this.#now, now)
    const current = Math.floor(this.#now / 1000)
    if (current === before) return
    for (const [second, keys] of this.#bySecond) {
      if (second > current) continue
      for (const key of keys) this.#used.delete(key)
      this.#bySecond.delete(second)
    }
  }
}
