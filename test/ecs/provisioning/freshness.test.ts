import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Peer } from '../../../src/http/client.ts'
import type { ECSServProvResp } from '../../../src/spec/messages/service-provisioning.ts'
import { type AnEnt, anEnt, anEntitledEec, provisionBy, runEcsWithEnts } from '../an-ent.ts'
import { bodyOf, onboard, REGISTRATIONS, type RunningEcs, type RunningEes } from '../running-ecs.ts'

describe('what EECs are told, and what is stored', () => {
  let ent: AnEnt
  let ecs: RunningEcs
  let peer: Peer
  before(async () => {
    ent = await anEnt()
    ecs = await runEcsWithEnts([ent], () => ({ registrations: { onExpiry: 'block' } }))
    peer = ecs.anybody()
  })
  after(async () => {
    await ecs.close()
    await ent.close()
  })

  /** Every EES with its EASs, as an EEC sees them and as they are stored. */
  async function bothViews() {
    const response = await provisionBy({ ecs, ent, peer }, anEntitledEec())
    const told = response.status === 204 ? [] : bodyOf<ECSServProvResp>(response).ednCnfgInfo
    const seen = told.flatMap(({ eess }) => eess.map(({ eesId, easIds }) => [eesId, easIds]))
    type Row = { ees_id: string; profile_json: string }
    const rows = await ecs.opened.store.read<Row>({
      sql: `select ees_id, profile_json from registration where state = 'live' and expires_at > ? order by rowid`,
      parameters: [ecs.opened.clock.now()],
    })
    const stored = rows.map(({ ees_id, profile_json }) => [
      ees_id,
      (JSON.parse(profile_json) as { easIds: string[] }).easIds,
    ])
    return { seen, stored }
  }
  const sameAfter = async (what: string, expected: unknown) => {
    const { seen, stored } = await bothViews()
    assert.deepEqual([seen, stored], [expected, expected], what)
  }
  const change = async (ees: RunningEes, method: 'PUT' | 'PATCH', easIds: string[], expTime?: string) => {
    const eesProf = { ...ees.answer.eesProf, easIds }
    const type = method === 'PUT' ? 'application/json' : 'application/merge-patch+json'
    const body = JSON.stringify({ eesProf, ...(expTime !== undefined && { expTime }) })
    assert.equal((await ees.request({ method, headers: { 'content-type': type }, body })).status, 200)
  }

  test('are the same as soon as a change is acknowledged, whatever it is, and after a restart', async () => {
    await sameAfter('nothing', [])
    const first = await onboard(ecs, { eesId: 'ees-1', fqdn: 'ees1.example.com' })
    await sameAfter('an onboarding', [['ees-1', ['eas-1']]])
    const second = await onboard(ecs, { eesId: 'ees-2', fqdn: 'ees2.example.com' })
    await change(first, 'PUT', ['eas-2'])
    await sameAfter('a replacement', [
      ['ees-1', ['eas-2']],
      ['ees-2', ['eas-1']],
    ])
    await change(second, 'PATCH', ['eas-3'])
    await sameAfter('a patch', [
      ['ees-1', ['eas-2']],
      ['ees-2', ['eas-3']],
    ])
    // Many at once end in one and the same state.
    await Promise.all(['eas-4', 'eas-5', 'eas-6'].map((easId) => change(first, 'PATCH', [easId])))
    const { seen, stored } = await bothViews()
    assert.deepEqual(seen, stored)
    await change(first, 'PATCH', ['eas-7'])
    peer.close()
    await ecs.restart()
    peer = ecs.anybody()
    await sameAfter('a restart', [
      ['ees-1', ['eas-7']],
      ['ees-2', ['eas-3']],
    ])
    await ecs.operator.revoke('ees-1')
    await sameAfter('a revocation', [['ees-2', ['eas-3']]])
  })

  test('expiry counts at the very moment, and whoever comes back is there again', async () => {
    const ees = await onboard(ecs, { eesId: 'ees-3', fqdn: 'ees3.example.com' })
    const end = new Date(ecs.opened.clock.now() + 1_000).toISOString()
    await change(ees, 'PATCH', ['eas-8'], end)
    ecs.advance(1_000)
    await sameAfter('its end', [['ees-2', ['eas-3']]])
    while ((await ecs.operator.show(ees.registrationId)).state === 'live') await delay(20)
    const body = JSON.stringify({ eesProf: { ...ees.answer.eesProf, easIds: ['eas-9'] } })
    const headers = { 'content-type': 'application/json' }
    const come = () => ees.peer.request({ method: 'POST', path: REGISTRATIONS, headers, body })
    // Its connections are cut when its registration ends, and that may be now.
    const again = await come().catch(come)
    assert.equal(again.status, 201, again.body.toString())
    await sameAfter('its return', [
      ['ees-2', ['eas-3']],
      ['ees-3', ['eas-9']],
    ])
    const other = await onboard(ecs, { eesId: 'ees-4', fqdn: 'ees4.example.com' })
    await other.request({ method: 'DELETE' })
    await sameAfter('a deregistration', [
      ['ees-2', ['eas-3']],
      ['ees-3', ['eas-9']],
    ])
  })
})
