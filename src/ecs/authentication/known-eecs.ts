import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { KeyIdentity } from './key-id.ts'
import type { HeldKey } from './psk-keys.ts'

/** How many are remembered; the one longest unseen goes first. */
const MOST = 100_000

/**
 * The EECs that have proven a key here, by what their PSK identities say of them: a key is asked for with the EEC ID, of
 * which an identity has only a tag (D-20b).
 *
 * @param nameOf - the part of an identity that an EEC keeps when it has a new key
 */
export class KnownEecs {
  readonly #eecIds = new Map<string, EecId>()
  readonly #nameOf: (identity: KeyIdentity) => string
  readonly #most: number

  constructor(nameOf: (identity: KeyIdentity) => string, most = MOST) {
    this.#nameOf = nameOf
    this.#most = most
  }

  /** This key was proven. */
  remember({ identity, eecIds }: Pick<HeldKey, 'identity' | 'eecIds'>): void {
    const [eecId, ...others] = eecIds
    const name = this.#nameOf(identity)
    this.#eecIds.delete(name)
    // A key that several share says of none of them that it is the one.
    if (eecId === undefined || others.length > 0) return
    if (this.#eecIds.size >= this.#most) this.#eecIds.delete(this.#eecIds.keys().next().value ?? '')
    this.#eecIds.set(name, eecId)
  }

  eecIdOf(identity: KeyIdentity): EecId | undefined {
    return this.#eecIds.get(this.#nameOf(identity))
  }
}
