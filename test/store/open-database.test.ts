import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { backup } from '../../src/store/backup.ts'
import { CannotOpenStore } from '../../src/store/errors.ts'
import { prepareStore } from '../../src/store/open-database.ts'
import { openReader } from '../../src/store/reader.ts'
import type { Store } from '../../src/store/store.ts'
import { program, run, storedIds } from './child-process.ts'
import { aFolder, aNote, anEntry, NOTEBOOK, notesIn, openNotebook } from './notebook.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const FILES = ['', '-wal', '-mark']
const IDS = ['n-0', 'n-1', 'n-2', 'n-3', 'n-4']

/** A store that was closed in order. */
async function aClosedStore(context: TestContext): Promise<string> {
  const file = join(aFolder(context), 'store.db')
  const store = await openNotebook(file)
  for (const id of IDS) await store.commit(aNote(id), [anEntry(id)])
  await store.close()
  return file
}

/** A store whose process was killed: what was acknowledged is in the write-ahead log. */
async function aKilledStore(context: TestContext): Promise<{ file: string; acknowledged: string[] }> {
  const file = join(aFolder(context), 'store.db')
  const { lines } = await run(program('writing-child.ts', file, 'n', '1000000', '1'), (line, child) => {
    if (line === 'stored n-4') child.kill('SIGKILL')
  })
  return { file, acknowledged: storedIds(lines) }
}

function copyOf(file: string, name: string): string {
  const folder = join(dirname(file), name)
  mkdirSync(folder)
  for (const suffix of FILES)
    if (existsSync(file + suffix)) copyFileSync(file + suffix, join(folder, `store.db${suffix}`))
  return join(folder, 'store.db')
}

/** An empty log is as good as none. */
function contentOf(file: string): Buffer[] {
  return FILES.map((suffix) => (existsSync(file + suffix) ? readFileSync(file + suffix) : Buffer.alloc(0)))
}

/** Opens what is left of a store: its ids, or why it is refused. */
async function opened(file: string): Promise<string[] | string> {
  const before = contentOf(file)
  try {
    prepareStore(file, NOTEBOOK)
  } catch (error) {
    if (!(error instanceof CannotOpenStore)) throw error
    assert.deepEqual(contentOf(file), before, 'a store that is refused is left as it is')
    return error.reason
  }
  const reader = openReader(file)
  try {
    const store: Pick<Store, 'read'> = { read: async (query) => reader.read(query) }
    const notes = await notesIn(store)
    assert.ok(
      notes.every((note) => note.notes === 1 && note.lines === 2 && note.entries === 1),
      JSON.stringify(notes),
    )
    return notes.map(({ id }) => id)
  } finally {
    reader.close()
  }
}

/** What each damage of a file leads to: copies the store, changes one octet in every so many, and opens it. */
async function flipped(file: string, suffix: string, step: number): Promise<(string[] | string)[]> {
  const octets = readFileSync(file + suffix)
  const results: (string[] | string)[] = []
  for (let at = 0; at < octets.length; at += step) {
    const copy = copyOf(file, `flip${suffix}-${at}`)
    const changed = Buffer.from(octets)
    changed[at] = (octets[at] ?? 0) ^ (1 << (at % 8))
    writeFileSync(copy + suffix, changed)
    results.push(await opened(copy))
    rmSync(dirname(copy), { recursive: true })
  }
  return results
}

