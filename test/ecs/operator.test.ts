import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { ADMIN_FILE, adminClient } from '../../src/ecs/adapters/admin-client.ts'
import { parseEesId } from '../../src/spec/identifiers.ts'
import { onboard, type RunningEcs, runEcs } from './running-ecs.ts'

describe("the operator's commands through the admin listener", () => {
  let ecs: RunningEcs
  let remote: Awaited<ReturnType<typeof adminClient>>
  before(async () => {
    ecs = await runEcs()
    const address = { fqdn: ecs.fqdn, admin: ecs.serving.listeners.admin }
    await writeFile(join(ecs.folder, ADMIN_FILE), JSON.stringify(address))
    remote = await adminClient(ecs.folder)
  })
  after(async () => {
    remote.close()
    await ecs.close()
  })

  test('say the same as at the ECS itself of an EES of whatever identity', async () => {
    const eesId = fc
      .stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/)
      .filter((text) => parseEesId(text) !== undefined)
    let count = 0
    await fc.assert(
      fc.asyncProperty(eesId, async (id) => {
        count += 1
        const { registrationId } = await onboard(ecs, { eesId: id, fqdn: `e${count}.example.com` })
        assert.deepEqual(await remote.show(id), await ecs.operator.show(id))
        assert.deepEqual(await remote.show(registrationId), await ecs.operator.show(id))
        assert.equal((await remote.revoke(id)).state, 'revoked')
        assert.equal((await ecs.operator.show(id)).state, 'revoked')
      }),
      { numRuns: 10, examples: [['a/b'], ['x'.repeat(128)], [`${'a/'.repeat(63)}ab`], ['ees@example.com:1']] },
    )
    const { ees } = await remote.list()
    assert.deepEqual(ees, (await ecs.operator.list()).ees)
    for (const nobody of ['', 'nobody', '../ees', 'a&id=b', '%', '\0', 'ö']) {
      await assert.rejects(remote.show(nobody), { name: 'Refusal' }, nobody)
    }
  })
})
