import type { KeyObject } from 'node:crypto'
import type { Selectable } from 'kysely'
import { takeKey, withOctets } from '../../keys/key.ts'
import type { SubscriberKeys } from '../../keys/milenage.ts'
import { openSecret, sealSecret } from '../../nf/sealing.ts'
import type { Random } from '../../ports/random.ts'
import type { NfInstanceId } from '../../spec/identifiers.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { EecId, Gpsi, RoutingIndicator, Supi } from '../../spec/subscriber-identifiers.ts'
import { GuardFailed } from '../../store/errors.ts'
import { prepared, queriesOn, statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { AuthStatus } from '../authentication/auth-events.ts'
import type { Subscriber, Subscription } from '../subscriber.ts'
import type { UdmTables } from '../tables.ts'

const db = queriesOn<UdmTables>()
type SubscriberRow = Selectable<UdmTables['subscriber']>
/** with its EEC IDs, blanks between them */
type FoundRow = SubscriberRow & { readonly eec_ids: string | null }

/** What keeps subscribers, with K and OPc sealed. */
export interface SubscriberStore {
  readonly store: Store
  readonly dataKey: KeyObject
  readonly random: Pick<Random, 'octets'>
}

/** As SQLite names the primary key. */
const EEC_ID_TAKEN = 'eec_id.eec_id'
const eecIdInUse = () => new Refusal('EEC_ID_IN_USE', 'one of the EEC IDs is that of another subscriber')
const noSubscriber = () => new Refusal('USER_NOT_FOUND', 'there is no such subscriber')

/** All or none. @throws Refusal SUBSCRIBER_EXISTS, EEC_ID_IN_USE */
export async function addSubscribers(udm: SubscriberStore, subscribers: readonly Subscriber[]): Promise<void> {
  const unit = subscribers.flatMap((subscriber) => [
    statement(db.insertInto('subscriber').values(toRow(udm, subscriber))),
    ...insertEecIds(subscriber.supi, subscriber.eecIds ?? []),
  ])
  try {
    await udm.store.commit(unit)
  } catch (error) {
    if (!(error instanceof GuardFailed)) throw error
    if (error.guard === EEC_ID_TAKEN) throw eecIdInUse()
    const what = error.guard === 'subscriber.gpsi' ? 'GPSI' : 'SUPI'
    throw new Refusal('SUBSCRIBER_EXISTS', `one of them has the ${what} of another: none was added`)
  }
}

/** Only of a subscriber that there is. */
function insertEecIds(supi: Supi, eecIds: readonly EecId[]): Statement[] {
  const expect = { rows: 1, otherwise: 'USER_NOT_FOUND' }
  return eecIds.map((eecId) => {
    const row = db.selectFrom('subscriber').where('supi', '=', supi)
    const values = row.select((of) => [of.val<string>(eecId).as('eec_id'), 'supi'])
    return statement(db.insertInto('eec_id').columns(['eec_id', 'supi']).expression(values), expect)
  })
}

/**
 * These take the place of those of before.
 *
 * @param eecIds - none: any may be used
 * @throws Refusal USER_NOT_FOUND, EEC_ID_IN_USE
 */
export async function setEecIds(udm: SubscriberStore, supi: Supi, eecIds: readonly EecId[]): Promise<void> {
  if (!(await hasSubscriber(udm, supi))) throw noSubscriber()
  try {
    await udm.store.commit([statement(db.deleteFrom('eec_id').where('supi', '=', supi)), ...insertEecIds(supi, eecIds)])
  } catch (error) {
    if (!(error instanceof GuardFailed)) throw error
    throw error.guard === EEC_ID_TAKEN ? eecIdInUse() : noSubscriber()
  }
}

const withEecIds = db
  .selectFrom('subscriber')
  .selectAll('subscriber')
  .select((of) =>
    of
      .selectFrom('eec_id')
      .whereRef('eec_id.supi', '=', 'subscriber.supi')
      .select((each) => each.fn.agg<string | null>('group_concat', ['eec_id', each.val(' ')]).as('eec_ids'))
      .as('eec_ids'),
  )

const subscriberOf = prepared(({ supi }: { supi: string }) => withEecIds.where('supi', '=', supi))

/** @returns the subscriber with the keys opened, or undefined if there is none */
export async function findSubscriber({ store, dataKey }: SubscriberStore, supi: Supi): Promise<Subscriber | undefined> {
  const [row] = await store.read<FoundRow>(subscriberOf({ supi }))
  return row && { ...toSubscription(row), keys: openKeys(dataKey, row) }
}

const nameOf = prepared(({ supi }: { supi: string }) =>
  db.selectFrom('subscriber').select('supi').where('supi', '=', supi),
)

export async function hasSubscriber({ store }: SubscriberStore, supi: Supi): Promise<boolean> {
  return (await store.read(nameOf({ supi }))).length === 1
}

/** In the order of their SUPIs, without any key. */
export async function listSubscribers(
  { store }: SubscriberStore,
  after: string,
  limit: number,
): Promise<Subscription[]> {
  const query = withEecIds.where('supi', '>', after).orderBy('supi').limit(limit)
  return (await store.read<FoundRow>(query.compile())).map(toSubscription)
}

/** @throws Refusal USER_NOT_FOUND */
export async function removeSubscriber({ store }: SubscriberStore, supi: Supi): Promise<void> {
  const expect = { rows: 1, otherwise: 'USER_NOT_FOUND' }
  try {
    await store.commit([
      statement(db.deleteFrom('subscriber').where('supi', '=', supi), expect),
      statement(db.deleteFrom('auth_status').where('supi', '=', supi)),
      statement(db.deleteFrom('eec_id').where('supi', '=', supi)),
    ])
  } catch (error) {
    if (!(error instanceof GuardFailed)) throw error
    throw noSubscriber()
  }
}

const moveSqn = prepared(({ supi, was, becomes }: { supi: string; was: number; becomes: number }) =>
  db.updateTable('subscriber').set({ sqn_he: becomes }).where('supi', '=', supi).where('sqn_he', '=', was),
)

/** @throws Refusal NF_CONGESTION if SQN_HE moved meanwhile */
export async function storeSqn({ store }: SubscriberStore, supi: Supi, was: number, becomes: number): Promise<void> {
  const expect = { rows: 1, otherwise: 'SQN_MOVED' }
  try {
    await store.commit([{ ...moveSqn({ supi, was, becomes }), expect }])
  } catch (cause) {
    if (!(cause instanceof GuardFailed)) throw cause
    throw new Refusal('NF_CONGESTION', 'another vector was made meanwhile', { cause })
  }
}

const authStatus = prepared((row: Selectable<UdmTables['auth_status']>) => {
  const { supi: _, ...newer } = row
  return db
    .insertInto('auth_status')
    .values(row)
    .onConflict((conflict) => conflict.column('supi').doUpdateSet(newer))
})

/** The last result of a subscriber takes the place of the one before. */
export async function storeAuthStatus(
  { store }: SubscriberStore,
  { supi, authEventId, event }: AuthStatus,
): Promise<void> {
  const row = {
    supi,
    auth_event_id: authEventId,
    nf_instance_id: event.nfInstanceId.toLowerCase(),
    success: event.success ? (1 as const) : (0 as const),
    at: Date.parse(event.timeStamp),
    auth_type: event.authType,
    serving_network_name: event.servingNetworkName,
  }
  await store.commit([authStatus(row)])
}

/** @returns whether there was one of this identifier, from this AUSF */
export async function removeAuthStatus(
  { store }: SubscriberStore,
  supi: Supi,
  authEventId: string,
  nfInstanceId: NfInstanceId,
): Promise<boolean> {
  const query = db
    .deleteFrom('auth_status')
    .where('supi', '=', supi)
    .where('auth_event_id', '=', authEventId)
    .where('nf_instance_id', '=', nfInstanceId)
  try {
    await store.commit([statement(query, { rows: 1, otherwise: 'CONTEXT_NOT_FOUND' })])
    return true
  } catch (error) {
    if (error instanceof GuardFailed) return false
    throw error
  }
}

function toRow(udm: SubscriberStore, subscriber: Subscriber): SubscriberRow {
  return {
    supi: subscriber.supi,
    gpsi: subscriber.gpsi ?? null,
    sealed_keys: sealKeys(udm, subscriber.supi, subscriber.keys),
    amf: subscriber.amf,
    sqn_he: subscriber.sqnHe,
    routing_indicator: subscriber.routingIndicator,
    auth_method: subscriber.authMethod,
    edge: subscriber.edge ? 1 : 0,
    akma: subscriber.akma ? 1 : 0,
  }
}

function toSubscription(row: FoundRow): Subscription {
  return {
    supi: row.supi as Supi,
    ...(row.gpsi !== null && { gpsi: row.gpsi as Gpsi }),
    amf: row.amf,
    sqnHe: row.sqn_he,
    routingIndicator: row.routing_indicator as RoutingIndicator,
    authMethod: row.auth_method,
    edge: row.edge === 1,
    akma: row.akma === 1,
    ...(row.eec_ids !== null && { eecIds: row.eec_ids.split(' ').sort() as EecId[] }),
  }
}

function sealKeys({ dataKey, random }: SubscriberStore, supi: Supi, { k, opc }: SubscriberKeys): Buffer {
  return withOctets(k, (first) =>
    withOctets(opc, (second) => {
      const octets = Buffer.concat([first, second])
      try {
        return sealSecret(dataKey, octets, Buffer.from(supi), random.octets(12))
      } finally {
        octets.fill(0)
      }
    }),
  )
}

function openKeys(dataKey: KeyObject, { supi, sealed_keys: sealed }: SubscriberRow): SubscriberKeys {
  const octets = openSecret(dataKey, sealed, Buffer.from(supi))
  return { k: takeKey('K', octets.subarray(0, 16)), opc: takeKey('OPc', octets.subarray(16)) }
}
