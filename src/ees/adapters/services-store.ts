import { Refusal } from '../../spec/refusal.ts'
import { GuardFailed } from '../../store/errors.ts'
import { queriesOn } from '../../store/queries.ts'
import type { LedgerEntry, SqlValue, Statement, Store } from '../../store/store.ts'
import { Overtaken } from '../overtaken.ts'
import type { EesTables } from '../tables.ts'

export const db = queriesOn<EesTables>()

/** A line of the audit trail. It names no subscriber: an EEC by its tag alone. */
export interface EesEvent {
  readonly event:
    | 'eec-registered'
    | 'eec-deregistered'
    | 'eec-context-received'
    | 'eec-context-sent'
    | 'eas-registered'
    | 'eas-deregistered'
  /** of an EEC ID */
  readonly eec?: string
  readonly easId?: string
  /** FQDN of the other EES */
  readonly ees?: string
}

const REFUSALS: Record<string, () => Refusal> = {
  QUOTA_EXCEEDED: () => new Refusal('QUOTA_EXCEEDED', 'this EES holds as many as it can'),
  TOO_MANY_REQUESTS: () => new Refusal('TOO_MANY_REQUESTS', 'one EEC holds as many as it may'),
  PRECONDITION_FAILED: () => new Refusal('PRECONDITION_FAILED', 'the registration has changed'),
}

/** One unit of work; what a guard says becomes the refusal of its name. @throws Refusal, Overtaken, StoreUnavailable */
export async function commit(
  store: Store,
  at: number,
  unit: readonly Statement[],
  ...events: EesEvent[]
): Promise<void> {
  const entries: LedgerEntry[] = events.map((entry) => ({ at, entry }))
  try {
    await store.commit(unit, entries)
  } catch (error) {
    if (!(error instanceof GuardFailed)) throw error
    throw REFUSALS[error.guard]?.() ?? new Overtaken(error.guard, { cause: error })
  }
}

/** Inserts a row if its table holds fewer than `most` (THREATS HT-11): counted and inserted in one step. */
export function insertWithin(
  table: keyof EesTables,
  row: Readonly<Record<string, SqlValue>>,
  {
    most,
    of,
    otherwise,
  }: {
    readonly most: number
    readonly of?: [column: string, value: string]
    readonly otherwise: 'QUOTA_EXCEEDED' | 'TOO_MANY_REQUESTS'
  },
): Statement {
  const columns = Object.keys(row)
  const [where, value] = of === undefined ? ['', []] : [` where ${of[0]} = ?`, [of[1]]]
  return {
    sql: `insert into ${table} (${columns.join(', ')}) select ${columns.map(() => '?').join(', ')}
          where (select count(*) from ${table}${where}) < ?`,
    parameters: [...Object.values(row), ...value, most],
    expect: { rows: 1, otherwise },
  }
}
