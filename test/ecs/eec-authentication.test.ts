import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { REQUEST_SERV_PROV } from '../../src/ecs/routes/provisioning-routes.ts'
import type { Message, Peer, Response } from '../../src/http/client.ts'
import { deriveKecs } from '../../src/keys/kedge.ts'
import type { EecAuthenticationResponse } from '../../src/spec/messages/eec-authentication.ts'
import type { ECSServProvResp } from '../../src/spec/messages/service-provisioning.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { hex, key } from '../keys/octets.ts'
import { rankSum } from '../rank-sum.ts'
import { VECTOR } from '../ue/a-folder.ts'
import { aKedge, runEcsWithKeyServices } from './a-key-service.ts'
import { type AnEec, anEec, ask, askOver, authenticated, byPsk, eecIdOf, hurried, provision } from './an-eec.ts'
import { notLetIn, refusedWith } from './refusals.ts'
import { bodyOf, csrOf, newEesKey, profileOf, type RunningEcs } from './running-ecs.ts'

type Running = Awaited<ReturnType<typeof runEcsWithKeyServices>>

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const GPSI = 'msisdn-491710000001'

const eesIdsOf = (response: Response): string[] => {
  if (response.status === 204) return []
  assert.equal(response.status, 200, response.body.toString())
  const { ednCnfgInfo } = bodyOf<ECSServProvResp>(response)
  return ednCnfgInfo.flatMap(({ eess }) => eess.map(({ eesId }) => eesId)).sort()
}

