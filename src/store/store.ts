import type { CompiledQuery } from 'kysely'

/** What a column can hold. Ids are text, times integer milliseconds, structures JSON text; there are no booleans. */
export type SqlValue = null | number | bigint | string | Uint8Array

export interface Query {
  readonly sql: string
  /** each a {@link SqlValue} */
  readonly parameters: readonly unknown[]
}

/** One change, with `?` for its parameters. It changes rows of the application's own tables, nothing else. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
  /** how many rows it must change, or return if it returns rows; otherwise the whole unit is undone */
  readonly expect?: { readonly rows: number; readonly otherwise: string }
}

/** A record for the ledger, the hash chain that the store keeps. */
export interface LedgerEntry {
  /** milliseconds since epoch */
  readonly at: number
  /** stored as JSON.stringify writes it */
  readonly entry: object
}

/** Where entities keep what must survive. Asynchronous throughout, so that a database server can stand behind it. */
export interface Store {
  /** grows with every opening, never repeats, below 2^48 */
  readonly epoch: number
  /**
   * The epoch in which the store was last found to be a restored backup, 0 if never. What was issued in an earlier
   * epoch may have been used or revoked since the backup was made (THREATS DB-04).
   */
  readonly restoredIn: number
  /**
   * Sees everything committed before the call.
   *
   * @throws StoreUnavailable if the store is closed or cannot be read
   */
  read<Row>(query: CompiledQuery<Row> | Query): Promise<Row[]>
  /**
   * Stores the whole unit with its ledger entries, or nothing. Resolves only after the commit is on disk.
   *
   * @throws GuardFailed if a guard or a unique index said no: nothing of the unit is stored
   * @throws StoreUnavailable if it could not be written; see there
   * @throws Error if a statement is wrong in itself: nothing of the unit is stored
   */
  commit(unit: readonly Statement[], entries?: readonly LedgerEntry[]): Promise<void>
  /** Waits for what is under way, then leaves the file complete in itself. Calling it again is harmless. */
  close(): Promise<void>
}
