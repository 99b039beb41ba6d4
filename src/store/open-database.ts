import { createHash, randomInt } from 'node:crypto'
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CannotOpenStore } from './errors.ts'
import { type Mark, markFileOf, openMark, readMark } from './mark.ts'
import { applyMigrations, countApplied, type Migration } from './migrations.ts'
import { createOwnTables, inTransaction, isEmpty, pragma, readState, type State } from './schema.ts'
import { isDamage } from './sqlite-failure.ts'

/** Far more openings than any store sees after a backup was made of it. */
const EPOCHS_TO_SKIP = 2 ** 32

/** Milliseconds to wait for a tool that has the file open beside us. */
const BUSY_TIMEOUT = 5000

/**
 * Opens for writing: every commit is on disk before it returns. NORMAL would be faster and lose acknowledged units
 * with the power.
 */
export function connectForWriting(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Recovers the store after whatever happened to it, brings it to the present schema and begins a new epoch. The
 * caller holds the lock.
 *
 * @param file - exists; empty for a new store
 * @throws CannotOpenStore `damaged`, `foreign` or `newer`: all files are left as they are
 */
export function prepareStore(file: string, migrations: readonly Migration[]): Pick<State, 'epoch' | 'restoredIn'> {
  try {
    refuseLogOfAnother(file)
    undoInterruptedSwitch(file)
    const mark = readMark(file) ?? { commits: 0, epoch: 0, digest: '' }
    const isNew = inspect(file, mark, migrations) === undefined
    forgetDigest(file, mark)
    return begin(file, mark, migrations, isNew)
  } catch (error) {
    if (isDamage(error)) throw new CannotOpenStore('damaged', 'the store is damaged', { cause: error })
    throw error
  }
}

/**
 * A file without the sign of the write-ahead log (octet 18 of its header) has none. One beside it belongs to the store
 * whose place a backup took, or that was removed; SQLite would mix the two, or remove it.
 */
function refuseLogOfAnother(file: string): void {
  if (!hasLog(file)) return
  const header = Buffer.alloc(19)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, header)
  } finally {
    closeSync(descriptor)
  }
  if (header[18] !== 2) throw new CannotOpenStore('damaged', `${file}-wal belongs to another store: put it aside`)
}

function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}

/**
 * On its way to the write-ahead log, with a new store or a restored backup, SQLite uses a journal of the older kind.
 * If the process is killed there, only a connection that writes can read the file again: it undoes the switch.
 */
function undoInterruptedSwitch(file: string): void {
  if (!existsSync(`${file}-journal`)) return
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT })
  try {
    pragma(database, 'schema_version')
  } finally {
    database.close()
  }
}

/**
 * Judges the store before anything is written. Only reading, SQLite keeps the log as it is; a connection that writes
 * would remove it when it closes, and with it what could still be saved from a damaged one.
 *
 * @returns undefined for a new store
 */
function inspect(file: string, mark: Mark, migrations: readonly Migration[]): State | undefined {
  const isAsClosed = mark.digest === '' || mark.digest === digestAtRest(file)
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT })
  try {
    const state = isEmpty(database) ? undefined : readState(database)
    // A backup that takes the place of the store differs from what was there.
    if (!state?.isCopy) refuseUnlessAsMarked(file, isAsClosed, mark.commits - (state?.commits ?? 0))
    // Octet for octet what was closed in order needs no second look; reading it all again would double the start.
    if (mark.digest === '' || state?.isCopy) checkIntegrity(database)
    if (state) countApplied(database, migrations)
    return state
  } finally {
    database.close()
  }
}

function refuseUnlessAsMarked(file: string, isAsClosed: boolean, lacking: number): void {
  const remedy = `restore a backup, or remove ${markFileOf(file)} to go on with what is there`
  if (!isAsClosed) throw new CannotOpenStore('damaged', `the store was changed while it was closed; ${remedy}`)
  if (lacking > 0) throw new CannotOpenStore('damaged', `the store lacks ${lacking} acknowledged commits; ${remedy}`)
}

function checkIntegrity(database: DatabaseSync): void {
  const finding = pragma(database, 'integrity_check')
  if (finding !== 'ok') throw new CannotOpenStore('damaged', `the store is damaged: ${finding}`)
}

/** SHA-256 of the database file, or undefined if part of the store is in the write-ahead log. */
export function digestAtRest(file: string): string | undefined {
  if (hasLog(file)) return undefined
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(2 ** 20)
  const descriptor = openSync(file, 'r')
  try {
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      hash.update(chunk.subarray(0, read))
    }
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}

/** From the first write on the digest is no longer true, so it must be gone from the disk before that. */
function forgetDigest(file: string, mark: Mark): void {
  const writer = openMark(file)
  try {
    writer.write({ ...mark, digest: '' })
    writer.sync()
  } finally {
    writer.close()
  }
}

function begin(file: string, mark: Mark, migrations: readonly Migration[], isNew: boolean) {
  const database = connectForWriting(file)
  try {
    if (isNew) createOwnTables(database)
    applyMigrations(database, migrations)
    return beginEpoch(database, readState(database), mark)
  } finally {
    database.close()
  }
}

/**
 * A backup does not know the epochs that began after it was made, so a restored one skips more than there can be, by
 * an unforeseeable number: two stores restored from one backup do not meet either.
 */
function beginEpoch(database: DatabaseSync, state: State, mark: Mark): Pick<State, 'epoch' | 'restoredIn'> {
  const skipped = state.isCopy ? randomInt(EPOCHS_TO_SKIP) : 0
  const epoch = Math.max(state.epoch, mark.epoch) + 1 + skipped
  const restoredIn = state.isCopy ? epoch : state.restoredIn
  const commits = Math.max(state.commits, mark.commits) + 1
  inTransaction(database, () => {
    database
      .prepare('UPDATE store_state SET epoch = ?, restored_in = ?, commits = ?, is_copy = 0')
      .run(epoch, restoredIn, commits)
  })
  return { epoch, restoredIn }
}
