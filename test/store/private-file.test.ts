import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readPrivateFile, writePrivateFile } from '../../src/store/private-file.ts'
import { aFolder } from './notebook.ts'

describe('a private file', () => {
  test('CA-12: is written with 0600 whatever the umask, and nothing else is left in the folder', async (context) => {
    const folder = aFolder(context)
    const file = join(folder, 'ees.key')
    const umask = process.umask(0)
    try {
      await writePrivateFile(file, Buffer.from('secret'))
    } finally {
      process.umask(umask)
    }
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['ees.key'])
    assert.equal((await readPrivateFile(file)).toString(), 'secret')
  })

  test('is replaced only on demand, and then as a whole', async (context) => {
    const folder = aFolder(context)
    const file = join(folder, 'ees.key')
    writeFileSync(file, 'first', { mode: 0o644 })
    await assert.rejects(writePrivateFile(file, Buffer.from('second')), { code: 'EEXIST' })
    assert.equal(readFileSync(file, 'utf8'), 'first')
    await writePrivateFile(file, Buffer.from('third'), { replace: true })
    assert.equal((await readPrivateFile(file)).toString(), 'third')
    assert.deepEqual(readdirSync(folder), ['ees.key'])
  })

  test('that cannot get its name leaves nothing behind', async (context) => {
    const folder = aFolder(context)
    mkdirSync(join(folder, 'taken', 'by'), { recursive: true })
    await assert.rejects(writePrivateFile(join(folder, 'taken'), Buffer.from('x'), { replace: true }))
    assert.deepEqual(readdirSync(folder), ['taken'])
  })

  test('CA-12: is not read if group or others have any right on it', async (context) => {
    const file = join(aFolder(context), 'ees.key')
    await writePrivateFile(file, Buffer.from('secret'))
    for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601]) {
      chmodSync(file, mode)
      await assert.rejects(readPrivateFile(file), { name: 'FileRefused' }, mode.toString(8))
    }
  })
})
