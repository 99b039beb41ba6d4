import { type Compilable, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { sqlValues } from './sqlite-values.ts'
import type { Query, SqlValue, Statement } from './store.ts'

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

/**
 * A query that is built once and then only gets its values: building costs more than running.
 *
 * @param build - is called once, with marks in the place of values: it must put each value where it is, unchanged
 * @throws Error at the first use if a value went nowhere
 */
export function prepared<Values extends Readonly<Record<string, SqlValue>>>(build: (values: Values) => Compilable) {
  let built: { sql: string; places: readonly ((values: Values) => SqlValue)[] } | undefined
  return (values: Values): Query & { readonly parameters: readonly SqlValue[] } => {
    built ??= placesOf(build, Object.keys(values))
    return { sql: built.sql, parameters: built.places.map((place) => place(values)) }
  }
}

function placesOf<Values extends Readonly<Record<string, SqlValue>>>(
  build: (values: Values) => Compilable,
  names: readonly (keyof Values & string)[],
) {
  const markOf = (name: string) => `\u0000${name}`
  const { sql, parameters } = build(Object.fromEntries(names.map((name) => [name, markOf(name)])) as Values).compile()
  const lost = names.find((name) => !parameters.includes(markOf(name)))
  if (lost !== undefined) throw new Error(`a prepared query does not use its value ${lost}`)
  const places = sqlValues(parameters).map((parameter) => {
    const name = names.find((each) => markOf(each) === parameter)
    return name === undefined ? () => parameter : (values: Values) => values[name] as SqlValue
  })
  return { sql, places }
}
