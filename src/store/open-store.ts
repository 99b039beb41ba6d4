import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { StoreUnavailable } from './errors.ts'
import { createPrivately, lockExclusively } from './exclusive-lock.ts'
import type { Migration } from './migrations.ts'
import { prepareStore } from './open-database.ts'
import { openReader, type Reader } from './reader.ts'
import type { LedgerEntry, Query, Statement, Store } from './store.ts'
import { unitOfWork } from './unit-of-work.ts'
import { WriterThread } from './writer-thread.ts'

/** A store in one file of this machine; beside it FILE-lock, FILE-mark and, while it is open, FILE-wal and FILE-shm. */
export interface EmbeddedStore extends Store {
  /** absolute path */
  readonly file: string
}

/**
 * Opens a store, or makes a new one (0600) where there is no file. Checks the whole file first, so it takes the time
 * of reading it.
 *
 * @param options.migrations - all steps of the schema there ever were, in order
 * @throws CannotOpenStore if it is open already, damaged, of a newer version, or no store at all
 */
export async function openStore(options: {
  readonly file: string
  readonly migrations: readonly Migration[]
}): Promise<EmbeddedStore> {
  const file = canonical(options.file)
  const unlock = lockExclusively(`${file}-lock`)
  try {
    createPrivately(file)
    const facts = { file, ...prepareStore(file, options.migrations) }
    const writer = await WriterThread.start({ file })
    return embeddedStore(facts, openReader(file), writer, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function embeddedStore(
  facts: Pick<EmbeddedStore, 'file' | 'epoch' | 'restoredIn'>,
  reader: Reader,
  writer: WriterThread,
  unlock: () => void,
): EmbeddedStore {
  let closed: Promise<void> | undefined

  async function close() {
    try {
      // The writer is the last to leave: it takes the log with it.
      reader.close()
      await writer.close()
    } finally {
      unlock()
    }
  }

  return {
    ...facts,
    async read<Row>(query: Query) {
      return reader.read<Row>(query)
    },
    async commit(unit: readonly Statement[], entries: readonly LedgerEntry[] = []) {
      if (closed) throw new StoreUnavailable('the store is closed')
      await writer.commit(unitOfWork(unit, entries))
    },
    close: () => (closed ??= close()),
  }
}

/** One file has one lock, whatever links lead to it. */
function canonical(file: string): string {
  const path = resolve(file)
  try {
    return realpathSync(path)
  } catch {
    return join(realpathSync(dirname(path)), basename(path))
  }
}
