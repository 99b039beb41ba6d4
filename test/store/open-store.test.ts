import assert from 'node:assert/strict'
import { rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type EmbeddedStore, openStore } from '../../src/store/open-store.ts'
import { verifyLedger } from '../../src/store/verify-ledger.ts'
import { program, run } from './child-process.ts'
import { aFolder, aNote, aNotebook, anEntry, notesIn, openNotebook } from './notebook.ts'

const idsIn = async (store: EmbeddedStore) => (await notesIn(store)).map(({ id }) => id)

describe('a unit of work', () => {
  test('is read back once it is acknowledged, and after the store is opened again', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const first = await openNotebook(file)
    await first.commit(aNote('a'), [anEntry('a')])
    assert.deepEqual(await notesIn(first), [{ id: 'a', notes: 1, lines: 2, entries: 1 }])
    await first.close()

    const second = await openNotebook(file)
    assert.deepEqual(await idsIn(second), ['a'])
    await second.close()
  })

  test('keeps every kind of value as it is, also when the caller goes on using the octets', async (context) => {
    const store = await aNotebook(context)
    const values = [null, -1, 0.5, 2 ** 53 - 1, 'Zoë\u0000\u{1f512}', new Uint8Array([0, 255])]
    const sql = `SELECT ${values.map((_, index) => `? AS v${index}`).join(', ')}, ? AS big`
    const [row] = await store.read<object>({ sql, parameters: [...values, 2n ** 40n] })
    assert.deepEqual(Object.values(row ?? {}), [...values, 2 ** 40])

    const octets = Buffer.from('octets')
    const note = { sql: 'INSERT INTO note VALUES (?, CAST(? AS TEXT), 1)', parameters: ['a', octets] }
    const committed = store.commit([note])
    octets.fill(0)
    await committed
    const [stored] = await store.read<{ owner: string }>({ sql: 'SELECT owner FROM note', parameters: [] })
    assert.equal(stored?.owner, 'octets')
  })

  test('is undone as a whole, ledger entries too, when a guard says no', async (context) => {
    const store = await aNotebook(context)
    const guard = { sql: 'UPDATE note SET owner = ? WHERE id = ?', parameters: ['new', 'nobody'] }
    const unit = [...aNote('a'), { ...guard, expect: { rows: 1, otherwise: 'NOTE_EXISTS' } }]
    await assert.rejects(store.commit(unit, [anEntry('a')]), { name: 'GuardFailed', guard: 'NOTE_EXISTS' })
    assert.deepEqual(await notesIn(store), [])
    await store.commit([guard])
  })

  test('can be guarded by the number of rows that a statement returns', async (context) => {
    const store = await aNotebook(context)
    const free = (id: string) => ({
      sql: 'SELECT 1 FROM note WHERE id = ?',
      parameters: [id],
      expect: { rows: 0, otherwise: 'ID_IS_FREE' },
    })
    await store.commit([free('a'), ...aNote('a')])
    await assert.rejects(store.commit([free('a'), ...aNote('b')]), { guard: 'ID_IS_FREE' })
    assert.deepEqual(await idsIn(store), ['a'])
  })

  test('names the columns of the unique index that said no, or the foreign key', async (context) => {
    const store = await aNotebook(context)
    await store.commit(aNote('a'))
    await assert.rejects(store.commit(aNote('a')), { name: 'GuardFailed', guard: 'note.id' })
    const line = { sql: 'INSERT INTO line VALUES (?, 1, ?)', parameters: ['a', 'x'] }
    await assert.rejects(store.commit([line]), { guard: 'line.note, line.number' })
    await assert.rejects(store.commit([{ ...line, parameters: ['b', 'x'] }]), { guard: 'foreign key' })
  })

  test('that fails does not touch the others of its transaction', async (context) => {
    const store = await aNotebook(context)
    const mistaken = [...aNote('x'), { sql: 'INSERT INTO no_such_table VALUES (1)', parameters: [] }]
    const outcomes = await Promise.allSettled([
      store.commit(aNote('a'), [anEntry('a')]),
      store.commit([...aNote('y'), ...aNote('a')], [anEntry('y')]),
      store.commit(aNote('b'), [anEntry('b')]),
      store.commit(mistaken, [anEntry('x')]),
      store.commit(aNote('c'), [anEntry('c')]),
    ])
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.message : 'stored')),
      ['stored', 'guard failed: note.id', 'stored', 'no such table: no_such_table', 'stored'],
    )
    assert.deepEqual(await idsIn(store), ['a', 'b', 'c'])
    const verdict = await verifyLedger(store)
    assert.ok(verdict.ok && verdict.records === 3)
  })

  test('that ends the transaction of all is acknowledged to none, and the store goes on', async (context) => {
    const store = await aNotebook(context)
    await store.commit(aNote('a'))
    const ending = { sql: 'INSERT OR ROLLBACK INTO note VALUES (?, ?, 1)', parameters: ['a', 'x'] }
    const outcomes = await Promise.allSettled([store.commit(aNote('b')), store.commit([ending])])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name),
      ['StoreUnavailable', 'StoreUnavailable'],
    )
    await store.commit(aNote('c'))
    assert.deepEqual(await idsIn(store), ['a', 'c'])
  })

  test('changes rows of the application and nothing else (OP-02)', async (context) => {
    const store = await aNotebook(context)
    await store.commit(aNote('a'), [anEntry('a')])
    const refused = [
      "UPDATE ledger SET entry = '{}'",
      'DELETE FROM ledger',
      "INSERT INTO ledger VALUES (2, 1, '{}', '', '')",
      'UPDATE store_state SET epoch = 1',
      'DELETE FROM store_migration',
      'DROP TABLE line',
      'CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM ledger; END',
      'PRAGMA synchronous = OFF',
      "ATTACH ':memory:' AS other",
      'COMMIT',
      'RELEASE unit',
    ]
    for (const sql of refused) {
      await assert.rejects(store.commit([...aNote('b'), { sql, parameters: [] }]), { message: 'not authorized' }, sql)
    }
    assert.deepEqual(await idsIn(store), ['a'])
  })

  test('with a value that no column can hold is not sent', async (context) => {
    const store = await aNotebook(context)
    for (const value of [Number.NaN, 2n ** 63n, true, undefined, new Date(0)]) {
      const parameters: readonly unknown[] = ['a', value]
      await assert.rejects(store.read({ sql: 'SELECT ?, ?', parameters }), {
        name: 'TypeError',
        message: /^parameter 2/,
      })
    }
    const notANumber = { sql: 'UPDATE note SET written = ?', parameters: [Number.NaN] }
    await assert.rejects(store.commit([notANumber]), { name: 'TypeError' })
    await assert.rejects(store.commit([], [{ at: 0.5, entry: {} }]), { name: 'TypeError' })
  })
})

