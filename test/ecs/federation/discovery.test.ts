import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Peer } from '../../../src/http/client.ts'
import type { EcsInfoDiscoveryResp } from '../../../src/spec/messages/ecs-discovery.ts'
import type { ServProvResp } from '../../../src/spec/messages/ecs-service-provisioning.ts'
import type { ECSServProvResp } from '../../../src/spec/messages/service-provisioning.ts'
import { refusedWith } from '../refusals.ts'
import { bodyOf, onboard, profileOf, type RunningEes } from '../running-ecs.ts'
import { anEes, ecsName, eesName, type Member, startMember, trail, trust } from './a-federation.ts'
import { connectAs } from './a-hostile-peer.ts'
import { FaultProxy } from './fault-proxy.ts'

const DISCOVER = '/eecs-ecsdiscovery/v1/ecs-info/discover'
const PROVISION = '/eecs-esp/v1/request'
const serving = (easId: string) => [{ acId: 'any', eass: [{ easId }] }]

/** Eecs_TargetEESDiscovery of an EES of the member. */
function ask({ peer }: RunningEes, query: Readonly<Record<string, string>>) {
  const path = `/eecs-targeteesdiscovery/v1/ees-profiles?${new URLSearchParams(query)}`
  return peer.request({ method: 'GET', path })
}

function post(peer: Peer, path: string, message: object, headers: Readonly<Record<string, string>> = {}) {
  const json = { 'content-type': 'application/json', ...headers }
  return peer.request({ method: 'POST', path, headers: json, body: JSON.stringify(message) })
}

async function register(ees: RunningEes, { label }: Member, change: object): Promise<void> {
  const eesProf = { ...profileOf({ eesId: `ees1-${label}`, fqdn: eesName(label) }), ...change }
  const headers = { 'content-type': 'application/json' }
  const { status } = await ees.request({ method: 'PUT', headers, body: JSON.stringify({ eesProf }) })
  assert.equal(status, 200)
}

/** While it works, the policy has these rules as well. */
async function withRules({ ecs }: Member, rules: string, work: () => Promise<void>): Promise<void> {
  const file = join(ecs.folder, 'policy.yaml')
  const before = await readFile(file, 'utf8')
  await writeFile(file, `${before}${rules}`)
  await ecs.operator.reloadPolicy()
  await work().finally(() => writeFile(file, before))
  await ecs.operator.reloadPolicy()
}

const TOLD = ['discovery-forwarded', 'discovery-answered']

