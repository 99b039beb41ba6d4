import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
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

  const reconnected = (ees: RunningEes) => ({ ...ees, peer: ecs.withCertificate(ees.certificateChain, ees.key) })

  /** Lets their time pass. The clock is ahead by less than certificates are backdated: they stay good on the wire. */
  async function expire(...all: RunningEes[]): Promise<void> {
    const body = JSON.stringify({ expTime: new Date(ecs.opened.clock.now() + 30_000).toISOString() })
    const headers = { 'content-type': 'application/merge-patch+json' }
    for (const ees of all) assert.equal((await ees.request({ method: 'PATCH', headers, body })).status, 200)
    ecs.advance(31_000)
    for (const { registrationId } of all) {
      while ((await ecs.operator.show(registrationId)).state === 'live') await delay(50)
    }
  }

  test('ON-02: with its certificate an EES registers nobody else', async () => {
    const ees = await onboard(ecs, { eesId: 'ees-2', fqdn: 'ees2.example.com' })
    const foreign = await register(ees, profileOf({ eesId: 'ees-3', fqdn: 'ees3.example.com' }))
    assert.equal(foreign.status, 409)
    await ecs.operator.revoke('ees-2')
    const revoked = await register(ees, profileOf({ eesId: 'ees-2', fqdn: 'ees2.example.com' })).catch(() => undefined)
    assert.ok(revoked === undefined || revoked.status === 401, 'a revoked one is not connected, or refused')
  })

  test('CA-06: an EES that is revoked does not come back, neither as what expired nor as what it was before', async () => {
    const honest = await onboard(ecs, { eesId: 'ees-5', fqdn: 'ees5.example.com' })
    const first = await onboard(ecs, { eesId: 'ees-4', fqdn: 'ees4.example.com' })
    await expire(first, honest)
    const second = await onboard(ecs, { eesId: 'ees-4', fqdn: 'ees4.example.com' })
    await expire(second)
    const { state, certificates } = await ecs.operator.revoke(second.registrationId)
    assert.deepEqual([state, certificates.map((each) => each.state)], ['revoked', ['revoked']])
    for (const revoked of [first, second]) {
      const returned = await register(reconnected(revoked), profileOf({ eesId: 'ees-4', fqdn: 'ees4.example.com' }))
      assert.deepEqual([returned.status, bodyOf<{ cause: string }>(returned).cause], [401, 'CERTIFICATE_REVOKED'])
    }
    const returned = await register(reconnected(honest), profileOf({ eesId: 'ees-5', fqdn: 'ees5.example.com' }))
    assert.equal(returned.status, 201)
  })

  test('ON-10: an EES that comes back is still held to what the operator admitted', async () => {
    const ees = await onboard(ecs, { eesId: 'ees-6', fqdn: 'ees6.example.com', provId: 'ecsp-6' })
    await expire(ees)
    const profile = profileOf({ eesId: 'ees-6', fqdn: 'ees6.example.com' })
    const widened = await register(reconnected(ees), { ...profile, provId: 'ecsp-7' })
    assert.deepEqual([widened.status, bodyOf<{ cause: string }>(widened).cause], [400, 'MANDATORY_IE_INCORRECT'])
    assert.equal((await register(reconnected(ees), { ...profile, provId: 'ecsp-6' })).status, 201)
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
