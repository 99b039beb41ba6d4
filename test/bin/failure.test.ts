import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { explainFailure } from '../../src/bin/failure.ts'
import { writePrivateFile } from '../../src/store/private-file.ts'
import { edgeward } from '../stories/program.ts'

/** What real calls of the system say when they fail. */
describe('a failure, for people: one sentence, and what to do next', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgeward-failure-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const explained = (work: Promise<unknown>) => work.then(() => assert.fail('it worked'), explainFailure)

  test('a file that is not there, one that is, and a folder in the place of one', async () => {
    const file = join(folder, 'file')
    assert.equal(await explained(readFile(file)), `Failed: ${file} is not there: check the name`)
    await writePrivateFile(file, Buffer.of(1))
    const taken = `Failed: ${file} exists already and is never overwritten: take another name`
    assert.equal(await explained(writePrivateFile(file, Buffer.of(2))), taken)
    assert.match(await explained(readFile(folder)), /^Failed: .*EISDIR/)
    const nowhere = join(folder, 'none', 'file')
    assert.equal(
      await explained(writePrivateFile(nowhere, Buffer.of(3))),
      `Failed: ${nowhere} is not there: check the name`,
    )
  })

  test('a file that this user may not read, also as the cause of another error; a port that it may not have', () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    const file = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path: '/root/ecs.yaml' })
    const sentence = 'Failed: /root/ecs.yaml may not be opened by this user: check its owner and that of its folder'
    assert.equal(explainFailure(file), sentence)
    assert.equal(explainFailure(new Error('was this folder made by "edgeward ecs init"?', { cause: file })), sentence)
    assert.match(explainFailure(denied), /; this user may not listen there: take a port above 1023$/)
  })

  test('a server that does not run, also as the cause of another error', async () => {
    const refused = await new Promise<Error>((resolve) => connect(1, '127.0.0.1').once('error', resolve))
    assert.match(explainFailure(refused), /; nothing listens there: start the server, or check the address$/)
    const wrapped = new Error('https://ecs1.example.com', { cause: refused })
    assert.match(explainFailure(wrapped), /^Failed: https:\/\/ecs1.example.com; nothing listens there/)
  })

  test('whatever is no error of ours is told without its stack', () => {
    assert.equal(explainFailure(new TypeError('x is not a function')), 'Failed: x is not a function')
    assert.equal(explainFailure('text'), 'Failed for an unknown reason.')
  })

  test('HT-09: what somebody else has written moves no cursor and begins no line', () => {
    const written = '\u001b[2Jtaken\r\nis\u009b1m \u202ethis\u2028and \u0000that: Zürich'
    assert.equal(
      explainFailure(new Error(`/${written} is not a setting`)),
      'Failed: / [2Jtaken is 1m  this and  that: Zürich is not a setting',
    )
  })

  test('a setting that nobody knows is named', async () => {
    const made = await edgeward('ecs', 'init', '--dir', join(folder, 'ecs'), '--fqdn', 'ecs1.example.com')
    assert.equal(made.code, 0, made.stderr)
    const file = join(folder, 'ecs', 'ecs.yaml')
    const written = await readFile(file, 'utf8')
    await writePrivateFile(file, Buffer.from(`${written}revocationLists: {}\n`), { replace: true })
    const { code, stderr } = await edgeward('ecs', 'ees', 'list', '--dir', join(folder, 'ecs'))
    assert.deepEqual([code, stderr], [1, `Failed: ${file}: /revocationLists is not a setting\n`])
  })
})
