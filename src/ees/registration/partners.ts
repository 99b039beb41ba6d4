import type { Response } from '../../http/client.ts'
import { readJson, requireStatus } from '../../http/response.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Partner, Partners } from '../../spec/messages/partners.ts'

/** Milliseconds. */
const FRESH = 2_000

/** The ECSs that our ECS trusts, and its own authorities, as it told us last. */
export class KnownPartners {
  readonly #fetch: () => Promise<Response>
  readonly #clock: Pick<Clock, 'monotonic'>
  #known: Partners = NONE
  #fetchedAt = Number.NEGATIVE_INFINITY

  /** @param fetch - from our own ECS, over TLS that trusts its roots alone */
  constructor(fetch: () => Promise<Response>, clock: Pick<Clock, 'monotonic'>) {
    this.#fetch = fetch
    this.#clock = clock
  }

  /**
   * @param age - milliseconds that what is known may be old
   * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted if nothing is known that is not older
   */
  async get(age = FRESH): Promise<Partners> {
    const now = this.#clock.monotonic()
    if (now - this.#fetchedAt < age) return this.#known
    const response = await this.#fetch()
    // An ECS without partners need not know of them.
    if (response.status !== 404) requireStatus(response, 200)
    this.#known = response.status === 404 ? NONE : readJson(response, Partners)
    this.#fetchedAt = now
    return this.#known
  }
}

const NONE: Partners = { partners: [] }

/** The partners whose EESs may have this name. */
export function partnersOf(partners: readonly Partner[], name: string): Partner[] {
  return partners.filter(({ nameSpace }) => isInNameSpace(nameSpace, name))
}

/** At a label boundary. */
export function isInNameSpace(nameSpace: readonly string[], name: string): boolean {
  return nameSpace.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))
}
