import assert from 'node:assert/strict'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodyOf, newEesKey, onboard, onboardingMessage, runEcs } from './running-ecs.ts'

test('DB-04: after a backup is restored no onboarding token from before works, used or not; a new one does', async () => {
  const ecs = await runEcs()
  try {
    const used = await ecs.invite({ eesId: 'ees-used', fqdn: 'used.example.com' })
    const unused = await ecs.invite({ eesId: 'ees-unused', fqdn: 'unused.example.com' })
    const copy = join(ecs.folder, '..', 'copy.db')
    await ecs.operator.backup(copy)
    const first = await ecs.anybody().request(await onboardingMessage(used, newEesKey()))
    assert.equal(first.status, 201)

    await ecs.restart(async () => {
      for (const file of ['ecs.db', 'ecs.db-mark', 'ecs.db-wal', 'ecs.db-shm'])
        await rm(join(ecs.folder, file), { force: true })
      await copyFile(copy, join(ecs.folder, 'ecs.db'))
    })
    for (const bundle of [used, unused]) {
      const refused = await ecs.anybody().request(await onboardingMessage(bundle, newEesKey()))
      assert.equal(refused.status, 401)
      assert.equal(bodyOf<{ cause: string }>(refused).cause, 'ONBOARDING_TOKEN_INVALID')
    }
    assert.equal((await (await onboard(ecs)).request({ method: 'GET' })).status, 200)
  } finally {
    await ecs.close()
  }
})
