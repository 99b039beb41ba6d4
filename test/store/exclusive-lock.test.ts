import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { program, run } from './child-process.ts'
import { aFolder, aNotebook, openNotebook } from './notebook.ts'

describe('one store, one opener', () => {
  test('DB-04: a second process is refused while the first one has it open', async (context) => {
    const store = await aNotebook(context)
    const { code, stderr, lines } = await run(program('writing-child.ts', store.file, 'n', '1'))
    assert.deepEqual([code, lines], [1, []])
    assert.match(stderr, /CannotOpenStore: another process has the store open/)
    await store.close()
    const after = await run(program('writing-child.ts', store.file, 'n', '1'))
    assert.deepEqual(after.lines, ['open', 'stored n-0', 'closed'])
  })

  test('DB-04: the same process is refused as well, and the first opener goes on', async (context) => {
    const store = await aNotebook(context)
    for (const _ of [1, 2])
      await assert.rejects(openNotebook(store.file), { name: 'CannotOpenStore', reason: 'locked' })
    const { code } = await run(program('writing-child.ts', store.file, 'n', '1'))
    assert.equal(code, 1)
    await store.commit([])
  })

  test('DB-04: the lock ends with a process that is killed', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const refused: unknown[] = []
    await run(program('writing-child.ts', file, 'n', '1000000'), async (line, child) => {
      if (line !== 'stored n-3') return
      await assert.rejects(openNotebook(file), { reason: 'locked' }).catch((error) => refused.push(error))
      child.kill('SIGKILL')
    })
    assert.deepEqual(refused, [])
    await (await openNotebook(file)).close()
  })

  test('DB-04: every opening begins a new epoch', async (context) => {
    const file = join(aFolder(context), 'store.db')
    for (const epoch of [1, 2, 3]) {
      const store = await openNotebook(file)
      assert.deepEqual([store.epoch, store.restoredIn], [epoch, 0])
      await store.close()
    }
  })
})
