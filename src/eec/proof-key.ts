import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Signer } from '../ports/signer.ts'
import { createDpopProof, type DpopRequest } from '../tokens/dpop-proof.ts'
import { jwkThumbprint } from '../tokens/jwk.ts'

/** The key of this EEC that its tokens are bound to, and what it proves with each request: RFC 9449. */
export class ProofKey {
  readonly #signer: Signer
  readonly #clock: Pick<Clock, 'now'>
  readonly #random: Pick<Random, 'uuid'>

  constructor(signer: Signer, clock: Pick<Clock, 'now'>, random: Pick<Random, 'uuid'>) {
    this.#signer = signer
    this.#clock = clock
    this.#random = random
  }

  /** RFC 7638 thumbprint: `cnf.jkt` of the tokens that are bound to this key */
  get jkt(): string {
    return jwkThumbprint(this.#signer.publicKey)
  }

  /** @returns a proof for this one request */
  prove(request: DpopRequest): Promise<string> {
    return createDpopProof(request, { signer: this.#signer, now: this.#clock.now(), jti: this.#random.uuid() })
  }
}
