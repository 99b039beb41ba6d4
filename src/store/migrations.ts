import type { DatabaseSync } from 'node:sqlite'
import { CannotOpenStore } from './errors.ts'
import { inTransaction } from './schema.ts'

/**
 * One step of the schema. A step that was released is never changed, moved or removed; new ones are added at the end.
 * Foreign keys are checked at once: one that is `INITIALLY DEFERRED` would undo the units of others at their commit.
 */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

/**
 * @returns how many steps the store has behind it
 * @throws CannotOpenStore `newer` if it has one that is not known here
 */
export function countApplied(database: DatabaseSync, migrations: readonly Migration[]): number {
  const rows = database.prepare('SELECT name FROM store_migration ORDER BY position').all()
  const applied = rows.map(({ name }) => String(name))
  const known = migrations.map(({ name }) => name)
  const unknown = applied.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new CannotOpenStore('newer', `a newer version has written the store: it has the migration ${unknown}`)
  }
  if (new Set(known).size < known.length || applied.some((name, index) => name !== known[index])) {
    throw new TypeError('a migration was added before one that is applied, or has the name of another')
  }
  return applied.length
}

/**
 * Applies the missing steps in order, each in a transaction of its own, so that a killed process goes on where it
 * stopped (THREATS DB-05).
 */
export function applyMigrations(database: DatabaseSync, migrations: readonly Migration[]): void {
  const applied = countApplied(database, migrations)
  const note = database.prepare('INSERT INTO store_migration (position, name) VALUES (?, ?)')
  for (const [position, { name, statements }] of migrations.entries()) {
    if (position < applied) continue
    inTransaction(database, () => {
      for (const sql of statements) database.exec(sql)
      note.run(position, name)
    })
  }
}
