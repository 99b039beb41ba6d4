import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { queriesOn, statement } from '../../src/store/queries.ts'
import { aNotebook } from './notebook.ts'

interface Tables {
  note: { id: string; owner: string; written: number }
}

const notes = queriesOn<Tables>()

describe('typed queries', () => {
  test('are built here and run by the store, rows with their types', async (context) => {
    const store = await aNotebook(context)
    const insert = notes.insertInto('note').values({ id: 'a', owner: 'Zoë', written: 1 })
    await store.commit([statement(insert, { rows: 1, otherwise: 'NOTE_IS_NEW' })])
    await assert.rejects(store.commit([statement(insert)]), { guard: 'note.id' })
    const [row] = await store.read(
      notes.selectFrom('note').select(['owner', 'written']).where('id', '=', 'a').compile(),
    )
    const typed: { owner: string; written: number } | undefined = row
    assert.deepEqual({ ...typed }, { owner: 'Zoë', written: 1 })
  })

  test('guard by the number of rows that they change', async (context) => {
    const store = await aNotebook(context)
    const update = notes.updateTable('note').set({ owner: 'b' }).where('id', '=', 'none')
    await assert.rejects(store.commit([statement(update, { rows: 1, otherwise: 'NOTE_EXISTS' })]), {
      guard: 'NOTE_EXISTS',
    })
    const returning = notes.insertInto('note').values({ id: 'a', owner: 'b', written: 1 }).returning('id')
    await store.commit([statement(returning, { rows: 1, otherwise: 'NOTE_IS_NEW' })])
  })

  test('with a parameter that no column can hold become no statement', () => {
    const parameters: { isOpen: boolean } = { isOpen: true }
    const wrong = queriesOn<{ door: { isOpen: boolean } }>().insertInto('door').values(parameters)
    assert.throws(() => statement(wrong), { name: 'TypeError' })
  })

  test('cannot be run without a store', async () => {
    assert.deepEqual(await notes.selectFrom('note').selectAll().execute(), [])
  })
})
