import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import type { Migration } from '../../src/store/migrations.ts'
import { openStore } from '../../src/store/open-store.ts'
import { program, run } from './child-process.ts'
import { aFolder } from './notebook.ts'
import { STEPS } from './steps.ts'

/** Opens with these migrations and tells what each step that was applied has left. */
async function migrated(file: string, migrations: readonly Migration[]): Promise<unknown[]> {
  const store = await openStore({ file, migrations })
  try {
    const traces = migrations.map(({ name }) =>
      store.read<{ done: string }>({ sql: `SELECT done FROM ${name}`, parameters: [] }),
    )
    return (await Promise.all(traces)).map((rows) => rows.map(({ done }) => done).join())
  } finally {
    await store.close()
  }
}

const NAMES = STEPS.map(({ name }) => name)

describe('migrations', () => {
  test('DB-05: a store of an earlier release is brought forward, step by step', async (context) => {
    const file = join(aFolder(context), 'store.db')
    for (const count of [1, 3, 3, 4]) {
      assert.deepEqual(await migrated(file, STEPS.slice(0, count)), NAMES.slice(0, count))
    }
  })

  for (const position of STEPS.keys()) {
    test(`DB-05: killed in step ${position + 1}, it goes on with that step`, async (context) => {
      const file = join(aFolder(context), 'store.db')
      const { code } = await run(program('migrating-child.ts', file, String(position)))
      assert.equal(code, null)
      const database = new DatabaseSync(file)
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE sql LIKE '%done%' ORDER BY rowid").all()
      database.close()
      assert.deepEqual(
        tables.map(({ name }) => name),
        NAMES.slice(0, position),
      )
      assert.deepEqual(await migrated(file, STEPS), NAMES)
    })
  }

  test('DB-05: a step that fails is undone, those before it stay', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const [one, two] = STEPS.slice(0, 2)
    assert.ok(one && two)
    const failing = { name: 'two', statements: [...two.statements, 'INSERT INTO none VALUES (1)'] }
    await assert.rejects(openStore({ file, migrations: [one, failing] }), /no such table: none/)
    assert.deepEqual(await migrated(file, [one, two]), ['one', 'two'])
  })

  test('DB-05: a store of a newer version is refused and left as it is', async (context) => {
    const file = join(aFolder(context), 'store.db')
    await migrated(file, STEPS)
    await assert.rejects(openStore({ file, migrations: STEPS.slice(0, 3) }), { reason: 'newer', message: /four/ })
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 2')
    database.close()
    await assert.rejects(openStore({ file, migrations: STEPS }), { name: 'CannotOpenStore' })
  })

  test('DB-05: steps in another order, or twice, are a mistake', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const [one, two, three] = STEPS
    assert.ok(one && two && three)
    await migrated(file, [one, three])
    await assert.rejects(openStore({ file, migrations: [one, two, three] }), { name: 'TypeError' })
    await assert.rejects(openStore({ file, migrations: [one, three, one] }), { name: 'TypeError' })
    assert.deepEqual(await migrated(file, [one, three]), ['one', 'three'])
  })
})
