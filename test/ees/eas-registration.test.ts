import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { EesCredential } from '../../src/ees/index.ts'
import type { Peer } from '../../src/http/client.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { EES_FQDN } from './an-ecs.ts'
import { anEcsOnTls, anEec, ask, bodyOf, derOf, outcomeOf, type RunningEes, runEes } from './running-ees.ts'

const REGISTRATIONS = '/eees-easregistration/v1/registrations'
const profileOf = (easId: string, more: object = {}) => ({ easId, endPt: { fqdn: 'eas-1.app.example' }, ...more })

/** The EES looks for its own authority once a second. */
async function untilLetIn(peer: () => Peer, path = `${REGISTRATIONS}/none`): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const seen = await ask(peer(), 'GET', path).catch(() => undefined)
    if (seen?.status === 404) return
    await wait(100)
  }
  assert.fail('the EES does not know its own authority')
}

describe('Eees_EASRegistration, EDGE-3: TS 29.558 8.1', () => {
  let ecs: Awaited<ReturnType<typeof anEcsOnTls>>
  let ees: RunningEes
  let credential: EesCredential
  let eas: Peer
  let other: Peer

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs, { quotas: { eass: 2 } })
    credential = await ees.credentialOfEas('eas-1.app.example')
    await untilLetIn(() => ees.connect('mtls', credential))
    eas = ees.connect('mtls', credential)
    other = ees.connect('mtls', await ees.credentialOfEas('eas-2.app.example'))
  })
  after(async () => {
    await ees.close()
    ecs.network.close()
  })

  test('POST, GET, PUT, PATCH, DELETE', async () => {
    const first = await ask(eas, 'POST', REGISTRATIONS, { easProf: profileOf('eas-1.app.example'), suppFeat: 'f' })
    assert.equal(first.status, 201, first.body.toString())
    const { expTime, ...rest } = bodyOf(first)
    assert.deepEqual(rest, { easProf: profileOf('eas-1.app.example'), suppFeat: '0' })
    assert.ok(Date.parse(expTime) > Date.now())
    const location = first.headers.location ?? ''
    assert.deepEqual(bodyOf(await ask(eas, 'GET', location)), { easProf: rest.easProf, expTime })

    const easProf = profileOf('eas-1.app.example', { provId: 'provider-1' })
    assert.deepEqual(bodyOf(await ask(eas, 'PUT', location, { easProf })).easProf, easProf)
    const longest = await ask(eas, 'PATCH', location, { expTime: null })
    assert.deepEqual([longest.status, bodyOf(longest).easProf], [200, easProf])
    assert.equal((await ask(eas, 'DELETE', location)).status, 204)
    assert.deepEqual(outcomeOf(await ask(eas, 'GET', location)), [404, 'REGISTRATION_NOT_FOUND'])
  })

  test('RS-03: who may do what as whom: only an EAS, and only for itself', async () => {
    const { headers } = await ask(eas, 'POST', REGISTRATIONS, { easProf: profileOf('eas-1.app.example') })
    const own = headers.location ?? ''
    const mismatch = [403, 'EAS_MISMATCH']
    const notFound = [404, 'REGISTRATION_NOT_FOUND']
    const mine = { easProf: profileOf('eas-1.app.example') }
    const theirs = { easProf: profileOf('eas-2.app.example') }
    const expected: [string, Peer, Parameters<typeof ask>[1], string, object | undefined, (number | string)[]][] = [
      ['registers another', eas, 'POST', REGISTRATIONS, theirs, mismatch],
      ['becomes another', eas, 'PUT', own, theirs, mismatch],
      ['becomes another in part', eas, 'PATCH', own, theirs, mismatch],
      ['another reads', other, 'GET', own, undefined, notFound],
      ['another replaces', other, 'PUT', own, theirs, notFound],
      ['another replaces as its owner', other, 'PUT', own, mine, notFound],
      ['another changes', other, 'PATCH', own, { expTime: null }, notFound],
      ['another ends', other, 'DELETE', own, undefined, notFound],
    ]
    for (const [what, peer, method, path, body, outcome] of expected) {
      assert.deepEqual(outcomeOf(await ask(peer, method, path, body)), outcome, what)
    }
    assert.deepEqual(bodyOf(await ask(eas, 'GET', own)).easProf, mine.easProf)
  })

  test('RS-03: the credential of an EES or an EEC is none of an EAS, and that of an EAS none of an EES', async () => {
    const source = await ecs.ecs.credentialFor(fqdn('ees2.ecsp.example'))
    const asEes = ees.connect('mtls', source)
    const easProf = profileOf('ees2.ecsp.example')
    assert.deepEqual(outcomeOf(await ask(asEes, 'POST', REGISTRATIONS, { easProf })), [401, 'CERTIFICATE_NOT_ACCEPTED'])
    const eec = await anEec(ecs.ecs, 'eec-1')
    const nowhere = await eec.ask(ees.connect('server'), 'POST', REGISTRATIONS, { easProf })
    assert.deepEqual(outcomeOf(nowhere), [404, 'RESOURCE_URI_STRUCTURE_NOT_FOUND'])
    const token = await ecs.ecs.token(derOf(source), { aud: EES_FQDN, names: 'eees-easdiscovery' })
    const asked = { requestorId: { eesId: 'ees2.ecsp.example' } }
    const discovery = await ask(eas, 'POST', '/eees-easdiscovery/v1/eas-profiles/request-discovery', asked, token)
    assert.deepEqual(outcomeOf(discovery), [401, 'CERTIFICATE_NOT_ACCEPTED'])
  })

  test('HT-11: when there is no room the answer is 507, and those who are there go on', async () => {
    const third = ees.connect('mtls', await ees.credentialOfEas('eas-3.app.example'))
    const register = (peer: Peer, easId: string) => ask(peer, 'POST', REGISTRATIONS, { easProf: profileOf(easId) })
    assert.equal((await register(other, 'eas-2.app.example')).status, 201)
    assert.deepEqual(outcomeOf(await register(third, 'eas-3.app.example')), [507, 'QUOTA_EXCEEDED'])
    assert.equal((await register(eas, 'eas-1.app.example')).status, 201)
  })

  test('an EAS that the operator refuses gets 401, and the others go on', async () => {
    await ees.restart({ eas: { refused: ['eas-1.app.example'] } })
    const again = ees.connect('mtls', credential)
    assert.deepEqual(outcomeOf(await ask(again, 'GET', `${REGISTRATIONS}/none`)), [401, 'CERTIFICATE_REVOKED'])
    const second = ees.connect('mtls', await ees.credentialOfEas('eas-2.app.example'))
    assert.equal((await ask(second, 'POST', REGISTRATIONS, { easProf: profileOf('eas-2.app.example') })).status, 201)
  })
})
