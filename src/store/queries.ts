import { type Compilable, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { sqlValues } from './sqlite-values.ts'
import type { Statement } from './store.ts'

/**
 * Builds typed queries and runs none: give what it builds to `store.read(query.compile())`, or to `store.commit`
 * as a {@link statement}.
 */
export function queriesOn<Tables>(): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (database) => new SqliteIntrospector(database),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** @throws TypeError if a parameter is not a value that a column can hold, as a boolean */
export function statement(query: Compilable, expect?: Statement['expect']): Statement {
  const { sql, parameters } = query.compile()
  return { sql, parameters: sqlValues(parameters), ...(expect && { expect }) }
}
