import type { DatabaseSync } from 'node:sqlite'
import { CannotOpenStore } from './errors.ts'
import { EMPTY_LEDGER, type LedgerHead } from './ledger.ts'

/** "EDGW", in the header of the file: tells our databases from others. */
const APPLICATION_ID = 0x45444757
const LAYOUT = 1

/** Kept by the store itself; a unit of work cannot change them. */
export const OWN_TABLES = ['store_state', 'store_migration', 'ledger']

const CREATE = `
  CREATE TABLE store_state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    commits     INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    restored_in INTEGER NOT NULL,
    is_copy     INTEGER NOT NULL,
    ledger_seq  INTEGER NOT NULL,
    ledger_hash TEXT NOT NULL
  ) STRICT;
  INSERT INTO store_state VALUES (1, 0, 0, 0, 0, ${EMPTY_LEDGER.seq}, '${EMPTY_LEDGER.hash}');
  CREATE TABLE store_migration (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE ledger (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    entry    TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${LAYOUT};
`

export interface State {
  readonly commits: number
  readonly epoch: number
  readonly restoredIn: number
  readonly isCopy: boolean
  readonly head: LedgerHead
}

/**
 * Reads only.
 *
 * @returns whether the database is empty; otherwise it is a store
 * @throws CannotOpenStore `foreign` or `newer`
 */
export function isEmpty(database: DatabaseSync): boolean {
  const applicationId = pragma(database, 'application_id')
  const layout = pragma(database, 'user_version')
  if (applicationId === APPLICATION_ID && layout === LAYOUT) return false
  if (applicationId === APPLICATION_ID) throw new CannotOpenStore('newer', `the store has layout ${layout}`)
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {}
  if (applicationId === 0 && layout === 0 && tables === 0) return true
  throw new CannotOpenStore('foreign', 'the file is a database, but not a store')
}

/** The tables of the store itself, beside those of the entity. */
export function createOwnTables(database: DatabaseSync): void {
  inTransaction(database, () => database.exec(CREATE))
}

/** @throws CannotOpenStore `damaged` if there is none, or it is not of the form above */
export function readState(database: DatabaseSync): State {
  const row = database.prepare('SELECT * FROM store_state').get() ?? {}
  const { commits, epoch, restored_in: restoredIn, is_copy: isCopy, ledger_seq: seq, ledger_hash: hash } = row
  if (
    typeof commits !== 'number' ||
    typeof epoch !== 'number' ||
    typeof restoredIn !== 'number' ||
    typeof seq !== 'number' ||
    typeof hash !== 'string'
  ) {
    throw new CannotOpenStore('damaged', 'the store has lost its state')
  }
  return { commits, epoch, restoredIn, isCopy: isCopy === 1, head: { seq, hash } }
}

/** @returns the value that SQLite has for it, of whatever type that is */
export function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}

/** All of the action or nothing. */
export function inTransaction(database: DatabaseSync, action: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    action()
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
