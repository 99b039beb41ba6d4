import { LRUCache } from 'lru-cache'
import type { Clock } from '../../ports/clock.ts'
import type { GrantedToken, TokenPurpose } from './token-exchange.ts'

/** Targets times scopes that one EES has in use at once; beyond it, the token that was longest unused is asked for again. */
const MOST_TOKENS = 1_000
/** A token is no longer used in the last 30 s of its life, or in the last fifth of it if that is shorter. */
const RESERVE = { longest: 30, share: 0.2 }

interface Held {
  readonly token: GrantedToken
  /** by the monotonic clock, so that no jump of the wall clock makes a token old or young (THREATS TM-01) */
  readonly usableUntil: number
}

/** The access tokens of one certificate: asked for once and used until shortly before they expire. */
export class AccessTokens {
  readonly #request: (purpose: TokenPurpose) => Promise<GrantedToken>
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #held = new LRUCache<string, Held>({ max: MOST_TOKENS })
  readonly #underWay = new Map<string, Promise<GrantedToken>>()

  constructor(request: (purpose: TokenPurpose) => Promise<GrantedToken>, clock: Pick<Clock, 'monotonic'>) {
    this.#request = request
    this.#clock = clock
  }

  /** One request to the ECS however many ask at once. */
  async get(purpose: TokenPurpose): Promise<GrantedToken> {
    const key = keyOf(purpose)
    const held = this.#held.get(key)
    if (held !== undefined && this.#clock.monotonic() < held.usableUntil) return held.token
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    const asked = this.#ask(purpose).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, asked)
    return asked
  }

  /** @param since - monotonic time at which its lifetime began, at the latest */
  hold(purpose: TokenPurpose, token: GrantedToken, since: number): void {
    const reserve = Math.min(RESERVE.longest, token.expiresIn * RESERVE.share)
    this.#held.set(keyOf(purpose), { token, usableUntil: since + (token.expiresIn - reserve) * 1000 })
  }

  /** A resource server did not take this token: the next one is a new one. */
  forget(purpose: TokenPurpose, { accessToken }: GrantedToken): void {
    const key = keyOf(purpose)
    if (this.#held.peek(key)?.token.accessToken === accessToken) this.#held.delete(key)
  }

  async #ask(purpose: TokenPurpose): Promise<GrantedToken> {
    const since = this.#clock.monotonic()
    const token = await this.#request(purpose)
    this.hold(purpose, token, since)
    return token
  }
}

function keyOf({ scope, target, eecId }: TokenPurpose): string {
  return `${target ?? ''} ${eecId ?? ''} ${scope.split(' ').toSorted().join(' ')}`
}
