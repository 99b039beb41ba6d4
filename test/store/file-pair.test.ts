import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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

  test('CA-12: keys that a crash has left are gone with the next change, and nothing else', async () => {
    await replacePair(pair('a'), contentOf(2))
    await replacePair(pair('b'), contentOf(20))
    const left = join(folder, 'pairs', 'x'.repeat(43))
    mkdirSync(left)
    writeFileSync(join(left, 'a.key'), 'key 1')
    mkdirSync(join(folder, 'pairs', 'of somebody'))
    await replacePair(pair('a'), contentOf(3))
    assert.deepEqual([await readPair(pair('a'), open), await readPair(pair('b'), open)], [3, 20])
    assert.equal(existsSync(left), false)
    assert.equal(readdirSync(join(folder, 'pairs')).length, 3)
  })

  test('CA-12: a link that somebody else has made leads to nothing that is removed, and both names to what is new', async () => {
    const place = join(folder, 'elsewhere')
    mkdirSync(place)
    for (const target of ['elsewhere', '.', 'pairs', 'pairs/../elsewhere', place]) {
      for (const name of ['a.current', 'a.key', 'a.crt']) rmSync(join(folder, name), { force: true })
      symlinkSync(target, join(folder, 'a.current'))
      writeFileSync(join(place, 'file'), 'of somebody')
      writeFileSync(join(place, 'a.key'), 'key 1', { mode: 0o600 })
      writeFileSync(join(place, 'a.crt'), 'certificate 1')
      for (const name of ['a.key', 'a.crt']) symlinkSync(join('elsewhere', name), join(folder, name))
      await replacePair(pair('a'), contentOf(2))
      assert.equal(await readPair(pair('a'), open), 2)
      assert.equal(readFileSync(join(place, 'file'), 'utf8'), 'of somebody', target)
      // Also where the names lead to the link, and the link to somewhere.
      rmSync(join(folder, 'a.current'))
      symlinkSync('elsewhere', join(folder, 'a.current'))
      await replacePair(pair('a'), contentOf(3))
      assert.equal(await readPair(pair('a'), open), 3)
      assert.equal(readFileSync(join(place, 'file'), 'utf8'), 'of somebody', target)
    }
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
