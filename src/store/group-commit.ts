import type { DatabaseSync } from 'node:sqlite'
import type { MarkWriter } from './mark.ts'
import type { UnitOfWork } from './unit-of-work.ts'
import { type Outcome, WritingConnection } from './writing-connection.ts'

export interface GroupCommit {
  /**
   * @returns what became of each unit, once those that are stored are on disk
   * @throws Error if that is not known of any; the next call begins on a new connection
   */
  commit(units: readonly UnitOfWork[]): Outcome[]
  /** @returns the number of commits and the epoch, if the database was left without a failure */
  close(): { readonly commits: number; readonly epoch: number } | undefined
}

/**
 * Many units, one transaction, one fsync.
 *
 * After a failed fsync the kernel may count pages as written that are not, so nothing that this connection still holds
 * is trusted: the next batch opens the database anew (THREATS DB-02).
 */
export function groupCommit(connect: () => DatabaseSync, mark: MarkWriter): GroupCommit {
  let connection: WritingConnection | undefined
  let acknowledged = 0

  function connected(): WritingConnection {
    if (connection) return connection
    const database = connect()
    try {
      const opened = new WritingConnection(database)
      if (opened.commits < acknowledged) throw new Error('the store lacks commits that were acknowledged')
      note(opened)
      connection = opened
      return opened
    } catch (error) {
      database.close()
      throw error
    }
  }

  function note({ commits, epoch }: WritingConnection): void {
    acknowledged = commits
    try {
      mark.write({ commits, epoch, digest: '' })
    } catch {
      // The mark is a lower bound, and the one before is that as well.
    }
  }

  return {
    commit(units) {
      try {
        const writing = connected()
        const outcomes = writing.transaction(units)
        note(writing)
        return outcomes
      } catch (error) {
        connection?.abandon()
        connection = undefined
        throw error
      }
    },
    close() {
      const closing = connection
      connection = undefined
      closing?.close()
      return closing && { commits: closing.commits, epoch: closing.epoch }
    },
  }
}
