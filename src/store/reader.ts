import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from './errors.ts'
import { preparedStatements } from './prepared-statements.ts'
import { isOfStatement } from './sqlite-failure.ts'
import { sqlValues } from './sqlite-values.ts'
import type { Query } from './store.ts'

export interface Reader {
  /** @throws StoreUnavailable if the file cannot be read, or the reader is closed */
  read<Row>(query: Query): Row[]
  close(): void
}

/** Reads in the calling thread, on a connection of its own: it neither waits for the writer nor stops with it. */
export function openReader(file: string): Reader {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  const prepare = preparedStatements(database)
  return {
    read<Row>(query: Query) {
      const values = sqlValues(query.parameters)
      try {
        return prepare(query.sql).statement.all(...values) as Row[]
      } catch (error) {
        if (isOfStatement(error)) throw error
        throw new StoreUnavailable('the store cannot be read', { cause: error })
      }
    },
    close() {
      if (database.isOpen) database.close()
    },
  }
}
