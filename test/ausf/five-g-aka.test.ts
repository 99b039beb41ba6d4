import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deriveKseaf } from '../../src/keys/five-g-aka.ts'
import { withOctets } from '../../src/keys/key.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { NAUSF_UE_AUTHENTICATION as NAUSF, pathOf } from '../../src/spec/core-operations.ts'
import type { Av5gAka } from '../../src/spec/messages/ue-authentication.ts'
import { fixedRand } from '../udm/a-udm.ts'
import {
  authCtxIdOf,
  authenticate,
  authenticated,
  autsOf,
  confirm,
  ECS1,
  edgeKeysOf,
  type RunningCore,
  runCore,
  SERVING_NETWORK,
  SET_1,
  SUPI,
  ueAnswer,
} from './a-core.ts'

const UNKNOWN = 'imsi-001019999999999'
const vectorOf = (body: { '5gAuthData'?: unknown }) => body['5gAuthData'] as Av5gAka

describe('5G AKA with the vectors of TS 35.208 set 1, through UDM and AUSF', () => {
  test('TS 33.501 6.1.3.2, TR 33.839 6.x.2.1 steps 0, 2, 5 and 6: from the challenge to K_ECS', async (t) => {
    const core = await runCore({ udm: fixedRand() })
    t.after(() => core.close())
    const ecs = await core.trustedEcs()
    const { seaf } = core

    // Step 0: primary authentication.
    const started = await authenticate(seaf)
    assert.equal(started.status, 201)
    assert.equal(started.headers['content-type'], 'application/3gppHal+json')
    assert.deepEqual(started.body, {
      authType: '5G_AKA',
      '5gAuthData': {
        rand: '23553cbe9637a89d218ae64dae47bf35',
        autn: '55f328b43577b9b94a9ffac354dfafb3',
        hxresStar: '20a71900b01776bfd773e8c15a825446',
      },
      _links: { '5g-aka': { href: `${started.headers['location']}/5g-aka-confirmation` } },
      servingNetworkName: SERVING_NETWORK,
    })
    const confirmed = await confirm(seaf, authCtxIdOf(started), 'F236A7417272BFB2D66D4D670733B527')
    assert.deepEqual(confirmed.body, {
      authResult: 'AUTHENTICATION_SUCCESS',
      supi: SUPI,
      kseaf: '8dff166c02edd5b177950d50cdd3fe93756cc53951856a95cb5ee9aabd35e220',
    })

    // Steps 5 and 6: the ECS asks with the Kedge ID of D-20a and gets K_ECS.
    const kedgeId = 'rid0.kid1a25d87e5ae4194bd5fb7238cdd5f989@edge.5gc.mnc001.mcc001.3gppnetwork.org'
    const asked = await ecs.keyRequest({ kedgeId, eecId: 'eec-1' })
    assert.equal(asked.status, 200)
    assert.equal(asked.headers['cache-control'], 'no-store')
    const { expiry, ...answer } = asked.body
    assert.deepEqual(answer, {
      kedgeId,
      keyScope: 'ECS',
      kedge: '83d8c991ffd798a9b02731860f249d4c00c9612f6a9745500c8889ca8976d8ee',
    })
    const left = Date.parse(expiry) - Date.now()
    assert.ok(left > 86_300_000 && left <= 86_400_000)
  })

  test('profile literal: Kedge itself, of the whole UE', async (t) => {
    const core = await runCore({ udm: fixedRand() })
    t.after(() => core.close())
    await core.changeConfiguration('ausf', () => ({ edge: { keyProfile: 'literal' } }))
    await core.restartAusf()
    const ecs = await core.trustedEcs()
    const { kedgeId } = await authenticated(await core.seafAgain())
    const { body } = await ecs.keyRequest({ kedgeId })
    assert.equal(body.kedge, 'a5161a66910913c81abc5e242c196be570bb4aeba9b4af40cd9609963c5ea1d6')
    assert.equal(body.keyScope, 'UE')
  })
})

