import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { explainFailure } from '../../src/bin/failure.ts'
import { ensureFolder } from '../../src/store/ensure-folder.ts'

describe('a folder is made', () => {
  let place: string
  before(async () => {
    place = await mkdtemp(join(tmpdir(), 'edgeward-folder-'))
  })
  after(() => rm(place, { recursive: true }))

  const refusalOf = (folder: string) => ensureFolder(folder).then(() => 'made', explainFailure)

  test('with those above it, all with the rights that are asked for; one that is there is left as it is', async () => {
    const folder = join(place, 'a', 'b', 'c')
    await ensureFolder(folder, 0o700)
    for (const each of ['a', 'a/b', 'a/b/c']) assert.equal((await stat(join(place, each))).mode & 0o777, 0o700, each)
    await ensureFolder(folder, 0o755)
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
  })

  test('by several at once', async () => {
    const folder = join(place, 'together', 'x')
    await Promise.all([ensureFolder(folder), ensureFolder(folder), ensureFolder(folder)])
    assert.ok((await stat(folder)).isDirectory())
  })

  test('or not, and a sentence says why', async (t) => {
    const file = join(place, 'file')
    await writeFile(file, '')
    assert.match(await refusalOf(file), /file exists already/)
    assert.match(await refusalOf(join(file, 'x')), /file exists already|is no folder, or not in one/)
    assert.match(await refusalOf(join(place, 'x'.repeat(300))), /is longer than a name can be/)
    if (process.platform !== 'linux') return t.skip('the rest is of Linux')
    // Node's own mkdir, told to make what is above as well, has not come back from here.
    assert.equal(await refusalOf('/proc/edgeward/ecs1'), 'Failed: no folder can be made in /proc: take another one')
    assert.match(await refusalOf('/sys/edgeward'), /may not be (made|opened)|takes no changes/)
  })
})
