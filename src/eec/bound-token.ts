import type { Clock } from '../ports/clock.ts'
import type { Connection } from './connection.ts'
import type { ProofKey } from './proof-key.ts'

/** A token that is good with a proof by the key of this EEC alone. */
export interface BoundToken {
  readonly token: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** A token is no longer used in the last 30 s of its life, or in the last fifth of it if that is shorter. */
const RESERVE = { longest: 30_000, share: 0.2 }

/** A token, and until when it is relied on. */
export interface UsableToken {
  readonly token: BoundToken
  /** milliseconds since 1970 */
  readonly usableUntil: number
}

/** @param since - milliseconds since 1970, from before it was asked for */
export function usableFrom(since: number, token: BoundToken): UsableToken {
  const reserve = Math.min(RESERVE.longest, (token.expiresAt - since) * RESERVE.share)
  return { token, usableUntil: token.expiresAt - reserve }
}

/** One token, asked for when it is needed and used until shortly before it expires. */
export class HeldToken {
  readonly #ask: () => Promise<BoundToken>
  readonly #clock: Pick<Clock, 'now'>
  #held: UsableToken | undefined
  #asking: Promise<BoundToken> | undefined

  constructor(ask: () => Promise<BoundToken>, clock: Pick<Clock, 'now'>) {
    this.#ask = ask
    this.#clock = clock
  }

  /** However many need it at once, it is asked for once. @throws whatever asking throws; the next call asks again */
  async get(): Promise<BoundToken> {
    if (this.#held !== undefined && this.#clock.now() < this.#held.usableUntil) return this.#held.token
    this.#asking ??= this.#renew().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #renew(): Promise<BoundToken> {
    const since = this.#clock.now()
    const token = await this.#ask()
    this.#held = usableFrom(since, token)
    return token
  }
}

/**
 * Every request goes with a proof of the key, on a connection that says by itself who asks: what comes of it can be bound
 * to the key (RFC 9449 5).
 *
 * @param origin - of the connection
 */
export function withProof(connection: Connection, origin: string, key: ProofKey): Connection {
  return {
    open: () => connection.open(),
    close: () => connection.close(),
    async request(message) {
      const [path] = message.path.split('?', 1)
      const dpop = await key.prove({ method: message.method, uri: `${origin}${path}` })
      return connection.request({ ...message, headers: { ...message.headers, dpop } })
    },
  }
}

/**
 * Every request goes with the token and a proof for this very request: RFC 9449 7.1. Without a token none goes at all
 * (THREATS NG-03).
 *
 * @param origin - of the connection
 */
export function withToken(
  connection: Connection,
  origin: string,
  { token, key }: { readonly token: () => Promise<BoundToken>; readonly key: ProofKey },
): Connection {
  return {
    open: () => connection.open(),
    close: () => connection.close(),
    async request(message) {
      const { token: text } = await token()
      const [path] = message.path.split('?', 1)
      const dpop = await key.prove({ method: message.method, uri: `${origin}${path}`, token: text })
      return connection.request({ ...message, headers: { ...message.headers, authorization: `DPoP ${text}`, dpop } })
    },
  }
}
