import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ECSServProvResp } from '../../../src/spec/messages/service-provisioning.ts'
import { bodyOf, onboard, type RunningEcs, type RunningEes, runEcs } from '../running-ecs.ts'

const RULES = `
  - { id: north, effect: allow, eesId: north, scopes: [eees-eeccontextreloc], target: south.example.com, eecIds: [eec-1] }
  - { id: west, effect: allow, eesId: west, scopes: ['*'], target: '*' }
  - { id: not-south, effect: deny, eesId: west, scopes: ['*'], target: south.example.com }
`

describe('Eecs_TargetEESDiscovery: TS 29.558 9.2', () => {
  let ecs: RunningEcs
  const ees: Record<string, RunningEes> = {}
  before(async () => {
    ecs = await runEcs()
    await appendFile(join(ecs.folder, 'policy.yaml'), RULES)
    await ecs.operator.reloadPolicy()
    for (const name of ['north', 'south', 'west', 'east'])
      ees[name] = await onboard(ecs, { eesId: name, fqdn: `${name}.example.com` })
  })
  after(() => ecs.close())

  async function ask(name: string, query: Readonly<Record<string, string>> = {}) {
    const path = `/eecs-targeteesdiscovery/v1/ees-profiles?${new URLSearchParams({ 'ees-id': name, 'eas-id': 'eas-1', ...query })}`
    const response = await (ees[name] ?? assert.fail()).peer.request({ method: 'GET', path })
    const found =
      response.status === 200 ? bodyOf<ECSServProvResp>(response).ednCnfgInfo.flatMap(({ eess }) => eess) : []
    return { status: response.status, found }
  }

  test('TK-14: each EES finds those that rules let it have tokens for, itself never, and nobody else', async () => {
    const names = async (name: string) => (await ask(name)).found.map(({ eesId }) => eesId)
    assert.deepEqual(await names('north'), ['south'])
    assert.deepEqual(await names('west'), ['north', 'east'])
    assert.deepEqual(await names('south'), [])
    assert.equal((await ask('south')).status, 404)
  })

  test('TK-14: of those it sees what a choice takes, and not how EECs authenticate there', async () => {
    const { found } = await ask('north')
    assert.deepEqual(found, [
      { eesId: 'south', endPt: { fqdn: 'south.example.com' }, eecRegConf: false, easIds: ['eas-1'] },
    ])
  })

  test('what no EES serves is not found, and who asks is who its certificate says', async () => {
    assert.equal((await ask('north', { 'eas-id': 'eas-9' })).status, 404)
    assert.equal((await ask('north', { 'target-dnai': 'dnai-9' })).status, 404)
    assert.equal((await ask('north', { 'ees-id': 'west' })).status, 401)
    assert.equal((await ask('north', { 'eas-id': '' })).status, 400)
  })
})

test('TK-14: EESs that it may not know of take no room from those that it may', async () => {
  const ecs = await runEcs('ecs1.example.com', {}, '\nprovisioning:\n  mostEess: 1\n')
  try {
    await appendFile(join(ecs.folder, 'policy.yaml'), RULES)
    await ecs.operator.reloadPolicy()
    for (const name of ['east', 'west', 'south']) await onboard(ecs, { eesId: name, fqdn: `${name}.example.com` })
    const { peer } = await onboard(ecs, { eesId: 'north', fqdn: 'north.example.com' })
    const path = '/eecs-targeteesdiscovery/v1/ees-profiles?ees-id=north&eas-id=eas-1'
    const { ednCnfgInfo } = bodyOf<ECSServProvResp>(await peer.request({ method: 'GET', path }))
    assert.deepEqual(
      ednCnfgInfo.flatMap(({ eess }) => eess.map(({ eesId }) => eesId)),
      ['south'],
    )
  } finally {
    await ecs.close()
  }
})