/** An EES that onboards with a profile of its own. */
async function register(ecs: RunningEcs, eesId: string, profile: object): Promise<void> {
  const bundle = await ecs.invite({ eesId, fqdn: `${eesId}.example.com` })
  const peer = ecs.anybody()
  const body = {
    eesProf: { ...profileOf(bundle), ...profile },
    onboardingInformation: { csr: await csrOf(newEesKey(), bundle.fqdn) },
  }
  const { status } = await peer.request({
    method: 'POST',
    path: '/eecs-eesregistration/v1/registrations',
    headers: { authorization: `Bearer ${bundle.onboardingToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(status, 201)
  peer.close()
}

const cell = (nrCellId: string) => ({ topServAr: { ncgis: [{ plmnId: { mcc: '001', mnc: '01' }, nrCellId }] } })

describe('EEC authentication by Kedge: TR 33.839 6.x.2', () => {
  let running: Running
  let ecs: RunningEcs
  const lines: string[] = []
  const told: Buffer[] = []
  const peers: Peer[] = []
  const kept = (peer: Peer): Peer => {
    peers.push(peer)
    return peer
  }
  before(async () => {
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
    running = await runEcsWithKeyServices(VECTOR.ecsFqdn, { log, timers: hurried })
    ecs = running.ecs
    await register(ecs, 'ees-a', { easIds: ['eas-1', 'eas-2'], provId: 'ecsp-1', svcArea: cell('00000a001') })
    await register(ecs, 'ees-b', { easIds: ['eas-2'], provId: 'ecsp-2', svcArea: cell('00000b001') })
    await register(ecs, 'ees-c', { easIds: ['eas-3'], provId: 'ecsp-2' })
  })
  after(async () => {
    for (const peer of peers) peer.close()
    await running.close()
  })

  const answered = (response: Response, status: number): Response => {
    told.push(response.body)
    assert.equal(response.status, status, response.body.toString())
    return response
  }

  for (const via of ['ausf', 'nef'] as const) {
    const where = via === 'ausf' ? 'figure 6.x.2-1, inside the domain' : 'figure 6.x.2-2, outside, through the NEF'
    test(`${where}: steps 4 to 7, then the EESs`, async () => {
      const network = running[via]
      const isVector = via === 'ausf' && {
        kedge: key('Kedge', VECTOR.kedge),
        kedgeId: network.newKedgeId(VECTOR.edgeTid.slice(32)),
      }
      const eec = anEec(ecs, network, { ...isVector, gpsi: GPSI })
      if (isVector) assert.deepEqual([eec.identity, eec.key.export()], [VECTOR.pskIdentity, hex(VECTOR.kecs)])
      const { eecId, kedgeId } = eec

      // Step 4: the EEC sends the authentication request with its EEC ID and Kedge ID.
      const answer = bodyOf<EecAuthenticationResponse>(answered(await ask(ecs, eec), 201))
      const { port } = new URL(ecs.serving.listeners.psk)
      const { expiresAt = 0 } = network.subscribers.get(kedgeId) ?? {}
      assert.deepEqual(answer, {
        pskEndpoint: `https://${ecs.fqdn}:${port}`,
        keyProfile: 'bound',
        expiresAt: new Date(expiresAt).toISOString(),
      })

      // Steps 5 and 6: the ECS asked for the key by its certificate; by no name in the message (KE-10).
      const path = via === 'ausf' ? '/nausf-auth/v1/ue-authentications/key-request' : '/3gpp-edge-key/v1/retrieve'
      const body = via === 'ausf' ? { kedgeId, eecId } : { afId: 'af-of-this-ecs', kedgeId, eecId }
      assert.deepEqual(network.asked.splice(0), [{ path, body, ecs: ecs.fqdn }])

      // Step 7: TLS with the key of both; what follows is of this EEC.
      const peer = kept(byPsk(ecs, eec))
      assert.deepEqual(eesIdsOf(answered(await provision(peer, eecId, { ueId: GPSI }), 200)), [
        'ees-a',
        'ees-b',
        'ees-c',
      ])
      assert.deepEqual(network.asked, [])

      // A cheat: the name of it with a key of one's own.
      await notLetIn(kept(byPsk(ecs, { ...eec, key: createSecretKey(aKedge().export()) })).socket())
    })
  }

  test('TS 24.558 6.2: the EESs that serve what is asked for, where it is asked for', async () => {
    const eec = anEec(ecs, running.ausf)
    const peer = kept(await authenticated(ecs, eec))
    const eas = (...easIds: string[]) => ({ acProfs: [{ acId: 'ac', eass: easIds.map((easId) => ({ easId })) }] })
    const table: readonly [Parameters<typeof provision>[2], readonly string[]][] = [
      [{}, ['ees-a', 'ees-b', 'ees-c']],
      [eas('eas-2'), ['ees-a', 'ees-b']],
      [eas('eas-1', 'eas-3'), ['ees-a', 'ees-c']],
      [eas('eas-9'), []],
      [{ ecspIds: ['ecsp-2'] }, ['ees-b', 'ees-c']],
      [{ ecspIds: ['ecsp-9'] }, []],
      [{ locInf: { cellId: '00000A001' } }, ['ees-a', 'ees-c']],
      [{ locInf: { cellId: '00000c001' } }, ['ees-c']],
      [{ ...eas('eas-2'), ecspIds: ['ecsp-2'], locInf: { cellId: '00000b001' } }, ['ees-b']],
      [{ ...eas('eas-2'), ecspIds: ['ecsp-2'], locInf: { cellId: '00000a001' } }, []],
    ]
    for (const [wishes, expected] of table) {
      assert.deepEqual(eesIdsOf(await provision(peer, eec.eecId, wishes)), expected, JSON.stringify(wishes))
    }
    await register(ecs, 'ees-d', { easIds: ['eas-4'] })
    assert.deepEqual(eesIdsOf(await provision(peer, eec.eecId, eas('eas-4'))), ['ees-d'])
    await ecs.operator.revoke('ees-d')
    assert.deepEqual(eesIdsOf(await provision(peer, eec.eecId, eas('eas-4'))), [])
  })

  test('NG-04: an EEC that names another, or a UE that is not its own, gets nothing at any route of its listener', async () => {
    const honest = anEec(ecs, running.ausf, { eecId: 'eec-honest', gpsi: GPSI })
    const other = anEec(ecs, running.ausf, { eecId: 'eec-other', gpsi: 'msisdn-491710000002' })
    const peer = kept(await authenticated(ecs, honest))
    kept(await authenticated(ecs, other))
    const foreign = [
      { eecId: other.eecId },
      { eecId: 'eec-nobody' },
      { eecId: 'EEC-HONEST' },
      { eecId: 'eec-honest ' },
      { eecId: '' },
      { eecId: honest.eecId, ueId: 'msisdn-491710000002' },
      { eecId: other.eecId, ueId: GPSI },
    ]
    const routes: readonly Omit<Message, 'body'>[] = [
      { method: 'POST', path: REQUEST_SERV_PROV.path, headers: { 'content-type': 'application/json' } },
    ]
    for (const route of routes) {
      for (const body of foreign) {
        refusedWith(answered(await peer.request({ ...route, body: JSON.stringify(body) }), 403), 'EEC_MISMATCH')
      }
      const own = JSON.stringify({ eecId: honest.eecId, ueId: GPSI })
      assert.equal((await peer.request({ ...route, body: own })).status, 200)
    }
  })

  test('NG-05: no other listener takes the key’s requests, and its listener takes no other credential', async () => {
    const eec = anEec(ecs, running.ausf)
    const byKey = kept(await authenticated(ecs, eec))
    const [anybody, plain] = [ecs.anybody(), ecs.withoutCertificate(Number(new URL(ecs.serving.listeners.psk).port))]
    refusedWith(await provision(anybody, eec.eecId), 'CREDENTIAL_MISSING')
    refusedWith(await askOver(byKey, eec), 'RESOURCE_URI_STRUCTURE_NOT_FOUND')
    await notLetIn(provision(plain, eec.eecId))
    for (const peer of [anybody, plain]) peer.close()
  })

  test('KE-04, KE-05: a key for another ECS, another EEC or all of them opens nothing here', async () => {
    const kedge = aKedge()
    const eec = anEec(ecs, running.ausf, { eecId: 'eec-1', kedge })
    const { eecId, kedgeId, identity } = eec
    const second = anEec(ecs, running.ausf, { eecId: 'eec-2', kedge, kedgeId })
    for (const each of [eec, second]) answered(await ask(ecs, each), 201)
    const keys = {
      'another EEC': second.key,
      'another ECS': deriveKecs(kedge, fqdn('ecs2.edge.example.com'), eecId),
      'an ECS whose name begins alike': deriveKecs(kedge, fqdn(`${ecs.fqdn}.evil.example`), eecId),
      'all of the UE': kedge,
    }
    for (const other of Object.values(keys)) await notLetIn(kept(byPsk(ecs, { identity, key: other })).socket())
    for (const each of [eec, second]) assert.equal((await provision(kept(byPsk(ecs, each)), each.eecId)).status, 200)
  })

  /** Everything that tells one answer from another. */
  const tellingPartOf = ({ status, headers, body }: Response): string => {
    const { date: _, ...rest } = headers
    return JSON.stringify([status, rest, body.toString()])
  }

  const notPermitted = async () => {
    throw new Refusal('ECS_NOT_AUTHORIZED', 'the caller gets no key of this subscriber')
  }

  test('NG-06: unknown, not permitted, expired and of a foreign network are answered by the same octets', async () => {
    const { ausf } = running
    const refusals = new Map<string, string>()
    const refuse = async (name: string, eec: Pick<AnEec, 'eecId' | 'kedgeId'>) => {
      const answer = answered(await ask(ecs, eec), 404)
      refusedWith(answer, 'KEDGE_NOT_FOUND')
      refusals.set(tellingPartOf(answer), name)
    }
    const eecId = eecIdOf('eec-1')
    await refuse('unknown', { eecId, kedgeId: ausf.newKedgeId() })
    await refuse('unknown EEC', { eecId: eecIdOf('eec-nobody-knows'), kedgeId: ausf.newKedgeId() })
    const barred = anEec(ecs, ausf)
    ausf.oddities.set(barred.kedgeId, notPermitted)
    await refuse('not permitted', barred)
    await refuse('not permitted, asked again', barred)
    await refuse('expired', anEec(ecs, ausf, { expiresAt: Date.now() - 1 }))
    const foreign = ausf.newKedgeId().replace('mnc001', 'mnc999') as AnEec['kedgeId']
    await refuse('of a foreign network', { eecId, kedgeId: foreign })
    assert.equal(refusals.size, 1, [...refusals].join('\n'))
    answered(await ask(ecs, anEec(ecs, ausf)), 201)
  })

  test('NG-06: the ECS does the same for unknown and not permitted: the same questions, the same lines of its log', async () => {
    const { ausf } = running
    const peer = kept(ecs.anybody())
    const doneFor = async (eec: Pick<AnEec, 'eecId' | 'kedgeId'>) => {
      const [asked, logged] = [ausf.asked.length, lines.length]
      assert.equal((await askOver(peer, eec)).status, 404)
      const shapes = lines.slice(logged).map((line) => {
        const { msg, level, listener } = JSON.parse(line)
        return { msg, level, listener }
      })
      return [ausf.asked.length - asked, ...shapes]
    }
    const known = anEec(ecs, ausf)
    ausf.oddities.set(known.kedgeId, notPermitted)
    const [first, second] = [await doneFor(known), await doneFor({ ...known, kedgeId: ausf.newKedgeId() })]
    assert.deepEqual(first, second)
    assert.ok(first.length > 1 && first[0] === 1)
    // What was not known is not asked for again soon, of either.
    ausf.oddities.delete(known.kedgeId)
    assert.equal((await doneFor(known))[0], 0)
  })

  const onlyDeep = { skip: !DEEP && 'it needs a machine of its own: npm run test:deep' }

  test('NG-06: nor can unknown and not permitted be told apart by time', onlyDeep, async () => {
    const { ausf } = running
    const peer = kept(ecs.anybody())
    const eecId = eecIdOf('eec-1')
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] }
    // The service takes the same time for both: what is looked for is what the ECS adds.
    const answers = {
      known: notPermitted,
      unknown: async () => {
        throw new Refusal('KEDGE_NOT_FOUND', 'there is no key under this Kedge ID')
      },
    }
    for (let pair = -100; pair < 50_000; pair += 1) {
      const both: (keyof typeof times)[] = Math.random() < 0.5 ? ['known', 'unknown'] : ['unknown', 'known']
      for (const which of both) {
        const kedgeId = ausf.newKedgeId()
        ausf.oddities.set(kedgeId, answers[which])
        const start = performance.now()
        await askOver(peer, { eecId, kedgeId })
        if (pair >= 0) times[which].push(performance.now() - start)
        ausf.oddities.delete(kedgeId)
      }
      ausf.asked.length = 0
    }
    const { z } = rankSum(times.known, times.unknown)
    assert.ok(Math.abs(z) < 4, `z = ${z}`)
  })

  test('KE-11: in all of this no key and no Kedge ID reached a log, and no key an answer', () => {
    const secrets = [...running.ausf.subscribers, ...running.nef.subscribers].flatMap(([, { kedge }]) => [
      kedge.export(),
    ])
    const keys = [...secrets, hex(VECTOR.kecs)]
    const logged = lines.join('')
    const answers = Buffer.concat(told)
    assert.ok(lines.length > 50 && answers.length > 1_000)
    for (const octets of keys) {
      for (const form of [
        octets.toString('hex'),
        octets.toString('base64'),
        octets.toString('base64url'),
        inspect(octets),
      ]) {
        assert.ok(!logged.toLowerCase().includes(form.toLowerCase()))
        assert.ok(!answers.includes(form))
      }
      assert.ok(!answers.includes(octets))
    }
    for (const kedgeId of running.ausf.subscribers.keys()) assert.ok(!logged.includes(kedgeId))
    assert.doesNotMatch(logged, /kid[0-9a-f]{32}|"key":|msisdn/)
  })
})
