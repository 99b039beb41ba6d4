import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { createRoot } from '../../src/certificates/authority.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { fingerprintOf } from '../../src/certificates/roots.ts'
import { newSigningKey } from '../../src/nf/adapters/own-keys.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { edgeward, storyFolder } from '../stories/program.ts'

const ECS = 'ecs1.example.com'

describe('what the operator of an ECS is asked to compare', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  before(async () => {
    story = await storyFolder()
    const made = await edgeward('ecs', 'init', '--dir', story.at('ecs'), '--fqdn', ECS)
    assert.equal(made.code, 0, made.stderr)
  })
  after(() => story.remove())

  test('OP-05: how many roots there are is said, so that none is beside the right one', async () => {
    const given = () => ({ signer: signerOf(newSigningKey()), now: Date.now(), random: systemRandom })
    const roots = await Promise.all([1, 2].map(() => createRoot('operator.example' as Fqdn, given())))
    const trust = async (mnc: string, count: number) => {
      const named = roots.slice(0, count).map(({ certificate }) => certificate.der)
      const keyService = { realm: `${mnc}.mcc001`, via: 'ausf', apiRoot: 'https://ausf.operator.example:8443' }
      const root = named.map((der) => writePem('CERTIFICATE', der)).join('')
      await writeFile(story.at('file'), JSON.stringify({ ecsFqdn: ECS, keyService, keyProfile: 'bound', root }))
      const { code, stdout, stderr } = await edgeward('ecs', 'trust', story.at('file'), '--dir', story.at('ecs'))
      assert.equal(code, 0, stderr)
      for (const der of named) assert.ok(stdout.includes(`    ${fingerprintOf(der)}\n`), stdout)
      return stdout
    }
    assert.match(await trust('mnc001', 1), /the SHA-256 of the root\. It has to be:/)
    assert.match(await trust('mnc002', 2), /the SHA-256 of 2 roots\. They have to be these, and as many:/)
  })
})
