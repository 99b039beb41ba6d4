import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { deriveKecs } from '../../src/keys/kedge.ts'
import { withOctets } from '../../src/keys/key.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { NAUSF_UE_AUTHENTICATION as NAUSF } from '../../src/spec/core-operations.ts'
import type { Fqdn, RegistrationId } from '../../src/spec/identifiers.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { decryptJwe } from '../../src/tokens/jwe.ts'
import { certified, fqdn } from '../nf/a-network.ts'
import { rankSum } from '../rank-sum.ts'
import malformed from '../vectors/keys/malformed-kedge-ids.json' with { type: 'json' }
import { authenticated, type Caller, ECS1, type EcsDomain, type RunningCore, runCore, SET_1, SUPI } from './a-core.ts'

const REALM = 'edge.5gc.mnc001.mcc001.3gppnetwork.org'
const unknownId = () => `rid0.kid${randomBytes(16).toString('hex')}@${REALM}`
const eecId = 'eec-1'
const ECS2 = fqdn('ecs2.other.example')
const ECS3 = fqdn('ecs3.outside.example')

type Keys = Awaited<ReturnType<typeof authenticated>>
const kecs = ({ kedge }: Keys, ecs: Fqdn, eec = eecId) =>
  withOctets(deriveKecs(kedge, ecs, eec as EecId), (octets) => octets.toString('hex'))

