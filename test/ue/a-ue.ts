import { newUsimSqnState, type UsimSqnState } from '../../src/keys/sqn.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { unheard } from '../../src/ports/progress.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { DEFAULTS } from '../../src/ue/configuration.ts'
import {
  type AuthenticatingUe,
  type EstablishedKeys,
  performPrimaryAuthentication,
} from '../../src/ue/primary-authentication.ts'
import type { SqnStore } from '../../src/ue/usim/authenticate.ts'
import { aSubscription, type HomeNetwork, NETWORK } from './a-home-network.ts'

/** Sequence numbers in memory, with everything that was ever saved. */
export class Sqns implements SqnStore {
  readonly saved: UsimSqnState[] = []

  async load(): Promise<UsimSqnState> {
    return this.saved.at(-1) ?? newUsimSqnState()
  }

  async save(state: UsimSqnState): Promise<void> {
    this.saved.push(state)
  }
}

/** A UE without a folder. */
export class Ue implements AuthenticatingUe {
  readonly sqns = new Sqns()
  readonly profile = DEFAULTS.edge
  readonly settings: AuthenticatingUe['settings']
  readonly usim: AuthenticatingUe['usim']
  keys: EstablishedKeys | undefined

  constructor({ settings, keys } = aSubscription()) {
    this.settings = settings
    this.usim = { keys, sqn: this.sqns }
  }

  async replaceKeys(keys: EstablishedKeys): Promise<void> {
    this.keys = keys
  }

  authenticateAt(ausf: HomeNetwork, progress = unheard) {
    const ports = { random: systemRandom, clock: systemClock, progress }
    return performPrimaryAuthentication(this, { name: NETWORK, ausf }, ports)
  }
}