describe('a store', () => {
  test('is private: 0600 for every file', async (context) => {
    const store = await aNotebook(context)
    await store.commit(aNote('a'))
    for (const suffix of ['', '-wal', '-shm', '-lock', '-mark']) {
      assert.equal(statSync(store.file + suffix).mode & 0o777, 0o600, suffix)
    }
  })

  test('reads only when reading', async (context) => {
    const store = await aNotebook(context)
    await store.commit(aNote('a'))
    await assert.rejects(store.read({ sql: 'DELETE FROM line', parameters: [] }), { name: 'StoreUnavailable' })
    assert.deepEqual(await idsIn(store), ['a'])
  })

  test('finishes what it was given before it closes, and takes nothing afterwards', async (context) => {
    const store = await aNotebook(context)
    const given = Array.from({ length: 100 }, (_, index) => store.commit(aNote(`n${index}`)))
    const closed = store.close()
    await assert.rejects(store.commit(aNote('late')), { name: 'StoreUnavailable' })
    await Promise.all([...given, closed, store.close()])
    await assert.rejects(store.read({ sql: 'SELECT 1', parameters: [] }), { name: 'StoreUnavailable' })

    const again = await openNotebook(store.file)
    assert.equal((await notesIn(again)).length, 100)
    await again.close()
  })

  test('lets the process end after close, and prints no warning', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const { lines, code } = await run(program('writing-child.ts', file, 'a', '3'))
    assert.equal(code, 0)
    assert.deepEqual(lines, ['open', 'stored a-0', 'stored a-1', 'stored a-2', 'closed'])
  })

  test('whose writer dies acknowledges nothing more, but reads (DB-02)', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const store = await openNotebook(file)
    await store.commit(aNote('a'))
    const post = context.mock.method(Worker.prototype, 'postMessage', function (this: Worker) {
      this.terminate()
    })
    const outcomes = await Promise.allSettled([store.commit(aNote('b')), store.commit(aNote('c'))])
    post.mock.restore()
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name),
      ['StoreUnavailable', 'StoreUnavailable'],
    )
    await assert.rejects(store.commit(aNote('d')), { name: 'StoreUnavailable' })
    assert.deepEqual(await idsIn(store), ['a'])
    await store.close()

    const again = await openNotebook(file)
    await again.commit(aNote('e'))
    assert.deepEqual(await idsIn(again), ['a', 'e'])
    await again.close()
  })

  test('says so when it could not be closed in order', async (context) => {
    const store = await openNotebook(join(aFolder(context), 'store.db'))
    rmSync(store.file)
    await assert.rejects(store.close(), { name: 'StoreUnavailable' })
  })

  test('cannot be opened where there is no folder, and nothing stays locked', async (context) => {
    const folder = aFolder(context)
    await assert.rejects(openNotebook(join(folder, 'none', 'store.db')), { code: 'ENOENT' })
    const file = join(folder, 'store.db')
    await assert.rejects(openStore({ file, migrations: [{ name: 'bad', statements: ['CREATE'] }] }), /incomplete input/)
    await (await openNotebook(file)).close()
  })

  test('is the same under a link', async (context) => {
    const store = await aNotebook(context)
    const link = join(dirname(store.file), 'link.db')
    symlinkSync(store.file, link)
    await assert.rejects(openNotebook(link), { name: 'CannotOpenStore', reason: 'locked' })
  })
})
