import type { KeyObject } from 'node:crypto'
import type { Selectable } from 'kysely'
import { openSecret, sealSecret } from '../../nf/sealing.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { ECSServProvSubscription } from '../../spec/messages/service-provisioning.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { GuardFailed } from '../../store/errors.ts'
import { prepared, statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { Told } from '../provisioning/notifications.ts'
import type { Subscription, SubscriptionPorts } from '../provisioning/subscriptions.ts'
import type { EcsTables } from '../tables.ts'
import { db } from './registration-store.ts'

type Row = Selectable<EcsTables['provisioning_subscription']>

export interface SubscriptionStoreOptions {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'octets'>
  /** seals the secrets of the subscribers */
  readonly dataKey: KeyObject
  readonly quota: { readonly perEec: number; readonly total: number }
}

type Kept = Pick<
  SubscriptionPorts,
  'addSubscription' | 'findSubscription' | 'replaceSubscription' | 'removeSubscription'
> & {
  subscriptionsAfter(subscriptionId: string, limit: number): Promise<readonly Subscription[]>
  recordTold(told: readonly Told[]): Promise<void>
  /** @returns what the subscriber wants to see in a notification; undefined if the subscription is gone */
  secretOf(subscriptionId: string): Promise<string | undefined>
  forgetExpired(): Promise<void>
}

/** Subscriptions in the store, each with the secret of its subscriber sealed for its row. */
export async function subscriptionStore(options: SubscriptionStoreOptions): Promise<Kept> {
  const { store, clock, random, dataKey, quota } = options
  // Counted here, because the store would go through all of them at each insertion.
  let [stored, onTheirWay] = [await countOf(store), 0]
  const seal = (secret: string, subscriptionId: string) =>
    sealSecret(dataKey, Buffer.from(secret), Buffer.from(subscriptionId), random.octets(12))
  return {
    async addSubscription(subscription, secret) {
      const { subscriptionId, eecId } = subscription
      const now = clock.now()
      const row = { ...toRow(subscription), sealed_secret: seal(secret, subscriptionId), created_at: now }
      const room = roomOf(eecId, quota.perEec, now)
      if (stored + onTheirWay >= quota.total) {
        // Who has too many is told so, whatever the others have.
        await commit(store, [room])
        throw new Refusal('QUOTA_EXCEEDED', 'there is no room for more subscriptions')
      }
      onTheirWay += 1
      try {
        await commit(store, [room, insertion(row)])
        stored += 1
      } finally {
        onTheirWay -= 1
      }
    },
    async findSubscription(subscriptionId) {
      const [row] = await store.read<Row>(byId({ id: subscriptionId }))
      return row && toSubscription(row)
    },
    async replaceSubscription(next, secret) {
      const { subscription_id, eec_id: _, ...content } = toRow(next)
      const update = db
        .updateTable('provisioning_subscription')
        .set({ ...content, ...(secret !== undefined && { sealed_secret: seal(secret, subscription_id) }) })
        .where('subscription_id', '=', subscription_id)
        .where('version', '=', next.version - 1)
      await commit(store, [statement(update, { rows: 1, otherwise: 'PRECONDITION_FAILED' })])
    },
    async removeSubscription(subscriptionId) {
      const deletion = db.deleteFrom('provisioning_subscription').where('subscription_id', '=', subscriptionId)
      await commit(store, [statement(deletion, { rows: 1, otherwise: 'SUBSCRIPTION_NOT_FOUND' })])
      stored -= 1
    },
    async subscriptionsAfter(subscriptionId, limit) {
      if (stored + onTheirWay === 0) return []
      return (await store.read<Row>(pageAfter({ id: subscriptionId, now: clock.now(), limit }))).map(toSubscription)
    },
    recordTold: (told) =>
      store.commit(told.map(({ subscriptionId: id, version, told: digest }) => tell({ id, version, digest }))),
    async secretOf(subscriptionId) {
      const [row] = await store.read<Row>(byId({ id: subscriptionId }))
      if (row === undefined) return undefined
      return openSecret(dataKey, row.sealed_secret, Buffer.from(subscriptionId)).toString('latin1')
    },
    async forgetExpired() {
      await store.commit([statement(db.deleteFrom('provisioning_subscription').where('expires_at', '<=', clock.now()))])
      stored = await countOf(store)
    },
  }
}

function toRow(subscription: Subscription): Omit<Row, 'sealed_secret' | 'created_at'> {
  const { subscriptionId, eecId, message, version, told, expiresAt } = subscription
  const names = { subscription_id: subscriptionId, eec_id: eecId }
  return { ...names, message_json: JSON.stringify(message), version, told, expires_at: expiresAt }
}

function toSubscription(row: Row): Subscription {
  return {
    subscriptionId: row.subscription_id,
    eecId: row.eec_id as EecId,
    message: JSON.parse(row.message_json) as ECSServProvSubscription,
    version: row.version,
    told: row.told,
    expiresAt: row.expires_at,
  }
}

const REFUSALS: Record<string, () => Refusal> = {
  PRECONDITION_FAILED: () => new Refusal('PRECONDITION_FAILED', 'the subscription has changed'),
  TOO_MANY_REQUESTS: () => new Refusal('TOO_MANY_REQUESTS', 'the EEC has as many subscriptions as it can have'),
  SUBSCRIPTION_NOT_FOUND: () => new Refusal('SUBSCRIPTION_NOT_FOUND', 'the caller has no such subscription'),
}

async function commit(store: Store, unit: readonly Statement[]): Promise<void> {
  try {
    await store.commit(unit)
  } catch (error) {
    throw (error instanceof GuardFailed ? REFUSALS[error.guard]?.() : undefined) ?? error
  }
}

async function countOf(store: Store): Promise<number> {
  const query = db.selectFrom('provisioning_subscription').select((select) => select.fn.countAll<number>().as('count'))
  const [row] = await store.read<{ count: number }>(query.compile())
  return row?.count ?? 0
}

const insertion = prepared((row: Row) => db.insertInto('provisioning_subscription').values(row))

const byId = prepared(({ id }: { id: string }) =>
  db.selectFrom('provisioning_subscription').selectAll().where('subscription_id', '=', id),
)

const pageAfter = prepared(({ id, now, limit }: { id: string; now: number; limit: number }) =>
  db
    .selectFrom('provisioning_subscription')
    .selectAll()
    .where('subscription_id', '>', id)
    .where('expires_at', '>', now)
    .orderBy('subscription_id')
    .limit(limit),
)

const tell = prepared(({ id, version, digest }: { id: string; version: number; digest: string }) =>
  db
    .updateTable('provisioning_subscription')
    .set({ told: digest })
    .where('subscription_id', '=', id)
    .where('version', '=', version),
)

/** THREATS HT-11: the row that would be the first too many is not there. */
function roomOf(eecId: EecId, most: number, now: number): Statement {
  return { ...rowBeyond({ eecId, now, offset: most - 1 }), expect: { rows: 0, otherwise: 'TOO_MANY_REQUESTS' } }
}

const rowBeyond = prepared(({ eecId, now, offset }: { eecId: string; now: number; offset: number }) =>
  db
    .selectFrom('provisioning_subscription')
    .select('subscription_id')
    .where('eec_id', '=', eecId)
    .where('expires_at', '>', now)
    .orderBy('expires_at')
    .limit(1)
    .offset(offset),
)
