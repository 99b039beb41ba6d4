import type { Selectable } from 'kysely'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { ReceivedContext } from '../context-relocation/receive-context.ts'
import type { EecRegistration } from '../eec-registration/registration.ts'
import type { EesTables } from '../tables.ts'
import { commit, db, insertWithin } from './services-store.ts'

type EecRow = Selectable<EesTables['eec_registration']>

/** EECs, their contexts, and what other EESs have pushed. Each change that resolves is on disk. */
export class EecStore {
  readonly #store: Store
  readonly #now: () => number
  readonly #most: number

  /** @param most - EECs (THREATS HT-11) */
  constructor(store: Store, now: () => number, most: number) {
    this.#store = store
    this.#now = now
    this.#most = most
  }

  findByEecId = (eecId: string) => this.#find('eec_id', eecId)
  findByRegistrationId = (registrationId: string) => this.#find('registration_id', registrationId)
  findByContextId = (contextId: string) => this.#find('context_id', contextId)

  /** By EEC ID, a page at a time; those that have ended are left out. */
  async list(after: string, limit: number): Promise<EecRegistration[]> {
    const query = db
      .selectFrom('eec_registration')
      .selectAll()
      .where('eec_id', '>', after)
      .where('expires_at', '>', this.#now())
      .orderBy('eec_id')
      .limit(limit)
    return (await this.#store.read<EecRow>(query.compile())).map(toRegistration)
  }

  /** @returns those whose context is on its way */
  async moving(): Promise<EecRegistration[]> {
    const query = db
      .selectFrom('eec_registration')
      .selectAll()
      .where('moving_to', 'is not', null)
      .where('expires_at', '>', this.#now())
    return (await this.#store.read<EecRow>(query.compile())).map(toRegistration)
  }

  /** @throws Overtaken if the EEC has one by now; Refusal QUOTA_EXCEEDED */
  async insert(registration: EecRegistration, received?: ReceivedContext): Promise<void> {
    const within = { most: this.#most, otherwise: 'QUOTA_EXCEEDED' } as const
    const eec = eecIdTag(registration.eecId)
    await this.#commit(
      [
        this.#forgetEnded(registration.eecId),
        insertWithin('eec_registration', toRow(registration), within),
        ...(received === undefined ? [] : [this.#note(received)]),
      ],
      received === undefined
        ? { event: 'eec-registered', eec }
        : { event: 'eec-context-received', eec, ees: received.source },
    )
  }

  /** The next version, unless somebody else made it. @throws Refusal PRECONDITION_FAILED */
  async update(next: EecRegistration, received?: ReceivedContext): Promise<void> {
    const { registration_id, eec_id, ...row } = toRow(next)
    const change = db
      .updateTable('eec_registration')
      .set(row)
      .where('registration_id', '=', registration_id)
      .where('eec_id', '=', eec_id)
      .where('version', '=', next.version - 1)
    const unit = [statement(change, { rows: 1, otherwise: 'PRECONDITION_FAILED' })]
    if (received === undefined) return this.#commit(unit)
    const event = { event: 'eec-context-received', eec: eecIdTag(next.eecId), ees: received.source } as const
    return this.#commit([...unit, this.#note(received)], event)
  }

  /** The EEC leaves. @throws Refusal PRECONDITION_FAILED if it has changed */
  async remove(registration: EecRegistration): Promise<void> {
    await this.#commit([this.#deletion(registration)], {
      event: 'eec-deregistered',
      eec: eecIdTag(registration.eecId),
    })
  }

  /** The context is elsewhere now: what belongs to it goes in one step. @param ees - FQDN of the EES that has it */
  async forget(registration: EecRegistration, ees: string): Promise<void> {
    const subscriptions = db.deleteFrom('subscription').where('eec_id', '=', registration.eecId)
    const event = { event: 'eec-context-sent', eec: eecIdTag(registration.eecId), ees } as const
    await this.#commit([this.#deletion(registration), statement(subscriptions)], event)
  }

  async findReceived(source: string, contextId: string): Promise<ReceivedContext | undefined> {
    const query = db
      .selectFrom('received_context')
      .selectAll()
      .where('source', '=', source)
      .where('context_id', '=', contextId)
    const [row] = await this.#store.read<Selectable<EesTables['received_context']>>(query.compile())
    return (
      row && {
        source: row.source,
        contextId: row.context_id,
        eecId: row.eec_id,
        registrationId: row.registration_id,
        expiresAt: row.expires_at,
      }
    )
  }

  /** What has ended is as good as gone; this makes room. */
  async sweep(): Promise<void> {
    const now = this.#now()
    await this.#commit([
      statement(db.deleteFrom('eec_registration').where('expires_at', '<=', now)),
      statement(db.deleteFrom('received_context').where('expires_at', '<=', now)),
    ])
  }

  async #find(
    column: 'eec_id' | 'registration_id' | 'context_id',
    value: string,
  ): Promise<EecRegistration | undefined> {
    const query = db
      .selectFrom('eec_registration')
      .selectAll()
      .where(column, '=', value)
      .where('expires_at', '>', this.#now())
    const [row] = await this.#store.read<EecRow>(query.compile())
    return row && toRegistration(row)
  }

  #forgetEnded(eecId: string): Statement {
    return statement(
      db.deleteFrom('eec_registration').where('eec_id', '=', eecId).where('expires_at', '<=', this.#now()),
    )
  }

  #deletion({ registrationId, version }: EecRegistration): Statement {
    const deletion = db
      .deleteFrom('eec_registration')
      .where('registration_id', '=', registrationId)
      .where('version', '=', version)
    return statement(deletion, { rows: 1, otherwise: 'PRECONDITION_FAILED' })
  }

  #note({ source, contextId, eecId, registrationId, expiresAt }: ReceivedContext): Statement {
    const row = {
      source,
      context_id: contextId,
      eec_id: eecId,
      registration_id: registrationId,
      expires_at: expiresAt,
    }
    return statement(db.insertInto('received_context').values(row))
  }

  #commit(unit: readonly Statement[], ...events: Parameters<typeof commit>[3][]): Promise<void> {
    return commit(this.#store, this.#now(), unit, ...events)
  }
}

function toRow(registration: EecRegistration) {
  const { registrationId, eecId, contextId, gpsi, content, carried, version, expiresAt, movingTo } = registration
  return {
    registration_id: registrationId,
    eec_id: eecId,
    context_id: contextId,
    gpsi: gpsi ?? null,
    content_json: JSON.stringify(content),
    carried_json: JSON.stringify(carried),
    version,
    expires_at: expiresAt,
    moving_to: movingTo ?? null,
  }
}

function toRegistration(row: EecRow): EecRegistration {
  return {
    registrationId: row.registration_id,
    eecId: row.eec_id,
    contextId: row.context_id,
    ...(row.gpsi !== null && { gpsi: row.gpsi }),
    content: JSON.parse(row.content_json) as EecRegistration['content'],
    carried: JSON.parse(row.carried_json) as EecRegistration['carried'],
    version: row.version,
    expiresAt: row.expires_at,
    ...(row.moving_to !== null && { movingTo: row.moving_to }),
  }
}
