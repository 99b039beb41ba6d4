import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { bodyOf, onboard, profileOf, REGISTRATIONS, type RunningEcs, type RunningEes, runEcs } from './running-ecs.ts'

const DAY = 86_400_000

/** A client that knows TS 29.558 and nothing of ours registers over mutual TLS, with a certificate that it has. */
describe('Eecs_EESRegistration without onboarding: TS 29.558 9.1.2.2.3.1', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs()
    await ecs.restart(async () => {
      const file = join(ecs.folder, 'ecs.yaml')
      writeFileSync(file, readFileSync(file, 'utf8').replace('onExpiry: revoke', 'onExpiry: block'))
    })
  })
  after(() => ecs.close())

  const register = (ees: RunningEes, eesProf: object) =>
    ees.peer.request({
      method: 'POST',
      path: REGISTRATIONS,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ eesProf }),
    })

  test('ON-02: with its certificate an EES registers nobody else', async () => {
    const ees = await onboard(ecs, { eesId: 'ees-2', fqdn: 'ees2.example.com' })
    const foreign = await register(ees, profileOf({ eesId: 'ees-3', fqdn: 'ees3.example.com' }))
    assert.equal(foreign.status, 409)
    await ecs.operator.revoke('ees-2')
    const revoked = await register(ees, profileOf({ eesId: 'ees-2', fqdn: 'ees2.example.com' })).catch(() => undefined)
    assert.ok(revoked === undefined || revoked.status === 401, 'a revoked one is not connected, or refused')
  })

  test('a registered EES registers no second time; one whose registration has expired comes back under its identifier', async () => {
    const ees = await onboard(ecs)
    const second = await register(ees, profileOf())
    assert.deepEqual([second.status, bodyOf<{ cause: string }>(second).cause], [409, 'EES_ALREADY_REGISTERED'])

    const expTime = new Date(Date.now() + DAY).toISOString()
    const patched = await ees.request({
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ expTime }),
    })
    assert.equal(patched.status, 200)
    ecs.advance(2 * DAY)
    while ((await ecs.operator.show(ees.registrationId)).state !== 'expired')
      await new Promise((wait) => setTimeout(wait, 100))

    const again = ecs.withCertificate(ees.certificateChain, ees.key)
    const returned = await register({ ...ees, peer: again }, { ...profileOf(), easIds: ['eas-9'] })
    assert.equal(returned.status, 201, returned.body.toString())
    assert.equal(returned.headers['location'], `${REGISTRATIONS}/${ees.registrationId}`)
    assert.deepEqual(bodyOf<{ eesProf: { easIds: string[] } }>(returned).eesProf.easIds, ['eas-9'])
    assert.equal((await ecs.operator.show('ees-1')).state, 'live')
  })
})
