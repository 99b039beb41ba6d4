import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createCoreAuthority, createNfFolder } from '../../src/nf/adapters/core-authority.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import type { NfInstanceId } from '../../src/spec/identifiers.ts'
import { servingNetworkOf } from '../../src/ue/index.ts'
import { anNf, fqdn } from '../nf/a-network.ts'
import { NETWORK } from './a-home-network.ts'

describe('the serving network of a UE, from the folder of its SEAF', () => {
  let parent: string
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), 'edgeward-'))
    const making = { clock: systemClock, random: systemRandom }
    const authority = await createCoreAuthority(join(parent, 'ca'), fqdn('core.example'), making)
    const nf = {
      nfInstanceId: systemRandom.uuid() as NfInstanceId,
      nfType: 'AMF',
      fqdn: anNf('amf.core.example').fqdn,
      resolve: { 'ausf.core.example': '127.0.0.1' },
      own: { servingNetworkName: NETWORK, ausf: 'https://ausf.core.example:8443' },
    }
    await createNfFolder(join(parent, 'amf'), 'amf', { nf }, authority, making)
  })
  after(() => rm(parent, { recursive: true, force: true }))

  test('its name, its AUSF, and what it shows there', async () => {
    const { name, ausf, root, credential, resolve } = await servingNetworkOf(join(parent, 'amf'), undefined)
    assert.deepEqual([name, ausf], [NETWORK, 'https://ausf.core.example:8443'])
    assert.deepEqual(resolve, new Map([['ausf.core.example', '127.0.0.1']]))
    assert.equal(root, await readFile(join(parent, 'amf', 'root.crt'), 'utf8'))
    assert.match(credential.privateKey, /PRIVATE KEY/)
  })

  test('a name that is none of a serving network is refused', async () => {
    const file = join(parent, 'amf', 'amf.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replace(NETWORK, 'home'))
    await assert.rejects(servingNetworkOf(join(parent, 'amf'), undefined), {
      name: 'NotUsable',
      message: /^home is not/,
    })
  })
})