describe('Nausf_UEAuthentication_keyrequest: TR 33.839 6.x.2.1 steps 5 and 6, D-21', () => {
  let core: RunningCore
  let ecs1: Caller & { readonly domain: EcsDomain }
  let ecs2: Caller
  let nef: Caller
  let keys: Keys
  before(async () => {
    core = await runCore({ subscribers: [{ ...SET_1, sqn: '000000000000' }] })
    await core.changeConfiguration('ausf', () => ({ keyRequests: { perSecond: 1_000, burst: 10_000 } }))
    await core.restartAusf()
    ecs1 = await core.trustedEcs(ECS1)
    ecs2 = await core.trustedEcs(ECS2)
    await core.trustedEcs(ECS3, 'nef')
    nef = await core.nef()
    keys = await authenticated(await core.seafAgain())
  })
  after(() => core.close())

  test('KE-04: each ECS gets the key of its own name, whatever the message says', async () => {
    const { kedgeId } = keys
    const first = await ecs1.keyRequest({ kedgeId, eecId })
    assert.equal(first.body.kedge, kecs(keys, ECS1))
    assert.equal((await ecs2.keyRequest({ kedgeId, eecId })).body.kedge, kecs(keys, ECS2))
    assert.notEqual(kecs(keys, ECS1), kecs(keys, ECS2))
    const already = core.ausf.alarms.count('foreign-ecs-named')
    const claimed = await ecs1.keyRequest({ kedgeId, eecId, ecsFqdn: ECS2 })
    assert.equal(claimed.body.kedge, kecs(keys, ECS1))
    assert.equal(core.ausf.alarms.count('foreign-ecs-named'), already + 1)
    const bySelf = await ecs1.keyRequest({ kedgeId, eecId, ecsFqdn: ECS1.toUpperCase() })
    assert.equal(bySelf.body.kedge, kecs(keys, ECS1))
    assert.equal(core.ausf.alarms.count('foreign-ecs-named'), already + 1)
  })

  test('KE-05: each EEC has a key of its own, and none without a name', async () => {
    const { kedgeId } = keys
    assert.equal((await ecs1.keyRequest({ kedgeId, eecId: 'eec-2' })).body.kedge, kecs(keys, ECS1, 'eec-2'))
    assert.equal((await ecs1.keyRequest({ kedgeId })).body.cause, 'MANDATORY_IE_MISSING')
    for (const wrong of ['', 'a b', '../x', 'x'.repeat(129)]) {
      assert.equal((await ecs1.keyRequest({ kedgeId, eecId: wrong })).body.cause, 'MANDATORY_IE_INCORRECT', wrong)
    }
  })

  test('KE-06: whoever is not an ECS of the list or a NEF gets no key, and is counted', async () => {
    const { kedgeId } = keys
    const { issuers } = ecs1.domain
    const already = core.ausf.alarms.count('caller-refused')
    const unlisted = { role: 'ecs', fqdn: fqdn('ecs9.edge.example.com') } as const
    const refused = [await core.seafAgain(), core.caller((await certified(issuers['ecs-issuer'], unlisted)).credential)]
    for (const caller of refused) {
      const answer = await caller.keyRequest({ kedgeId, eecId })
      assert.deepEqual([answer.status, answer.body.cause], [403, 'ECS_NOT_AUTHORIZED'])
    }
    assert.equal(core.ausf.alarms.count('caller-refused'), already + refused.length)

    const cut = core.ausf.alarms.count('certificate-refused')
    const registrationId = systemRandom.uuid() as RegistrationId
    const strangers = [
      await certified(issuers['ees-issuer'], { role: 'ees', fqdn: ECS1, registrationId }),
      await certified(issuers['operator-issuer'], { role: 'operator', name: 'admin' }),
    ]
    for (const { credential } of strangers) {
      await assert.rejects(core.caller(credential).keyRequest({ kedgeId, eecId }), { name: 'PeerUnavailable' })
    }
    assert.equal(core.ausf.alarms.count('certificate-refused'), cut + strangers.length)
    for (const each of [ecs1, nef]) {
      const answer = await each.call('POST', NAUSF.Authenticate.path, { supiOrSuci: SUPI, servingNetworkName: 'x' })
      assert.equal(answer.status, 403, 'neither may authenticate')
    }
    const forgotten = await (await core.seafAgain()).call('POST', NAUSF.Deregister.path, { supi: SUPI })
    assert.deepEqual([forgotten.status, forgotten.body.cause], [403, 'POLICY_DENIED'])
    assert.equal((await ecs1.keyRequest({ kedgeId, eecId })).status, 200)
  })

  test('KE-07: unknown, foreign and misrouted Kedge IDs get the same octets', async () => {
    const { kedgeId } = keys
    const wrong = [
      unknownId(),
      kedgeId.replace('rid0', 'rid1'),
      kedgeId.replace('mnc001', 'mnc002'),
      kedgeId.replace('5gc.', '5gc.nid00000000001.'),
    ]
    const already = core.ausf.alarms.count('key-id-unknown')
    const answers = await Promise.all(wrong.map((each) => ecs1.keyRequest({ kedgeId: each, eecId })))
    for (const { status, text } of answers) {
      assert.equal(status, 404)
      assert.equal(text, answers[0]?.text)
    }
    assert.match(answers[0]?.text ?? '', /KEDGE_NOT_FOUND/)
    assert.equal(core.ausf.alarms.count('key-id-unknown'), already + wrong.length)
  })

  test('KE-07: guesses find nothing, and the limit of one caller is not that of another', async (t) => {
    const limited = await runCore()
    t.after(() => limited.close())
    await limited.changeConfiguration('ausf', () => ({ keyRequests: { perSecond: 0.01, burst: 40 } }))
    await limited.restartAusf()
    const [guesser, honest] = [await limited.trustedEcs(ECS1), await limited.trustedEcs(ECS2)]
    const guesses = Array.from({ length: 100 }, () => guesser.keyRequest({ kedgeId: unknownId(), eecId }))
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    assert.deepEqual(
      [404, 429].map((status) => statuses.filter((each) => each === status).length),
      [40, 60],
    )
    assert.equal(limited.ausf.alarms.count('rate-limit'), 60)
    const { kedgeId } = await authenticated(await limited.seafAgain())
    assert.equal((await guesser.keyRequest({ kedgeId, eecId })).status, 429)
    assert.equal((await honest.keyRequest({ kedgeId, eecId })).status, 200)
  })

  const needsQuiet =
    process.env['EDGEWARD_DEEP'] === undefined ? 'it needs a machine of its own: npm run test:deep' : false
  test('KE-07: 50,000 pairs do not tell a key that is there for others from none', { skip: needsQuiet }, async (t) => {
    const timed = await runCore()
    t.after(() => timed.close())
    await timed.changeConfiguration('ausf', () => ({ keyRequests: { perSecond: 100_000, burst: 100_000 } }))
    await timed.restartAusf()
    const guesser = await timed.trustedEcs(ECS1)
    const { kedgeId: there } = await authenticated(await timed.seafAgain())
    const ids = { unknown: unknownId(), misrouted: there.replace('rid0', 'rid1') }
    const times = { unknown: [] as number[], misrouted: [] as number[] }
    const measure = async (kind: keyof typeof ids) => {
      const start = performance.now()
      const { status } = await guesser.keyRequest({ kedgeId: ids[kind], eecId })
      times[kind].push(performance.now() - start)
      assert.equal(status, 404)
    }
    for (let pair = 0; pair < 50_000; pair += 1) {
      const [first, second] =
        randomBytes(1).readUInt8() > 127 ? (['unknown', 'misrouted'] as const) : (['misrouted', 'unknown'] as const)
      await measure(first)
      await measure(second)
    }
    const { z } = rankSum(times.unknown, times.misrouted)
    assert.ok(Math.abs(z) < 4, `z = ${z}`)
  })

  test('KE-10: a NEF asks for the ECSs of its list, and for none that calls by itself', async () => {
    const { kedgeId } = keys
    const through = await nef.keyRequest({ kedgeId, eecId, ecsFqdn: ECS3 })
    assert.equal(through.body.kedge, kecs(keys, ECS3))
    const already = core.ausf.alarms.count('foreign-ecs-named')
    await core.changePeers((peers) =>
      peers.map((peer) => (peer.nfType === 'NEF' ? { ...peer, ecs: [{ fqdn: ECS3 }, { fqdn: ECS2 }] } : peer)),
    )
    for (const ecsFqdn of [ECS1, ECS2, 'ecs4.outside.example', 'nef.5gc.mnc001.mcc001.3gppnetwork.org']) {
      const answer = await nef.keyRequest({ kedgeId, eecId, ecsFqdn })
      assert.deepEqual([answer.status, answer.body.cause], [403, 'ECS_NOT_AUTHORIZED'], ecsFqdn)
    }
    assert.equal(core.ausf.alarms.count('foreign-ecs-named'), already + 4)
    assert.equal((await nef.keyRequest({ kedgeId, eecId })).body.cause, 'MANDATORY_IE_MISSING')
  })

  test('KE-09: for an ECS with an encryption key the NEF gets a JWE that only the ECS can read', async () => {
    const { kedgeId } = keys
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
    const encryptionKey = { kty, crv, x, y }
    await core.changePeers((peers) =>
      peers.map((peer) => (peer.nfType === 'NEF' ? { ...peer, ecs: [{ fqdn: ECS3, encryptionKey }] } : peer)),
    )
    const { body, text } = await nef.keyRequest({ kedgeId, eecId, ecsFqdn: ECS3 })
    const key = kecs(keys, ECS3)
    assert.equal(body.kedge, undefined)
    assert.equal(decryptJwe(body.kedgeJwe ?? '', createPrivateKey(pem(privateKey)))?.toString('hex'), key)
    for (const form of ['hex', 'base64', 'base64url'] as const) {
      assert.ok(!text.includes(Buffer.from(key, 'hex').toString(form)))
    }
  })

  test('KE-14: what is no Kedge ID is refused by its form, before any look into the store', async () => {
    const already = core.ausf.alarms.count('key-id-unknown')
    assert.ok(malformed.vectors.length >= 200)
    for (const { kedgeId } of malformed.vectors) {
      const answer = await ecs1.keyRequest({ kedgeId, eecId })
      assert.equal(answer.status, 400, JSON.stringify(kedgeId))
    }
    assert.equal(core.ausf.alarms.count('key-id-unknown'), already)
  })
})

const pem = (key: ReturnType<typeof createPrivateKey>) => key.export({ type: 'pkcs8', format: 'pem' })
