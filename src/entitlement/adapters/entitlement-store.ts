import type { Selectable } from 'kysely'
import type { Clock } from '../../ports/clock.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { EecId, Gpsi, Supi } from '../../spec/subscriber-identifiers.ts'
import { GuardFailed } from '../../store/errors.ts'
import { queriesOn, statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { AuditEvent } from '../audit.ts'
import type { Entitlement } from '../operator-token/acquire.ts'
import type { EntitlementTables } from '../tables.ts'

const db = queriesOn<EntitlementTables>()
type Row = Selectable<EntitlementTables['entitlement']>

export interface EntitlementStore {
  readonly store: Store
  readonly clock: Clock
}

/** What is allowed already stays as it is, but for the GPSI. @throws Refusal EEC_ID_IN_USE */
export async function allowEec(ent: EntitlementStore, { supi, eecId, gpsi = null }: Nullable): Promise<void> {
  const insertion = db
    .insertInto('entitlement')
    .values({ eec_id: eecId, supi, gpsi, allowed_at: ent.clock.now() })
    .onConflict((conflict) => conflict.column('eec_id').doUpdateSet({ gpsi }).where('entitlement.supi', '=', supi))
  await commit(ent, [statement(insertion, { rows: 1, otherwise: 'EEC_ID_IN_USE' })], { event: 'eec-allowed', eecId })
}

type Nullable = Pick<Entitlement, 'supi' | 'eecId'> & { readonly gpsi?: Gpsi | null }

/** With every operator token of it. @throws Refusal NOT_ENTITLED */
export async function denyEec(ent: EntitlementStore, { supi, eecId }: Pick<Entitlement, 'supi' | 'eecId'>) {
  const removal = db.deleteFrom('entitlement').where('eec_id', '=', eecId).where('supi', '=', supi)
  const tokens = db.deleteFrom('operator_token').where('eec_id', '=', eecId).where('supi', '=', supi)
  const unit = [statement(removal, { rows: 1, otherwise: 'NOT_ENTITLED' }), statement(tokens)]
  await commit(ent, unit, { event: 'eec-denied', eecId })
}

/** @returns the EEC IDs that it had */
export async function withdrawAll(ent: EntitlementStore, supi: Supi): Promise<EecId[]> {
  const query = db.selectFrom('entitlement').selectAll().where('supi', '=', supi).orderBy('eec_id')
  const eecIds = (await ent.store.read<Row>(query.compile())).map(({ eec_id: eecId }) => eecId as EecId)
  const tables = ['entitlement', 'operator_token', 'authentication_token', 'temporary_token'] as const
  const unit = tables.map((table) => statement(db.deleteFrom(table).where('supi', '=', supi)))
  await commit(ent, unit, { event: 'withdrawn', eecIds })
  return eecIds
}

export async function findEntitlement(
  { store }: Pick<EntitlementStore, 'store'>,
  supi: Supi,
  eecId: EecId,
): Promise<Entitlement | undefined> {
  const query = db.selectFrom('entitlement').selectAll().where('eec_id', '=', eecId).where('supi', '=', supi)
  const [row] = await store.read<Row>(query.compile())
  return row && toEntitlement(row)
}

/** In the order of the EEC IDs. */
export async function listEntitlements(
  { store }: Pick<EntitlementStore, 'store'>,
  after: string,
  limit: number,
): Promise<Entitlement[]> {
  const query = db.selectFrom('entitlement').selectAll().where('eec_id', '>', after).orderBy('eec_id').limit(limit)
  return (await store.read<Row>(query.compile())).map(toEntitlement)
}

function toEntitlement({ supi, eec_id: eecId, gpsi }: Row): Entitlement {
  return { supi: supi as Supi, eecId: eecId as EecId, ...(gpsi !== null && { gpsi: gpsi as Gpsi }) }
}

const REFUSALS: Readonly<Record<string, () => Refusal>> = {
  EEC_ID_IN_USE: () => new Refusal('EEC_ID_IN_USE', 'another subscriber may use this EEC ID'),
  NOT_ENTITLED: () => new Refusal('NOT_ENTITLED', 'this subscriber may not use this EEC ID'),
}

async function commit({ store, clock }: EntitlementStore, unit: readonly Statement[], entry: AuditEvent) {
  try {
    await store.commit(unit, [{ at: clock.now(), entry }])
  } catch (error) {
    const refusal = error instanceof GuardFailed ? REFUSALS[error.guard]?.() : undefined
    throw refusal ?? error
  }
}
