import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CannotOpenStore } from './errors.ts'
import { isBusy } from './sqlite-failure.ts'

/**
 * One store, one opener: an empty database held in an exclusive transaction. SQLite takes the lock from the kernel,
 * so it ends with the process, however that ends, and it also holds between two openers in one process.
 *
 * @returns a function that gives the lock back
 * @throws CannotOpenStore `locked`
 */
export function lockExclusively(file: string): () => void {
  createPrivately(file)
  const database = new DatabaseSync(file)
  try {
    // Nothing is ever written, so no journal has to lie beside it.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw new CannotOpenStore('locked', `another process has the store open (${file} is locked)`, { cause: error })
  }
  return () => database.close()
}

/**
 * Makes an empty file (0600) unless there is one; SQLite gives its other files the same mode.
 *
 * A file that exists is not opened: closing any descriptor of it would end all locks this process has on it.
 */
export function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
