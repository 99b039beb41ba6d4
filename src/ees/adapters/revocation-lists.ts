import { systemTimers } from '../../ports/timers.ts'
import type { ClientAuthority } from '../guard/guard.ts'
import { type RevocationWatch, watchRevocation } from '../guard/revocation-watch.ts'
import type { Registration } from '../registration/registration.ts'
import { fetchOf } from './fetch-of.ts'

export interface RevocationListOptions {
  readonly checkRevocation?: boolean
  readonly revocationPeriod?: number
  readonly failed?: (error: unknown) => void
}

/** Who certifies clients, and where its list is if not beside the others by its key. */
export interface ListedAuthority extends Omit<ClientAuthority, 'crl'> {
  readonly list?: string
}

/**
 * The revocation lists of the authorities that clients come from, all from our own ECS: it has those of its partners from
 * them. So no EES has to reach another operator's ECS, and each list is good only under the authority that it is of.
 */
export class RevocationLists {
  readonly #registration: Registration
  readonly #options: RevocationListOptions
  readonly #changed: () => void
  readonly #watches = new Map<string, RevocationWatch>()

  constructor(registration: Registration, options: RevocationListOptions, changed: () => void) {
    this.#registration = registration
    this.#options = options
    this.#changed = changed
  }

  /** Each with its list; what was not watched before was fetched when this resolves, if it could be. */
  under(authorities: readonly ListedAuthority[]): Promise<ClientAuthority[]> {
    return Promise.all(
      authorities.map(async ({ list, ...authority }) => {
        if (this.#options.checkRevocation === false) return authority
        const watch = await this.#watchOf(list ?? this.#urlOf(authority))
        return { ...authority, crl: watch.current }
      }),
    )
  }

  forgetOthers(authorities: readonly ClientAuthority[]): void {
    const current = new Set(authorities.map(({ crl }) => crl))
    for (const [url, watch] of this.#watches) {
      if (current.has(watch.current)) continue
      watch.stop()
      this.#watches.delete(url)
    }
  }

  stop(): void {
    for (const watch of this.#watches.values()) watch.stop()
    this.#watches.clear()
  }

  async #watchOf(url: string): Promise<RevocationWatch> {
    const known = this.#watches.get(url)
    if (known !== undefined) return known
    const { failed, revocationPeriod = 3_000 } = this.#options
    const watch = watchRevocation(
      {
        fetch: () => fetchOf(this.#registration, url, 'application/pkix-crl'),
        timers: systemTimers,
        changed: this.#changed,
        ...(failed && { failed }),
      },
      revocationPeriod,
    )
    this.#watches.set(url, watch)
    await watch.refresh()
    return watch
  }

  /** By the key of the authority, beside the list that our ECS named when it registered us. */
  #urlOf({ certificate: { subjectKeyId } }: ListedAuthority): string {
    const { crlUrl } = this.#registration.record.authInfo
    return new URL(`${subjectKeyId?.toString('hex')}.crl`, crlUrl).href
  }
}
