import { sqlValues } from './sqlite-values.ts'
import type { LedgerEntry, SqlValue, Statement } from './store.ts'

/** A unit on its way to the writer: checked, and no longer shared with the caller. */
export interface UnitOfWork {
  readonly steps: readonly Step[]
  readonly records: readonly LedgerRecord[]
}

/** SQL, its parameters, and, if there is a guard, the number of rows and the guard's name. */
export type Step = readonly [sql: string, parameters: SqlValue[], rows?: number, otherwise?: string]

/** Time and JSON text of a ledger entry. */
export type LedgerRecord = readonly [at: number, entry: string]

/** @throws TypeError if a value is none that a column can hold, an entry is no JSON or its time no integer */
export function unitOfWork(statements: readonly Statement[], entries: readonly LedgerEntry[]): UnitOfWork {
  return { steps: statements.map(step), records: entries.map(record) }
}

function step({ sql, parameters, expect }: Statement): Step {
  const values = sqlValues(parameters).map(unshared)
  return expect ? [sql, values, expect.rows, expect.otherwise] : [sql, values]
}

/** A Buffer is often a view of a larger one, and all of that would travel with it. */
function unshared(value: SqlValue): SqlValue {
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

function record({ at, entry }: LedgerEntry): LedgerRecord {
  const text = JSON.stringify(entry)
  if (!Number.isSafeInteger(at) || text === undefined) throw new TypeError('a ledger entry needs a time and JSON')
  return [at, text]
}
