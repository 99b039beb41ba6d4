import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Peer } from '../../src/http/client.ts'
import { anEcsOnTls, anEec, ask, bodyOf, type Eec, outcomeOf, type RunningEes, runEes } from './running-ees.ts'

const REGISTRATIONS = '/eees-eecregistration/v1/registrations'
const GPSI = 'msisdn-491701234567'
const acProfs = [{ acId: 'ac-1', eass: [{ easId: 'eas-1.app.example' }] }]

describe('Eees_EECRegistration: TS 23.558 8.4.2', () => {
  let ecs: Awaited<ReturnType<typeof anEcsOnTls>>
  let ees: RunningEes
  let peer: Peer
  let eec: Eec
  let other: Eec

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs, { quotas: { eecs: 3 } })
    peer = ees.connect('server')
    eec = await anEec(ecs.ecs, 'eec-1', { gpsi: GPSI })
    other = await anEec(ecs.ecs, 'eec-2')
  })
  after(async () => {
    await ees.close()
    ecs.network.close()
  })

  const register = (by: Eec, content: object) => by.ask(peer, 'POST', REGISTRATIONS, content)

  test('POST, PUT, PATCH, DELETE; the same EEC again gets the same registration', async () => {
    const first = await register(eec, { eecId: 'eec-1', ueId: GPSI, acProfs, unknown: 1 })
    assert.equal(first.status, 201, first.body.toString())
    const { eecCntxId, expTime, ...rest } = bodyOf(first)
    assert.deepEqual(rest, { eecId: 'eec-1', ueId: GPSI, acProfs })
    assert.match(eecCntxId, /^[0-9a-f-]{36}$/)
    assert.ok(Date.parse(expTime) > Date.now())
    const location = first.headers.location ?? ''
    assert.match(location, /^\/eees-eecregistration\/v1\/registrations\/[0-9a-f-]{36}$/)

    assert.equal((await register(eec, { eecId: 'eec-1', acProfs })).headers.location, location)
    const put = await eec.ask(peer, 'PUT', location, { eecId: 'eec-1', ueMobilityReq: true })
    assert.equal(put.status, 200)
    assert.deepEqual([bodyOf(put).ueMobilityReq, bodyOf(put).acProfs], [true, undefined])
    const soon = new Date(Date.now() + 60_000).toISOString()
    const patched = await eec.ask(peer, 'PATCH', location, { acProfs, expTime: soon })
    assert.deepEqual(
      [patched.status, bodyOf(patched).acProfs, bodyOf(patched).ueMobilityReq, bodyOf(patched).expTime],
      [200, acProfs, true, soon],
    )
    assert.equal((await eec.ask(peer, 'DELETE', location)).status, 204)
    assert.deepEqual(outcomeOf(await eec.ask(peer, 'DELETE', location)), [404, 'REGISTRATION_NOT_FOUND'])
  })

  test('RS-01: an EEC registers itself and its own UE only, and sees, changes and ends no other registration', async () => {
    const { headers } = await register(eec, { eecId: 'eec-1' })
    const location = headers.location ?? ''
    const before = await ees.serving.operator.listEecs('', 10)
    const mismatch = [403, 'EEC_MISMATCH']
    const foreignUe = { eecId: 'eec-1', ueId: 'msisdn-491709999999' }
    assert.deepEqual(outcomeOf(await register(other, { eecId: 'eec-1' })), mismatch)
    assert.deepEqual(outcomeOf(await register(eec, foreignUe)), mismatch)
    // The token of this EEC tells no GPSI, so it speaks for no UE at all.
    assert.deepEqual(outcomeOf(await register(other, { eecId: 'eec-2', ueId: GPSI })), mismatch)
    assert.deepEqual(outcomeOf(await eec.ask(peer, 'PUT', location, { eecId: 'eec-2' })), mismatch)
    assert.deepEqual(outcomeOf(await eec.ask(peer, 'PUT', location, foreignUe)), mismatch)
    const notFound = [404, 'REGISTRATION_NOT_FOUND']
    assert.deepEqual(outcomeOf(await other.ask(peer, 'PUT', location, { eecId: 'eec-2' })), notFound)
    assert.deepEqual(outcomeOf(await other.ask(peer, 'PATCH', location, { ueMobilityReq: true })), notFound)
    assert.deepEqual(outcomeOf(await other.ask(peer, 'DELETE', location)), notFound)
    assert.deepEqual(await ees.serving.operator.listEecs('', 10), before)
    assert.equal((await eec.ask(peer, 'PATCH', location, { ueMobilityReq: true })).status, 200)
  })

  test('NG-01: without a credential, with a bearer token, for another EES or another key: 401, and nothing is registered', async () => {
    const before = await ees.serving.operator.listEecs('', 10)
    const content = { eecId: 'eec-9' }
    const wrong = await anEec(ecs.ecs, 'eec-9', { aud: 'ees9.ecsp.example' })
    const mine = await anEec(ecs.ecs, 'eec-9')
    const stolen = await anEec(ecs.ecs, 'eec-9')
    const refused = [
      await ask(peer, 'POST', REGISTRATIONS, content),
      await ask(peer, 'POST', REGISTRATIONS, content, mine.token),
      await register(wrong, content),
      await stolen.ask(peer, 'POST', REGISTRATIONS, content, mine.token),
    ]
    assert.deepEqual(
      refused.map(({ status }) => status),
      [401, 401, 401, 401],
    )
    // RFC 9449 7.1: whatever was shown, it is asked for with a proof.
    for (const { headers } of refused) assert.match(headers['www-authenticate'] ?? '', /^DPoP .*algs="ES256"$/)
    const tooLittle = await anEec(ecs.ecs, 'eec-9', { scope: 'eees-easdiscovery' })
    assert.deepEqual(outcomeOf(await register(tooLittle, content)), [403, 'INSUFFICIENT_SCOPE'])
    assert.deepEqual(await ees.serving.operator.listEecs('', 10), before)
  })

  test('TK-05: a proof is good for one request', async () => {
    const headers = {
      ...(await eec.headers(peer.origin, { method: 'POST', path: REGISTRATIONS })),
      'content-type': 'application/json',
    }
    const message = { method: 'POST', path: REGISTRATIONS, headers, body: JSON.stringify({ eecId: 'eec-1' }) } as const
    assert.equal((await peer.request(message)).status, 201)
    assert.deepEqual(outcomeOf(await peer.request(message)), [401, 'DPOP_PROOF_INVALID'])
  })

  test('HT-11: when there is no room the answer is 507, and those who are there go on', async () => {
    for (const id of ['eec-2', 'eec-3']) {
      assert.equal((await register(await anEec(ecs.ecs, id), { eecId: id })).status, 201)
    }
    const late = await anEec(ecs.ecs, 'eec-4')
    assert.deepEqual(outcomeOf(await register(late, { eecId: 'eec-4' })), [507, 'QUOTA_EXCEEDED'])
    const { headers } = await register(other, { eecId: 'eec-2' })
    assert.equal((await other.ask(peer, 'DELETE', headers.location ?? '')).status, 204)
    assert.equal((await register(late, { eecId: 'eec-4' })).status, 201)
  })

  test('what an EEC has registered is there after a restart', async () => {
    const before = await ees.serving.operator.listEecs('', 10)
    assert.deepEqual(
      before.map(({ eecId }) => eecId),
      ['eec-1', 'eec-3', 'eec-4'],
    )
    await ees.restart()
    peer = ees.connect('server')
    assert.deepEqual(await ees.serving.operator.listEecs('', 10), before)
  })

  test('a time that has passed is refused, and one that is too far is shortened', async () => {
    const past = new Date(Date.now() - 1_000).toISOString()
    assert.deepEqual(outcomeOf(await register(eec, { eecId: 'eec-1', expTime: past })), [400, 'OPTIONAL_IE_INCORRECT'])
    const far = await register(eec, { eecId: 'eec-1', expTime: '9999-12-31T23:59:59Z' })
    assert.ok(Date.parse(bodyOf(far).expTime) <= Date.now() + 86_400_000)
  })
})