describe('a damaged store', () => {
  test('DB-03: one bit of a closed store is flipped: not opened', async (context) => {
    const file = await aClosedStore(context)
    const results = await flipped(file, '', DEEP ? 7 : 499)
    assert.ok(results.length > 50)
    assert.ok(results.every((result) => typeof result === 'string'))
    assert.ok(results.filter((result) => result === 'damaged').length > results.length - 3)
  })

  test('DB-03: one bit of the log is flipped: never taken for the end of the log', async (context) => {
    const { file, acknowledged } = await aKilledStore(context)
    assert.ok(acknowledged.length >= IDS.length)
    const results = await flipped(file, '-wal', DEEP ? 19 : 907)
    assert.ok(results.length > 50)
    for (const result of results) {
      assert.ok(result === 'damaged' || acknowledged.every((id) => result.includes(id)), String(result))
    }
    assert.ok(results.filter((result) => result === 'damaged').length > results.length / 2)
  })

  test('DB-03: one bit of the mark is flipped: harmless', async (context) => {
    for (const file of [await aClosedStore(context), (await aKilledStore(context)).file]) {
      const before = await opened(copyOf(file, 'unchanged'))
      for (const result of await flipped(file, '-mark', DEEP ? 1 : 17)) assert.deepEqual(result, before)
    }
  })

  test('DB-03: a log that a power failure cut off: whole units up to there', async (context) => {
    const { file } = await aKilledStore(context)
    const { length } = readFileSync(`${file}-wal`)
    const step = DEEP ? 512 : 4120
    const ends = Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step).concat(length)
    const seen = new Set<number>()
    for (const end of ends) {
      const copy = copyOf(file, `cut-${end}`)
      truncateSync(`${copy}-wal`, end)
      // The mark is not forced to disk with each commit, so a power failure leaves an older one.
      rmSync(`${copy}-mark`)
      const ids = await opened(copy)
      assert.deepEqual(ids.slice(0, IDS.length), IDS.slice(0, ids.length))
      seen.add(ids.length)
    }
    for (const count of [0, 1, 2, 3, 4, 5]) assert.ok(seen.has(count), `${count} of ${[...seen]}`)
  })

  test('DB-03: a log that is cut off or missing after a kill: not opened', async (context) => {
    const { file } = await aKilledStore(context)
    const cut = copyOf(file, 'cut')
    truncateSync(`${cut}-wal`, readFileSync(`${file}-wal`).length - 4096 * 8)
    const missing = copyOf(file, 'missing')
    rmSync(`${missing}-wal`)
    for (const each of [cut, missing]) assert.equal(await opened(each), 'damaged')
  })

  test('DB-03: an index that lacks a row, in a store that was not closed: not opened', async (context) => {
    const { file } = await aKilledStore(context)
    const database = new DatabaseSync(file, { defensive: false })
    database.exec("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_note_1'")
    database.exec("INSERT INTO note VALUES ('hidden', 'x', 1)")
    database.close()
    assert.equal(await opened(file), 'damaged')
  })

  test('DB-03: replaced by an older one: not opened until the operator removes the mark', async (context) => {
    const file = await aClosedStore(context)
    const older = copyOf(file, 'older')
    const store = await openNotebook(file)
    await store.commit(aNote('later'))
    await store.close()
    copyFileSync(older, file)
    assert.equal(await opened(file), 'damaged')
    truncateSync(file, 0)
    assert.equal(await opened(file), 'damaged')
    copyFileSync(older, file)
    rmSync(`${file}-mark`)
    assert.deepEqual(await opened(file), IDS)
  })

  test('DB-03: replaced by a backup, or removed, but for its log: not mixed with that', async (context) => {
    const { file } = await aKilledStore(context)
    const removed = copyOf(file, 'removed')
    truncateSync(removed, 0)
    rmSync(`${removed}-mark`)
    assert.equal(await opened(removed), 'damaged')

    const other = await openNotebook(join(dirname(file), 'other.db'))
    await other.commit(aNote('in the backup'), [anEntry('in the backup')])
    const restored = copyOf(file, 'restored')
    rmSync(restored)
    await backup(other, restored)
    await other.close()
    assert.equal(await opened(restored), 'damaged')
    rmSync(`${restored}-wal`)
    assert.deepEqual(await opened(restored), ['in the backup'])
  })

  test('DB-03: no database, or that of another program: refused and left as it is', async (context) => {
    const folder = aFolder(context)
    const text = join(folder, 'text.db')
    writeFileSync(text, 'a text that is longer than the header of a database, which has one hundred octets, by a bit')
    assert.equal(await opened(text), 'damaged')
    const other = join(folder, 'other.db')
    const database = new DatabaseSync(other)
    database.exec('CREATE TABLE something (other)')
    database.close()
    assert.equal(await opened(other), 'foreign')
  })
})
