import type { Selectable } from 'kysely'
import { statement } from '../../store/queries.ts'
import type { Store } from '../../store/store.ts'
import type { EasRegistration } from '../eas-registration/registration.ts'
import type { EesTables } from '../tables.ts'
import { commit, db, insertWithin } from './services-store.ts'

type EasRow = Selectable<EesTables['eas_registration']>

/** What became of an EAS: `before` is absent for a new one, `after` for one that is gone. */
export interface EasChange {
  readonly before?: EasRegistration
  readonly after?: EasRegistration
}

interface EasStoreOptions {
  readonly store: Store
  readonly now: () => number
  /** EASs (THREATS HT-11) */
  readonly most: number
  /** hears of each change once it is on disk */
  readonly changed: (change: EasChange) => void
}

/** The EASs of this EES: on disk, and in memory for discovery. Changes come one after another. */
export class EasStore {
  readonly #options: EasStoreOptions
  readonly #byEasId: Map<string, EasRegistration>
  #last: Promise<unknown> = Promise.resolve()

  static async open(options: EasStoreOptions): Promise<EasStore> {
    const query = db.selectFrom('eas_registration').selectAll()
    return new EasStore(options, (await options.store.read<EasRow>(query.compile())).map(toRegistration))
  }

  private constructor(options: EasStoreOptions, registrations: readonly EasRegistration[]) {
    this.#options = options
    this.#byEasId = new Map(registrations.map((registration) => [registration.easId, registration]))
  }

  findByEasId = (easId: string): EasRegistration | undefined => this.#unlessEnded(this.#byEasId.get(easId))

  findByRegistrationId = (registrationId: string): EasRegistration | undefined =>
    this.live().find((registration) => registration.registrationId === registrationId)

  /** @returns all that have not ended */
  live(): EasRegistration[] {
    return [...this.#byEasId.values()].filter((registration) => this.#unlessEnded(registration))
  }

  /** @throws Refusal QUOTA_EXCEEDED */
  keep(after: EasRegistration): Promise<void> {
    return this.#inTurn(async () => {
      const { store, now, most, changed } = this.#options
      const { easId } = after
      const before = this.findByEasId(easId)
      const row = toRow(after)
      const deletion = statement(db.deleteFrom('eas_registration').where('eas_id', '=', easId))
      const insertion = insertWithin('eas_registration', row, { most, otherwise: 'QUOTA_EXCEEDED' })
      await commit(
        store,
        now(),
        [deletion, insertion],
        ...(before ? [] : [{ event: 'eas-registered', easId } as const]),
      )
      this.#byEasId.set(easId, after)
      changed({ ...(before && { before }), after })
    })
  }

  remove(registration: EasRegistration): Promise<void> {
    return this.#inTurn(async () => {
      const { store, now, changed } = this.#options
      const { registrationId, easId } = registration
      const deletion = statement(db.deleteFrom('eas_registration').where('registration_id', '=', registrationId))
      await commit(store, now(), [deletion], { event: 'eas-deregistered', easId })
      this.#byEasId.delete(easId)
      changed({ before: registration })
    })
  }

  /** Implicit deregistration: TS 23.558 8.4.3.1. */
  async sweep(): Promise<void> {
    const now = this.#options.now()
    for (const registration of this.#byEasId.values()) {
      if (registration.expiresAt <= now) await this.remove(registration)
    }
  }

  #unlessEnded(registration: EasRegistration | undefined): EasRegistration | undefined {
    return registration !== undefined && this.#options.now() < registration.expiresAt ? registration : undefined
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}

function toRow({ registrationId, easId, easProf, expiresAt }: EasRegistration) {
  return {
    registration_id: registrationId,
    eas_id: easId,
    profile_json: JSON.stringify(easProf),
    expires_at: expiresAt,
  }
}

function toRegistration(row: EasRow): EasRegistration {
  return {
    registrationId: row.registration_id,
    easId: row.eas_id,
    easProf: JSON.parse(row.profile_json) as EasRegistration['easProf'],
    expiresAt: row.expires_at,
  }
}
