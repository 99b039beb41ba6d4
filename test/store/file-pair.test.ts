import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { lockExclusively } from '../../src/store/exclusive-lock.ts'
import { type FilePair, PAIRS_LOCK, type PairContent, readPair, replacePair } from '../../src/store/file-pair.ts'

/** Octets stand for a key and its certificate: they belong together if they are of one number. */
const contentOf = (number: number): PairContent => ({
  key: Buffer.from(`key ${number}`),
  certificate: Buffer.from(`certificate ${number}`),
})
const numberOf = (octets: Buffer) => Number(octets.toString().split(' ')[1])
const open = async ({ key, certificate }: PairContent) =>
  numberOf(key) === numberOf(certificate) ? numberOf(key) : undefined

/** What a kill does to it anywhere is in `test/ees/ees-folder.test.ts`. */
describe('two files that change in one step', () => {
  let folder = ''
  const pair = (name: string): FilePair => {
    return { folder, key: `${name}.key`, certificate: `${name}.crt`, current: `${name}.current` }
  }
  const write = (name: string, content: PairContent) => {
    writeFileSync(join(folder, `${name}.key`), content.key, { mode: 0o600 })
    writeFileSync(join(folder, `${name}.crt`), content.certificate)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgeward-pair-'))
    write('a', contentOf(1))
    write('b', contentOf(10))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('two pairs of one folder change without each other, and nothing of before is left', async () => {
    for (const number of [2, 3]) {
      await replacePair(pair('a'), contentOf(number))
      await replacePair(pair('b'), contentOf(number * 10))
      assert.deepEqual([await readPair(pair('a'), open), await readPair(pair('b'), open)], [number, number * 10])
      assert.equal(readFileSync(join(folder, 'a.key'), 'utf8'), `key ${number}`)
      assert.equal(readdirSync(join(folder, 'pairs')).length, 2)
    }
    assert.equal(statSync(join(folder, 'a.key')).mode & 0o777, 0o600)
  })

  test('the same content once more is kept', async () => {
    for (let times = 0; times < 2; times++) await replacePair(pair('a'), contentOf(2))
    assert.equal(await readPair(pair('a'), open), 2)
  })

  test('what does not belong together, or is not there, is nothing', async () => {
    writeFileSync(join(folder, 'a.key'), 'key 7')
    assert.equal(await readPair(pair('a'), open), undefined)
    assert.equal(await readPair(pair('c'), open), undefined)
  })

  test('one process at a time replaces them', async () => {
    const unlock = lockExclusively(join(folder, PAIRS_LOCK))
    await assert.rejects(replacePair(pair('a'), contentOf(2)), { name: 'CannotOpenStore', reason: 'locked' })
    unlock()
    assert.equal(await readPair(pair('a'), open), 1)
    await replacePair(pair('a'), contentOf(2))
    assert.equal(await readPair(pair('a'), open), 2)
  })
})
