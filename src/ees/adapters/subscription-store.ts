import type { KeyObject } from 'node:crypto'
import type { Selectable } from 'kysely'
import { openSecret, sealSecret } from '../../nf/sealing.ts'
import { systemRandom } from '../../ports/random.ts'
import { statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { Subscription } from '../eas-discovery/subscriptions.ts'
import type { EesTables } from '../tables.ts'
import { commit, db, insertWithin } from './services-store.ts'

type SubscriptionRow = Selectable<EesTables['subscription']>

interface SubscriptionStoreOptions {
  readonly store: Store
  readonly now: () => number
  /** THREATS HT-11 */
  readonly most: number
  readonly mostOfOneEec: number
  /** seals the secrets of the subscribers */
  readonly dataKey: KeyObject
}

/** A subscription, and what its notifications show. */
export interface Subscriber {
  readonly subscription: Subscription
  secret(): string
}

export class SubscriptionStore {
  readonly #options: SubscriptionStoreOptions

  constructor(options: SubscriptionStoreOptions) {
    this.#options = options
  }

  async find(subscriptionId: string): Promise<Subscription | undefined> {
    const query = this.#live().where('subscription_id', '=', subscriptionId)
    const [row] = await this.#options.store.read<SubscriptionRow>(query.compile())
    return row && toSubscription(row)
  }

  /** @returns identifiers */
  async ofEec(eecId: string): Promise<string[]> {
    const query = this.#live().where('eec_id', '=', eecId)
    const rows = await this.#options.store.read<SubscriptionRow>(query.compile())
    return rows.map(({ subscription_id }) => subscription_id)
  }

  /** A page at a time, so that many do not hold up who waits for an answer. */
  async page(after: string, limit: number): Promise<Subscriber[]> {
    const query = this.#live().where('subscription_id', '>', after).orderBy('subscription_id').limit(limit)
    const rows = await this.#options.store.read<SubscriptionRow>(query.compile())
    return rows.map((row) => ({ subscription: toSubscription(row), secret: () => this.#open(row) }))
  }

  /** @throws Refusal QUOTA_EXCEEDED, TOO_MANY_REQUESTS */
  async insert(subscription: Subscription, secret: string): Promise<void> {
    const { most, mostOfOneEec } = this.#options
    const { subscriptionId, eecId } = subscription
    const row = { ...toRow(subscription), sealed_secret: this.#seal(secret, subscriptionId) }
    await this.#commit([
      insertWithin('subscription', row, { most, otherwise: 'QUOTA_EXCEEDED' }),
      {
        sql: `update subscription set eec_id = eec_id where subscription_id = ?
              and (select count(*) from subscription where eec_id = ?) <= ?`,
        parameters: [subscriptionId, eecId, mostOfOneEec],
        expect: { rows: 1, otherwise: 'TOO_MANY_REQUESTS' },
      },
    ])
  }

  async update(next: Subscription, secret?: string): Promise<void> {
    const { subscription_id, ...content } = toRow(next)
    const row = { ...content, ...(secret !== undefined && { sealed_secret: this.#seal(secret, subscription_id) }) }
    const change = db.updateTable('subscription').set(row).where('subscription_id', '=', subscription_id)
    await this.#commit([statement(change, { rows: 1, otherwise: 'PRECONDITION_FAILED' })])
  }

  async remove({ subscriptionId }: Subscription): Promise<void> {
    await this.#commit([statement(db.deleteFrom('subscription').where('subscription_id', '=', subscriptionId))])
  }

  async sweep(): Promise<void> {
    await this.#commit([statement(db.deleteFrom('subscription').where('expires_at', '<=', this.#options.now()))])
  }

  #seal(secret: string, subscriptionId: string): Buffer {
    const { dataKey } = this.#options
    return sealSecret(dataKey, Buffer.from(secret), Buffer.from(subscriptionId), systemRandom.octets(12))
  }

  #open({ sealed_secret, subscription_id }: SubscriptionRow): string {
    return openSecret(this.#options.dataKey, sealed_secret, Buffer.from(subscription_id)).toString('latin1')
  }

  #live() {
    return db.selectFrom('subscription').selectAll().where('expires_at', '>', this.#options.now())
  }

  #commit(unit: readonly Statement[]): Promise<void> {
    return commit(this.#options.store, this.#options.now(), unit)
  }
}

function toRow({ subscriptionId, eecId, content, expiresAt }: Subscription) {
  return {
    subscription_id: subscriptionId,
    eec_id: eecId,
    content_json: JSON.stringify(content),
    expires_at: expiresAt,
  }
}

function toSubscription(row: SubscriptionRow): Subscription {
  return {
    subscriptionId: row.subscription_id,
    eecId: row.eec_id,
    content: JSON.parse(row.content_json) as Subscription['content'],
    expiresAt: row.expires_at,
  }
}
