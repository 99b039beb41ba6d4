import { AnswerNotAccepted, acceptIf } from '../../http/response.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import type { EesToken } from '../../spec/messages/ees-tokens.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { inspectEecAccessToken } from '../../tokens/eec-access-token.ts'
import { type BoundToken, type UsableToken, usableFrom } from '../bound-token.ts'
import type { Ees } from './ees-session.ts'

/** Whose tokens are good for something here. */
export interface TokenHolder {
  readonly eecId: EecId
  /** RFC 7638 thumbprint of the key of this EEC */
  readonly jkt: string
}

/** The tokens that came with answers to provisioning (`eesTokens`, D-12), each for one EES. */
export class GivenTokens {
  readonly #holder: TokenHolder
  readonly #tokens = new Map<string, UsableToken>()

  constructor(holder: TokenHolder) {
    this.#holder = holder
  }

  /**
   * Takes over all of an answer, or none. Those of earlier answers stay while they are of use.
   *
   * @param since - milliseconds since 1970, from before the request
   * @throws AnswerNotAccepted if one is not for its EES, not of this EEC, not bound to its key, or has ended
   */
  take(tokens: readonly EesToken[], since: number): void {
    const taken = tokens.map((token) => [nameOf(token), usableFrom(since, this.#check(token, since))] as const)
    for (const [name, { usableUntil }] of this.#tokens) if (usableUntil <= since) this.#tokens.delete(name)
    for (const [name, token] of taken) this.#tokens.set(name, token)
  }

  /** @returns undefined if there is none for this EES under this name that can be used now */
  tokenFor({ eesId, fqdn }: Ees, now: number): BoundToken | undefined {
    const given = this.#tokens.get(nameOf({ eesId, audience: fqdn }))
    return given !== undefined && now < given.usableUntil ? given.token : undefined
  }

  /** The signature is for the EES to verify; the answer came from the ECS that signs. */
  #check({ accessToken, audience: name, expiresIn }: EesToken, now: number): BoundToken {
    const audience = parseFqdn(name)
    acceptIf(audience !== undefined, 'a token for an EES names none')
    const { sub, cnf, exp } = inspect(accessToken, { audience, now })
    acceptIf(sub === this.#holder.eecId, 'a token for an EES is of another EEC')
    acceptIf(cnf.jkt === this.#holder.jkt, 'a token for an EES is bound to another key')
    return { token: accessToken, expiresAt: Math.min(exp * 1000, now + expiresIn * 1000) }
  }
}

function inspect(token: string, expected: { readonly audience: Fqdn; readonly now: number }) {
  try {
    return inspectEecAccessToken(token, expected)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new AnswerNotAccepted(`a token for an EES cannot be used: ${cause.detail}`, { cause })
  }
}

const nameOf = ({ eesId, audience }: Pick<EesToken, 'eesId' | 'audience'>) => `${eesId} ${audience}`
