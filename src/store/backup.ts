import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { createPrivately } from './exclusive-lock.ts'
import type { EmbeddedStore } from './open-store.ts'
import { syncFolder, temporaryBeside } from './private-file.ts'
import { inTransaction } from './schema.ts'

/** All pages in one step: between two steps another connection may write, and the copy would begin anew. */
const ALL_PAGES = 2 ** 31 - 1

/**
 * Copies the store as it is at one moment into a new file (0600), while this process or another one goes on with it. The
 * copy knows that it is one: opened as a store, it begins with an epoch that was never used (THREATS DB-04).
 *
 * @throws Error with code EEXIST if the file exists
 */
export async function backup(store: Pick<EmbeddedStore, 'file'>, file: string): Promise<void> {
  const temporary = temporaryBeside(file)
  try {
    createPrivately(temporary)
    const source = new DatabaseSync(store.file, { readOnly: true, timeout: 5000 })
    try {
      await copyDatabase(source, temporary, { rate: ALL_PAGES })
    } finally {
      source.close()
    }
    markAsCopy(temporary)
    await sync(temporary)
    await link(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(file))
}

function markAsCopy(file: string): void {
  const database = new DatabaseSync(file)
  try {
    // Without a log of its own the copy is one file.
    database.exec('PRAGMA journal_mode = DELETE')
    inTransaction(database, () => database.exec('UPDATE store_state SET is_copy = 1'))
  } finally {
    database.close()
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
