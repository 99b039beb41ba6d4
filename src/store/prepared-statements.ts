import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LRUCache } from 'lru-cache'

export interface PreparedStatement {
  readonly statement: StatementSync
  readonly returnsRows: boolean
}

/** Preparing costs three times as much as running: keep what was prepared, the most recently used. */
export function preparedStatements(
  database: DatabaseSync,
  prepare: (sql: string) => StatementSync = (sql) => database.prepare(sql),
): (sql: string) => PreparedStatement {
  const cache = new LRUCache<string, PreparedStatement>({ max: 1000 })
  return (sql) => {
    const cached = cache.get(sql)
    if (cached) return cached
    const statement = prepare(sql)
    const prepared = { statement, returnsRows: statement.columns().length > 0 }
    cache.set(sql, prepared)
    return prepared
  }
}
