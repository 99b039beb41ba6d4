import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { readCertificateList } from '../../src/certificates/certificate.ts'
import type { AuthorityStanding } from '../../src/ecs/operator/commands.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const ECS = 'ecs1.example.com'
const EES = 'ees1.example.com'
const FLAGS = ['--resolve', `${ECS}=127.0.0.1`]

describe('a roll-over by the command line, with a kill after each step: THREATS CA-12', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let ecs: Server

  before(async () => {
    story = await storyFolder()
    await edgewardJson('ecs', 'init', '--dir', story.at('ecs'), '--fqdn', ECS)
    appendFileSync(story.at('ecs', 'ecs.yaml'), '\nfederation: { refresh: 10 }\n')
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs'))
    const who = ['--ees-id', 'ees-1', '--fqdn', EES]
    const bundle = await edgewardJson<Bundle>('ecs', 'invite', '--dir', story.at('ecs'), ...who)
    writeFileSync(story.at('bundle.json'), JSON.stringify(bundle))
    writeFileSync(story.at('profile.json'), JSON.stringify({ eesId: 'ees-1', endPt: { fqdn: EES }, eecRegConf: false }))
    const files = ['--bundle', story.at('bundle.json'), '--profile', story.at('profile.json')]
    await edgewardJson('ees', 'onboard', ...files, '--dir', story.at('ees'), ...FLAGS)
  })
  after(async () => {
    await ecs.stop()
    await story.remove()
  })

  const ca = (...step: string[]) => edgewardJson<AuthorityStanding>('ecs', 'ca', ...step, '--dir', story.at('ecs'))
  const ees = (...command: string[]) => edgeward('ees', ...command, '--dir', story.at('ees'), '--json', ...FLAGS)
  const rootsOfEes = () => readCertificateList(readFileSync(story.at('ees', 'ca.crt'), 'utf8')).length

  async function kill() {
    await ecs.stop('SIGKILL')
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs'))
  }

  test('CA-12: stage, switch and retire hold through a kill; the EES follows with its next renewal; the operator gets in', async () => {
    const staged = await ca('stage')
    await kill()
    assert.deepEqual(await ca('show'), staged)
    assert.equal((await ees('show')).code, 0)

    const early = await edgeward('ecs', 'ca', 'switch', '--dir', story.at('ecs'))
    assert.equal(early.code, 1)
    assert.match(early.stderr, /may not have heard of it before/)
    const switched = await ca('switch', '--force')
    assert.deepEqual([switched.present.root, switched.other?.holders], [staged.other?.root, 1])
    await kill()
    assert.deepEqual(await ca('show'), switched)

    const left = await edgeward('ecs', 'ca', 'retire', '--dir', story.at('ecs'))
    assert.match(left.stderr, /1 EESs have no certificate of another authority: ees-1/)
    assert.equal((await ees('show')).code, 0)
    assert.deepEqual([(await ees('renew')).code, rootsOfEes()], [0, 2])
    // What was asked with the old certificate is answered first.
    assert.equal((await edgeward('ecs', 'ca', 'retire', '--dir', story.at('ecs'))).code, 1)
    while ((await ca('show')).other?.holders !== 0) await wait(1_000)
    const settled = await ca('retire')
    assert.deepEqual([settled.stage, settled.present.root], ['settled', staged.other?.root])
    await kill()
    assert.deepEqual(await ca('show'), settled)
    assert.deepEqual([(await ees('show')).code, (await ees('renew')).code, rootsOfEes()], [0, 0, 1])
    const { ok } = await edgewardJson<{ ok: boolean }>('ecs', 'audit', 'verify', '--dir', story.at('ecs'))
    assert.equal(ok, true)
  })
})