describe('Nausf_UEAuthentication with 5G AKA: TS 29.509, TS 33.501 6.1.3.2', () => {
  let core: RunningCore
  before(async () => {
    core = await runCore({ subscribers: [{ ...SET_1, sqn: '000000000000' }] })
  })
  after(() => core.close())

  test('success: KSEAF and SUPI; the same answer again finds nothing', async () => {
    const { confirmed, authCtxId, resStar, kausf } = await authenticated(core.seaf)
    assert.equal(
      confirmed.body.kseaf,
      withOctets(deriveKseaf(kausf, SERVING_NETWORK), (key) => key.toString('hex')),
    )
    const again = await confirm(core.seaf, authCtxId, resStar)
    assert.deepEqual([again.status, again.body.cause], [404, 'CONTEXT_NOT_FOUND'])
  })

  test('a wrong RES*, or none, fails, tells no SUPI and leaves no second try', async () => {
    for (const wrong of ['00'.repeat(16), null]) {
      const started = await authenticate(core.seaf)
      const { rand, autn } = vectorOf(started.body)
      const failed = await confirm(core.seaf, authCtxIdOf(started), wrong)
      assert.deepEqual([failed.status, failed.body], [200, { authResult: 'AUTHENTICATION_FAILURE' }])
      const { resStar } = ueAnswer(Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex'))
      assert.equal((await confirm(core.seaf, authCtxIdOf(started), resStar)).status, 404)
    }
  })

  test('of ten confirmations at once exactly one succeeds', async () => {
    const started = await authenticate(core.seaf)
    const { rand, autn } = vectorOf(started.body)
    const { resStar } = ueAnswer(Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex'))
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => confirm(core.seaf, authCtxIdOf(started), resStar)),
    )
    const succeeded = answers.filter(({ body }) => body.authResult === 'AUTHENTICATION_SUCCESS')
    assert.equal(succeeded.length, 1)
    assert.ok(answers.every((answer) => succeeded.includes(answer) || answer.status === 404))
  })

  test('a challenge that is not answered in its time is over', async () => {
    const started = await authenticate(core.seaf)
    const { rand, autn } = vectorOf(started.body)
    const { resStar } = ueAnswer(Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex'))
    core.advance(60_001)
    assert.equal((await confirm(core.seaf, authCtxIdOf(started), resStar)).status, 404)
  })

  test('6.1.2: a serving network that is not that of the caller is refused before the UDM is asked', async () => {
    const before = (await core.udm.operator.list()).subscribers[0]?.sqnHe
    const refused = await authenticate(core.seaf, { servingNetworkName: '5G:mnc002.mcc001.3gppnetwork.org' })
    assert.deepEqual([refused.status, refused.body.cause], [403, 'SERVING_NETWORK_NOT_AUTHORIZED'])
    assert.equal((await core.udm.operator.list()).subscribers[0]?.sqnHe, before)
  })

  test('an unknown subscriber, a damaged SUCI and another kind of authentication are refused', async () => {
    const causeOf = async (change: object) => {
      const { status, body } = await authenticate(core.seaf, change)
      return [status, body.cause]
    }
    assert.deepEqual(await causeOf({ supiOrSuci: UNKNOWN }), [404, 'USER_NOT_FOUND'])
    const suci = `suci-0-001-01-0-1-1-${'00'.repeat(45)}`
    assert.deepEqual(await causeOf({ supiOrSuci: suci }), [403, 'INVALID_SCHEME_OUTPUT'])
    assert.deepEqual(await causeOf({ nswoInd: true }), [403, 'AUTHENTICATION_REJECTED'])
    assert.deepEqual(await causeOf({ supiOrSuci: undefined }), [400, 'MANDATORY_IE_MISSING'])
  })

  test('another SEAF neither confirms nor resynchronises what this one began', async () => {
    const started = await authenticate(core.seaf)
    const { rand, autn } = vectorOf(started.body)
    const { resStar } = ueAnswer(Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex'))
    await core.changePeers((peers) => [
      ...peers.filter((peer) => peer.nfType !== 'NEF'),
      { ...peers.find((peer) => peer.nfType === 'AMF'), fqdn: 'nef.5gc.mnc001.mcc001.3gppnetwork.org', nfType: 'NEF' },
    ])
    const other = await core.nef()
    assert.equal((await confirm(other, authCtxIdOf(started), resStar)).status, 404)
    const auts = autsOf(Buffer.from(rand, 'hex')).toString('hex')
    const resynchronised = await authenticate(other, { resynchronizationInfo: { rand, auts } })
    assert.deepEqual([resynchronised.status, resynchronised.body.cause], [403, 'AUTHENTICATION_REJECTED'])
    assert.equal((await confirm(core.seaf, authCtxIdOf(started), resStar)).body.authResult, 'AUTHENTICATION_SUCCESS')
  })

  test('6.1.3.3.2: one resynchronisation, of an open challenge, and no second', async () => {
    const started = await authenticate(core.seaf)
    const { rand } = vectorOf(started.body)
    const auts = autsOf(Buffer.from(rand, 'hex'), 2 ** 40).toString('hex')
    const again = await authenticate(core.seaf, { resynchronizationInfo: { rand, auts } })
    assert.equal(again.status, 201)
    const next = vectorOf(again.body)
    const { resStar } = ueAnswer(Buffer.from(next.rand, 'hex'), Buffer.from(next.autn, 'hex'))

    const replayed = await authenticate(core.seaf, { resynchronizationInfo: { rand, auts } })
    assert.deepEqual([replayed.status, replayed.body.cause], [403, 'AUTHENTICATION_REJECTED'])
    assert.equal((await confirm(core.seaf, authCtxIdOf(again), resStar)).body.authResult, 'AUTHENTICATION_SUCCESS')

    const third = vectorOf((await authenticate(core.seaf)).body)
    const first = autsOf(Buffer.from(third.rand, 'hex'), 2 ** 41).toString('hex')
    const fourth = await authenticate(core.seaf, { resynchronizationInfo: { rand: third.rand, auts: first } })
    const { rand: challenged } = vectorOf(fourth.body)
    const second = autsOf(Buffer.from(challenged, 'hex'), 2 ** 42).toString('hex')
    const refused = await authenticate(core.seaf, { resynchronizationInfo: { rand: challenged, auts: second } })
    assert.deepEqual([refused.status, refused.body.cause], [403, 'AUTHENTICATION_REJECTED'])
  })

  test('AUTS of another USIM is refused by the UDM', async () => {
    const { rand } = vectorOf((await authenticate(core.seaf)).body)
    const auts = autsOf(Buffer.from(rand, 'hex'), 2 ** 40, '00'.repeat(16)).toString('hex')
    const refused = await authenticate(core.seaf, { resynchronizationInfo: { rand, auts } })
    assert.deepEqual([refused.status, refused.body.cause], [403, 'AUTHENTICATION_REJECTED'])
  })

  test('the result is taken back once, by the SEAF that has it, and under its method', async () => {
    const { authCtxId } = await authenticated(core.seaf)
    const eap = pathOf(NAUSF.DeleteEapAuthenticationResult, { authCtxId })
    assert.equal((await core.seaf.call('DELETE', eap)).status, 404)
    const own = pathOf(NAUSF.Delete5gAkaAuthenticationResult, { authCtxId })
    assert.equal((await core.seaf.call('DELETE', own)).status, 204)
    assert.equal((await core.seaf.call('DELETE', own)).status, 404)
    const random = pathOf(NAUSF.Delete5gAkaAuthenticationResult, { authCtxId: systemRandom.uuid() })
    assert.equal((await core.seaf.call('DELETE', random)).status, 404)
  })

  test('a subscriber who may not use the edge has no Kedge: D-22', async () => {
    const supi = 'imsi-001010000000002'
    await core.udm.operator.add([{ ...SET_1, supi, sqn: '000000000000', edge: false }])
    const { kausf, confirmed } = await authenticated(core.seaf, { supiOrSuci: supi })
    assert.equal(confirmed.body.authResult, 'AUTHENTICATION_SUCCESS')
    const ecs = await core.trustedEcs(ECS1)
    const { kedgeId } = edgeKeysOf(kausf, supi as typeof SUPI)
    assert.equal((await ecs.keyRequest({ kedgeId, eecId: 'eec-1' })).status, 404)
  })
})
