import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { backup } from '../../src/store/backup.ts'
import { verifyLedger } from '../../src/store/verify-ledger.ts'
import { aFolder, aNote, aNotebook, anEntry, notesIn, openNotebook } from './notebook.ts'

describe('a backup', () => {
  test('made while the store serves is of one moment, and private', async (context) => {
    const store = await aNotebook(context)
    const copy = join(aFolder(context), 'copy.db')
    let stop = false
    let written = 0
    const writing = Array.from({ length: 8 }, async (_, caller) => {
      for (let i = 0; !stop; i++, written++) await store.commit(aNote(`n${caller}-${i}`), [anEntry(`n${caller}-${i}`)])
    })
    while (written < 500) await store.commit([])
    const before = written
    await backup(store, copy)
    stop = true
    await Promise.all(writing)

    assert.equal(statSync(copy).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(dirname(copy)), ['copy.db'])
    const restored = await openNotebook(copy)
    const notes = await notesIn(restored)
    assert.ok(notes.length >= before && notes.length <= written)
    assert.ok(notes.every((note) => note.notes === 1 && note.lines === 2 && note.entries === 1))
    const verdict = await verifyLedger(restored)
    assert.ok(verdict.ok && verdict.records === notes.length)
    await restored.close()
  })

  test('never overwrites', async (context) => {
    const store = await aNotebook(context)
    const copy = join(aFolder(context), 'copy.db')
    writeFileSync(copy, 'precious')
    await assert.rejects(backup(store, copy), { code: 'EEXIST' })
    assert.equal(readFileSync(copy, 'utf8'), 'precious')
    assert.deepEqual(readdirSync(dirname(copy)), ['copy.db'])
  })

  test('DB-04: restored in place begins with an epoch that was never used, and the store tells of it', async (context) => {
    const store = await aNotebook(context)
    const copy = join(aFolder(context), 'copy.db')
    await store.commit(aNote('before'))
    await backup(store, copy)
    await store.commit(aNote('after'))
    await store.close()
    const second = await openNotebook(store.file)
    await second.close()

    let latest = second.epoch
    for (const _ of [1, 2]) {
      copyFileSync(copy, store.file)
      const restored = await openNotebook(store.file)
      assert.deepEqual(
        (await notesIn(restored)).map(({ id }) => id),
        ['before'],
      )
      assert.ok(restored.epoch > latest)
      assert.equal(restored.restoredIn, restored.epoch)
      await restored.commit(aNote('after'))
      await restored.close()
      latest = restored.epoch
    }

    const next = await openNotebook(store.file)
    assert.deepEqual([next.epoch, next.restoredIn], [latest + 1, latest])
    await next.close()
  })

  test('DB-04: restored elsewhere shares no epoch with the store, nor with another one restored from it', async (context) => {
    const store = await aNotebook(context)
    const folder = aFolder(context)
    await backup(store, join(folder, 'a.db'))
    copyFileSync(join(folder, 'a.db'), join(folder, 'b.db'))
    const epochs = [store.epoch]
    for (const name of ['a.db', 'b.db']) {
      const restored = await openNotebook(join(folder, name))
      epochs.push(restored.epoch)
      await restored.close()
    }
    assert.equal(new Set(epochs).size, 3)
    assert.ok(epochs.every((epoch) => epoch < 2 ** 48))
  })
})
