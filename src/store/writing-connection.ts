import { constants, type DatabaseSync, type StatementSync } from 'node:sqlite'
import { GuardFailed } from './errors.ts'
import { type LedgerHead, ledgerHash } from './ledger.ts'
import { type PreparedStatement, preparedStatements } from './prepared-statements.ts'
import { OWN_TABLES, readState } from './schema.ts'
import { isOfStatement, violatedConstraint } from './sqlite-failure.ts'
import type { LedgerRecord, Step, UnitOfWork } from './unit-of-work.ts'

/** Why a unit is not stored: a guard's name, or what is wrong with a statement. undefined: it is stored. */
export type Outcome = { readonly guard: string } | { readonly mistake: string } | undefined

/** What a statement of a unit may do. All else (schema, PRAGMA, ATTACH, transactions) is the store's own business. */
const READING = [constants.SQLITE_SELECT, constants.SQLITE_READ, constants.SQLITE_FUNCTION, constants.SQLITE_RECURSIVE]
const CHANGING = [constants.SQLITE_INSERT, constants.SQLITE_UPDATE, constants.SQLITE_DELETE]

/** The one connection that writes. After any error that it throws it must be closed: what it holds is unknown. */
export class WritingConnection {
  readonly #database: DatabaseSync
  readonly #prepared: (sql: string) => PreparedStatement
  readonly #own: ReturnType<typeof ownStatements>
  #head: LedgerHead
  #commits: number
  readonly epoch: number

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#own = ownStatements(database)
    const { commits, epoch, head } = readState(database)
    this.#commits = commits
    this.epoch = epoch
    this.#head = head
    this.#prepared = preparedStatements(database, confined(database))
  }

  /** How many transactions were committed in the life of the store. */
  get commits(): number {
    return this.#commits
  }

  /**
   * Writes all units in one transaction and returns when it is on disk. A unit that fails is undone alone.
   *
   * @throws Error if the transaction failed: then none of the units may be acknowledged
   */
  transaction(units: readonly UnitOfWork[]): Outcome[] {
    this.#own.begin.run()
    const outcomes = units.map((unit) => this.#unit(unit))
    if (outcomes.every((outcome) => outcome !== undefined)) {
      // Nothing to store: spare the disk.
      this.#own.rollback.run()
      return outcomes
    }
    this.#own.state.run(this.#commits + 1, this.#head.seq, this.#head.hash)
    this.#own.commit.run()
    this.#commits += 1
    return outcomes
  }

  /** Moves the write-ahead log into the database file, if no one reads meanwhile, and closes. */
  close(): void {
    try {
      if (this.#database.isOpen) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.abandon()
    }
  }

  /** Closes after a failure. What was not committed is undone. */
  abandon(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #unit({ steps, records }: UnitOfWork): Outcome {
    const head = this.#head
    this.#own.savepoint.run()
    try {
      for (const step of steps) this.#step(step)
      for (const record of records) this.#record(record)
    } catch (error) {
      const outcome = outcomeOf(error)
      // A statement with its own conflict clause can end the whole transaction, and the other units with it.
      if (!outcome || !this.#database.isTransaction) throw error
      this.#own.undo.run()
      this.#own.release.run()
      this.#head = head
      return outcome
    }
    this.#own.release.run()
    return undefined
  }

  #step([sql, parameters, rows, otherwise = sql]: Step): void {
    const { statement, returnsRows } = this.#prepared(sql)
    const count = returnsRows ? statement.all(...parameters).length : Number(statement.run(...parameters).changes)
    if (rows !== undefined && count !== rows) throw new GuardFailed(otherwise)
  }

  #record([at, entry]: LedgerRecord): void {
    const { seq: last, hash: previous } = this.#head
    const seq = last + 1
    const hash = ledgerHash(seq, at, previous, entry)
    this.#own.record.run(seq, at, entry, previous, hash)
    this.#head = { seq, hash }
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof GuardFailed) return { guard: error.guard }
  const constraint = violatedConstraint(error)
  if (constraint !== undefined) return { guard: constraint }
  return isOfStatement(error) ? { mistake: error instanceof Error ? error.message : String(error) } : undefined
}

function ownStatements(database: DatabaseSync) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    savepoint: database.prepare('SAVEPOINT unit'),
    release: database.prepare('RELEASE unit'),
    undo: database.prepare('ROLLBACK TO unit'),
    record: database.prepare('INSERT INTO ledger (seq, at, entry, previous, hash) VALUES (?, ?, ?, ?, ?)'),
    state: database.prepare('UPDATE store_state SET commits = ?, ledger_seq = ?, ledger_hash = ?'),
  }
}

/** Prepares statements of units. SQLite asks the authorizer while it compiles, so running costs nothing more. */
function confined(database: DatabaseSync): (sql: string) => StatementSync {
  let ofUnit = false
  database.setAuthorizer((action, table) => {
    const allowed =
      !ofUnit || READING.includes(action) || (CHANGING.includes(action) && !OWN_TABLES.includes(table ?? ''))
    return allowed ? constants.SQLITE_OK : constants.SQLITE_DENY
  })
  return (sql) => {
    ofUnit = true
    try {
      return database.prepare(sql)
    } finally {
      ofUnit = false
    }
  }
}