describe('target EESs across ECSs: TS 29.558 9.2, TS 23.558 8.8.3.3 and 8.17.2', () => {
  const labels = ['a', 'b', 'c']
  let a: Member
  let b: Member
  let c: Member
  let client: RunningEes
  let fromA: Peer
  let proxy: FaultProxy

  before(async () => {
    proxy = await FaultProxy.before(() => Number(new URL(c.ecs.serving.listeners.mtls).port))
    const behind = `mtlsRoot: https://${ecsName('c')}:${proxy.port}\n`
    const started = [startMember('a', labels), startMember('b', labels), startMember('c', labels, {}, behind)] as const
    ;[a, b, c] = await Promise.all(started)
    // A ring, and both ways between a and each of the others.
    for (const [one, other] of [
      [a, b],
      [b, a],
      [a, c],
      [c, a],
      [b, c],
    ] as const)
      await trust(one, other)
    client = await anEes(a)
    const atB = await onboard(b.ecs, { eesId: 'ees1-b', fqdn: eesName('b'), provId: 'ecsp-b' })
    await register(atB, b, {
      easIds: ['eas-b', 'eas-both', 'eas-other'],
      appLocs: ['dnai-b'],
      provId: 'ecsp-b',
      svcArea: { topServAr: { tais: [{ plmnId: { mcc: '001', mnc: '01' }, tac: '00A1' }] } },
    })
    await register(await anEes(c), c, { easIds: ['eas-both'] })
    fromA = await connectAs(a, b)
  })
  after(async () => {
    fromA.close()
    await proxy.close()
    await Promise.all([a, b, c].map(({ ecs }) => ecs.close()))
  })

  const find = (easId: string, change: Readonly<Record<string, string>> = {}) =>
    ask(client, { 'ees-id': 'ees1-a', 'eas-id': easId, ...change })
  async function found(easId: string, change: Readonly<Record<string, string>> = {}) {
    const response = await find(easId, change)
    assert.equal(response.status, 200, response.body.toString())
    return bodyOf<ECSServProvResp>(response).ednCnfgInfo.flatMap(({ eess }) => eess)
  }
  const lines = async (member: Member) => trail(member, ...TOLD)
  const allLines = async () => (await Promise.all([a, b, c].map(lines))).flat().length

  test('TK-14: an EES learns of an EES of another ECS what a choice takes, of the EAS that it asked for, and no more', async () => {
    assert.deepEqual(await found('eas-b'), [
      {
        eesId: 'ees1-b',
        endPt: { fqdn: eesName('b') },
        eecRegConf: false,
        easIds: ['eas-b'],
        ecspInfo: 'ecsp-b',
        dnais: ['dnai-b'],
      },
    ])
  })

  test('all ECSs that serve it answer, and the trails of all tell of it under one name', async () => {
    const names = (await found('eas-both')).map(({ eesId }) => eesId)
    assert.deepEqual(names, ['ees1-b', 'ees1-c'])
    const [asked] = (await lines(a)).slice(-1)
    const correlation = asked?.['correlation']
    assert.match(String(correlation), /^[\w-]{22}$/)
    const to = [ecsName('b'), ecsName('c')]
    assert.deepEqual(asked, { event: 'discovery-forwarded', correlation, client: eesName('a'), easId: 'eas-both', to })
    for (const other of [b, c]) {
      const told = { event: 'discovery-answered', correlation, srcEcs: ecsName('a'), client: eesName('a') }
      const eess = [eesName(other.label)]
      assert.deepEqual((await lines(other)).slice(-2), [
        { ...told, operation: 'GetECSDiscInfo', eess },
        { ...told, operation: 'ServProvRetReq', eess },
      ])
    }
  })

  test('what the home ECS has itself it answers alone; what nobody has is not found, nor is it elsewhere', async () => {
    const second = await anEes(a, 2)
    const before = await allLines()
    assert.deepEqual(
      (await found('eas-1')).map(({ eesId }) => eesId),
      ['ees2-a'],
    )
    assert.equal(await allLines(), before)
    await second.request({ method: 'DELETE' })
    refusedWith(await find('eas-nobody'), 'REGISTRATION_NOT_FOUND')
    refusedWith(await find('eas-b', { 'target-dnai': 'dnai-c' }), 'REGISTRATION_NOT_FOUND')
    assert.equal((await found('eas-b', { 'target-dnai': 'dnai-b' })).length, 1)
    refusedWith(await find('eas-b', { 'ees-id': 'ees1-b' }), 'CLIENT_MISMATCH')
  })

  test('FW-01: nobody who is asked asks further: one line at the home ECS, none that goes on from another', async () => {
    const before = await Promise.all([a, b, c].map((member) => trail(member, 'discovery-forwarded')))
    refusedWith(await find('eas-nobody'), 'REGISTRATION_NOT_FOUND')
    const since = await Promise.all([a, b, c].map((member) => trail(member, 'discovery-forwarded')))
    assert.deepEqual(
      since.map(({ length }, at) => length - (before[at]?.length ?? 0)),
      [1, 0, 0],
    )
  })

  test('TK-14: a rule on either side hides an EES; where our own rules open nothing, nobody is asked', async () => {
    const deny = (fqdn: string, target: string) =>
      `  - { id: hidden, effect: deny, fqdn: ${fqdn}, scopes: ['*'], target: ${target} }\n`
    await withRules(b, deny(eesName('a'), eesName('b')), async () => {
      const before = (await lines(b)).length
      refusedWith(await find('eas-b'), 'REGISTRATION_NOT_FOUND')
      assert.equal((await lines(b)).length, before, 'nothing was told')
    })
    await withRules(a, deny(eesName('a'), eesName('b')), async () => {
      refusedWith(await find('eas-b'), 'REGISTRATION_NOT_FOUND')
    })
    const only =
      "authorization: { eecs-eesregistration: static }\nrules:\n  - { id: near, effect: allow, fqdn: '*', scopes: ['*'], target: '*.d.example.com' }\n"
    const file = join(a.ecs.folder, 'policy.yaml')
    const rules = await readFile(file, 'utf8')
    await writeFile(file, only)
    await a.ecs.operator.reloadPolicy()
    const before = await allLines()
    refusedWith(await find('eas-b'), 'REGISTRATION_NOT_FOUND')
    assert.equal(await allLines(), before, 'FW-02: an ECS was asked for an EES that may have nothing there')
    await writeFile(file, rules)
    await a.ecs.operator.reloadPolicy()
    assert.equal((await found('eas-b')).length, 1)
  })

  const discover = (change: object = {}, headers = {}) =>
    post(
      fromA,
      DISCOVER,
      { ecsAddr: { fqdn: ecsName('a') }, acProfs: serving('eas-b'), requestingEes: eesName('a'), ...change },
      headers,
    )
  const provision = (change: object = {}) =>
    post(fromA, PROVISION, { acProfs: serving('eas-b'), requestingEes: eesName('a'), ...change })

  test('Eecs_ECSDiscovery: an ECS speaks for itself, with where it is and for a minute', async () => {
    const response = await discover()
    assert.equal(response.status, 200)
    const { ecsInfo } = bodyOf<EcsInfoDiscoveryResp>(response)
    const [{ lifeTime = '', ecs } = assert.fail(), ...others] = ecsInfo
    assert.deepEqual(others, [])
    const port = new URL(b.ecs.serving.listeners.mtls).port
    const suppEcsps = [{ ecspId: 'ecsp-b', easIds: ['eas-b'] }]
    assert.deepEqual(ecs, { endPt: { uri: `https://${ecsName('b')}:${port}` }, suppPlmns: [{ suppEcsps }] })
    const seconds = (Date.parse(lifeTime) - Date.now()) / 1000
    assert.ok(seconds > 30 && seconds <= 60)
    refusedWith(await discover({ acProfs: serving('eas-nobody') }), 'REGISTRATION_NOT_FOUND')
    refusedWith(await discover({ ecsAddr: undefined }), 'MANDATORY_IE_MISSING')
    const at = (...areas: string[]) => discover({ ueLoc: areas.map((trackingAreaId) => ({ trackingAreaId })) })
    assert.equal((await at('00b2', '00a1')).status, 200)
    refusedWith(await at('00b2'), 'REGISTRATION_NOT_FOUND')
  })

  test('FW-04: no EES, no stranger and nobody without a certificate is told anything between ECSs', async () => {
    const before = await allLines()
    const atB = await anEes(b, 3)
    for (const path of [DISCOVER, PROVISION]) {
      const message = { ecsAddr: { fqdn: ecsName('a') }, acProfs: serving('eas-b'), requestingEes: eesName('a') }
      const answer = await post(atB.peer, path, message, { authorization: `Bearer ${atB.accessToken}` })
      refusedWith(answer, 'CERTIFICATE_NOT_ACCEPTED')
      const anybody = b.ecs.anybody()
      assert.equal((await post(anybody, path, message)).status, 404)
    }
    // b trusts c, and c does not trust b.
    const fromB = await connectAs(b, c)
    await assert.rejects(post(fromB, PROVISION, { acProfs: serving('eas-both') }))
    fromB.close()
    assert.equal(await allLines(), before)
    assert.equal((await discover()).status, 200)
  })

  test('FW-03: an ECS that asks for an EES of another name space, or as another ECS, is refused', async () => {
    const before = (await lines(b)).length
    for (const requestingEes of [eesName('b'), eesName('c'), 'ees1.bada.example.com', 'example.com']) {
      refusedWith(await discover({ requestingEes }), 'POLICY_DENIED')
      refusedWith(await provision({ requestingEes }), 'POLICY_DENIED')
    }
    refusedWith(await provision({ requestingEes: 'not a name' }), 'MANDATORY_IE_INCORRECT')
    for (const ecsAddr of [{ fqdn: ecsName('c') }, { uri: `https://${ecsName('c')}` }, { ipv4Addrs: ['127.0.0.1'] }])
      refusedWith(await discover({ ecsAddr }), 'CLIENT_MISMATCH')
    assert.equal((await lines(b)).length, before)
    assert.equal((await discover({ ecsAddr: { uri: `https://${ecsName('a')}:8444` } })).status, 200)
  })

  test('TK-14: without the EES that will know, an ECS is told what all its EESs may know', async () => {
    assert.equal((await provision({ requestingEes: undefined })).status, 200)
    const deny = `  - { id: hidden, effect: deny, fqdn: ees9.a.example.com, scopes: ['*'], target: ${eesName('b')} }\n`
    await withRules(b, deny, async () => {
      refusedWith(await provision({ requestingEes: undefined }), 'REGISTRATION_NOT_FOUND')
      refusedWith(await discover({ requestingEes: undefined }), 'REGISTRATION_NOT_FOUND')
      assert.equal((await provision()).status, 200)
    })
  })

  test('Eecs_ECSServiceProvisioning: what serves the applications where they are', async () => {
    const shown = async (change: object) => {
      const response = await provision(change)
      return response.status === 200
        ? bodyOf<ServProvResp>(response).ednConfigInfo.flatMap(({ eess }) => eess.map(({ easIds }) => easIds))
        : response.status
    }
    assert.deepEqual(await shown({ acProfs: undefined }), [['eas-b', 'eas-both', 'eas-other'], ['eas-1']])
    assert.deepEqual(await shown({ acProfs: undefined, appInfos: [{ acProf: serving('eas-both')[0] }] }), [
      ['eas-both'],
    ])
    assert.deepEqual(await shown({ suppFeat: '3' }), [['eas-b']])
    assert.deepEqual(await shown({ locInfo: { trackingAreaId: '00a1' } }), [['eas-b']])
    assert.equal(await shown({ locInfo: { trackingAreaId: '00b2' } }), 404)
    assert.equal(await shown({ acProfs: [] }), 400)
    assert.equal(await shown({ acProfs: serving('eas-nobody') }), 404)
  })

  test('an EES that says much of itself takes no room from the others: an answer between ECSs has 64 KiB', async () => {
    const talker = await onboard(b.ecs, { eesId: 'ees4-b', fqdn: 'ees4.b.example.com' })
    const appLocs = Array.from({ length: 3_000 }, (_, at) => `dnai-number-${at}`)
    const eesProf = { ...profileOf({ eesId: 'ees4-b', fqdn: 'ees4.b.example.com' }), easIds: ['eas-b'], appLocs }
    const headers = { 'content-type': 'application/json' }
    assert.equal((await talker.request({ method: 'PUT', headers, body: JSON.stringify({ eesProf }) })).status, 200)
    assert.deepEqual(
      (await found('eas-b')).map(({ eesId }) => eesId),
      ['ees1-b'],
    )
    const short = { eesProf: { ...eesProf, appLocs: ['dnai-b'] } }
    assert.equal((await talker.request({ method: 'PUT', headers, body: JSON.stringify(short) })).status, 200)
    assert.equal((await found('eas-b')).length, 2)
    await talker.request({ method: 'DELETE' })
  })

  test('a correlation of another kind is not taken into our audit trail', async () => {
    assert.equal((await discover({}, { '3gpp-sbi-correlation-info': 'imsi-001010000000001' })).status, 200)
    const [line] = (await lines(b)).slice(-1)
    assert.equal(line?.['correlation'], undefined)
  })

  for (const fault of ['refused', 'hung', 'mute after the handshake'] as const) {
    test(`FW-08: ${fault}: the EESs of the others are found; that there are none, nobody says; and it comes back`, async () => {
      proxy.set(fault)
      assert.deepEqual(
        (await found('eas-both')).map(({ eesId }) => eesId),
        ['ees1-b'],
      )
      refusedWith(await find('eas-nobody'), 'PEER_NOT_AVAILABLE')
      proxy.set(undefined)
      for (let tries = 0; tries < 60 && (await found('eas-both')).length < 2; tries += 1) await wait(100)
      assert.equal((await found('eas-both')).length, 2)
    })
  }
})
