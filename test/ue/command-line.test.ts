import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { describeUe, openUeFolder } from '../../src/ue/index.ts'
import { edgeward, PROGRAM, storyFolder } from '../stories/program.ts'
import { SUBSCRIPTION } from './a-home-network.ts'

const HN_PUBLIC = '5a8d38864820197c3394b92613b20b91633cbd897119273bf8e4a6f4eec0a650'

describe('edgeward ue init', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  before(async () => {
    story = await storyFolder()
    await writeFile(story.at('hn.pub'), `${HN_PUBLIC}\n`)
  })
  after(() => story.remove())

  test('takes a USIM from options, with the public key of the home network', async () => {
    const { supi, k, opc } = SUBSCRIPTION
    const options = ['--supi', supi, '--k', k, '--opc', opc, '--mnc-length', '2', '--routing-indicator', '17']
    const key = ['--scheme', 'A', '--hn-public-key', story.at('hn.pub'), '--hn-key-id', '27']
    const profile = ['--key-profile', 'literal']
    const { code, stdout, stderr } = await edgeward(
      'ue',
      'init',
      '--dir',
      story.at('U'),
      ...options,
      ...key,
      ...profile,
    )
    assert.equal(code, 0, stderr)
    assert.ok(!`${stdout}${stderr}`.includes(k))
    assert.deepEqual(await describeUe(await openUeFolder(story.at('U'), undefined)), {
      homeNetwork: { mcc: '001', mnc: '01' },
      routingIndicator: '17',
      protectionScheme: 'A',
      keyProfile: 'literal',
      eecs: [],
      entitlementEecs: [],
    })
  })

  test('takes a USIM from standard input', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'ue', 'init', '--dir', story.at('V'), '--subscription', '-'])
    child.stdin.end(JSON.stringify(SUBSCRIPTION))
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0)
    const { protectionScheme, homeNetwork } = await describeUe(await openUeFolder(story.at('V'), undefined))
    assert.deepEqual([protectionScheme, homeNetwork], ['null', SUBSCRIPTION.homeNetwork])
  })

  test('tells a wrong USIM in one sentence that quotes no key', async () => {
    const subscription = story.at('wrong.json')
    await writeFile(subscription, JSON.stringify({ ...SUBSCRIPTION, supi: 'x' }), { mode: 0o600 })
    const { code, stderr } = await edgeward('ue', 'init', '--dir', story.at('W'), '--subscription', subscription)
    assert.equal(code, 1)
    assert.match(stderr, /^Failed: the subscription: supi is not a SUPI\.?\n$/)
  })
})
