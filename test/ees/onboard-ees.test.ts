import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { spkiSha256 } from '../../src/certificates/public-key.ts'
import { onboardEes } from '../../src/ees/onboarding/onboard-ees.ts'
import { PeerUnavailable } from '../../src/http/client.ts'
import { aStore } from './a-store.ts'
import { anEcs, connectionsTo, EES_ID, lostAnswer, PROFILE, problem, type Script } from './an-ecs.ts'

const POST = 'POST /eecs-eesregistration/v1/registrations'

async function aStage(answers: NonNullable<Script['answers']> = {}, channelBinding?: () => Buffer | undefined) {
  const ecs = await anEcs({ answers })
  const { connect, opened } = connectionsTo(ecs, channelBinding && { channelBinding })
  const { store, did, kept } = aStore()
  const waited: number[] = []
  let now = Date.now()
  const ports = {
    store,
    connect,
    clock: { now: () => now },
    random: { fraction: () => 0.5 },
    wait: async (milliseconds: number) => {
      waited.push(milliseconds)
    },
  }
  const bundle = ecs.bundle()
  const onboard = () => onboardEes(ports, bundle, { eesProf: PROFILE })
  const later = (milliseconds: number) => {
    now += milliseconds
  }
  return { ecs, opened, store, did, kept, waited, ports, bundle, onboard, later }
}

const keyOf = (body: unknown) =>
  spkiSha256(readCertificationRequest(JSON.parse(String(body)).onboardingInformation.csr).spki)

describe('EES onboarding, the side of the EES: TR 33.839 6.Y.2, figure 6.Y.2-1', () => {
  test('steps 1 to 5: the key is kept before it is used, the registration when it is whole', async () => {
    const stage = await aStage()
    const { registration, accessToken } = await stage.onboard()
    assert.deepEqual(stage.did, ['privateKey', 'create'])
    assert.deepEqual(stage.ecs.paths(), [POST])
    assert.equal(stage.opened[0]?.origin, stage.bundle.ecs.apiRoot)
    assert.equal(stage.opened[0]?.root, stage.bundle.root)
    assert.equal(stage.ecs.asked[0]?.certificate, undefined)
    assert.deepEqual(stage.kept(), registration)
    assert.ok(accessToken)
    assert.ok(stage.opened.every(({ closed }) => closed))
  })

  test('ON-05: an answer that is lost is asked for again with the same key, each time bound to its connection', async () => {
    let losses = 3
    const stage = await aStage({
      [POST]: async (_call, honest) => {
        const answer = await honest()
        return losses-- > 0 ? lostAnswer() : answer
      },
    })
    await stage.onboard()
    assert.equal(new Set(stage.ecs.asked.map(({ message }) => keyOf(message.body))).size, 1)
    const bindings = stage.ecs.asked.map(({ message, channelBinding }) => {
      const { csr } = JSON.parse(String(message.body)).onboardingInformation
      assert.equal(readCertificationRequest(csr).challengePassword, channelBinding?.toString('base64url'))
      return channelBinding?.toString('hex')
    })
    assert.equal(new Set(bindings).size, 4)
    assert.deepEqual(stage.waited, [375, 750, 1500])
    assert.equal(stage.did.filter((step) => step === 'create').length, 1)
  })

  test('ON-05: a later call, after a crash, still has the same key', async () => {
    const stage = await aStage({ [POST]: async () => lostAnswer() })
    await assert.rejects(stage.onboard(), { name: 'PeerUnavailable' })
    assert.equal(stage.kept(), undefined)
    delete stage.ecs.answers[POST]
    await stage.onboard()
    assert.equal(stage.ecs.asked.length, 5)
    assert.equal(new Set(stage.ecs.asked.map(({ message }) => keyOf(message.body))).size, 1)
  })

  test('ON-05: what was done is not done again, and nothing is sent', async () => {
    const stage = await aStage()
    const first = await stage.onboard()
    stage.later(24 * 3_600_000)
    const second = await stage.onboard()
    assert.deepEqual(second.registration, first.registration)
    assert.equal(stage.ecs.asked.length, 1)
  })

  test('a folder of one registration is not used for the bundle of another', async () => {
    const stage = await aStage()
    await stage.onboard()
    const other = { eesProf: { ...PROFILE, eesId: 'ees-2' } }
    await assert.rejects(onboardEes(stage.ports, stage.ecs.bundle({ eesId: 'ees-2' }), other), { name: 'NotUsable' })
    assert.equal(stage.kept()?.record.eesId, EES_ID)
  })

  test('an expired bundle, or the profile of another EES, is refused before anything is sent', async () => {
    const stage = await aStage()
    const other = { eesProf: { ...PROFILE, eesId: 'ees-2' } }
    await assert.rejects(onboardEes(stage.ports, stage.bundle, other), { name: 'NotUsable' })
    stage.later(61 * 60_000)
    await assert.rejects(stage.onboard(), { name: 'NotUsable', message: /expired/ })
    assert.deepEqual([stage.ecs.asked, stage.opened, stage.did], [[], [], []])
  })

  test('ON-03: without TLS 1.3 there is no channel binding, and no token is sent', async () => {
    const stage = await aStage({}, () => undefined)
    await assert.rejects(stage.onboard(), { name: 'AnswerNotAccepted', message: /TLS 1\.3/ })
    assert.deepEqual(stage.ecs.asked, [])
  })

  test('ON-07: an ECS whose certificate is not trusted is asked once, and not again', async () => {
    const stage = await aStage()
    let asked = 0
    const connect = () => ({
      request: async () => assert.fail('a message was sent'),
      channelBinding: async () => {
        asked++
        throw new PeerUnavailable('connect', 'self-signed certificate in certificate chain')
      },
      close: () => {},
    })
    const ports = { ...stage.ports, connect }
    await assert.rejects(onboardEes(ports, stage.bundle, { eesProf: PROFILE }), { name: 'PeerUnavailable' })
    assert.equal(asked, 1)
    assert.deepEqual(stage.waited, [])
  })

  test('ON-01: a token that was used is not sent again', async () => {
    const stage = await aStage({ [POST]: () => problem(401, 'ONBOARDING_TOKEN_USED') })
    await assert.rejects(stage.onboard(), { name: 'RefusedByServer', code: 'ONBOARDING_TOKEN_USED' })
    assert.equal(stage.ecs.asked.length, 1)
    assert.equal(stage.kept(), undefined)
  })

  test('AV-01: an ECS that is busy is given the time that it asks for, within reason', async () => {
    const answers = [
      problem(503, 'NF_CONGESTION', { 'retry-after': '3' }),
      problem(429, 'X', { 'retry-after': '9999' }),
    ]
    const stage = await aStage({ [POST]: (_call, honest) => answers.shift() ?? honest() })
    await stage.onboard()
    assert.deepEqual(stage.waited, [3_000, 8_000])
  })

  test('an answer that is not accepted leaves nothing behind but the key', async () => {
    const stage = await aStage({
      [POST]: async (_call, honest) => ({ ...(await honest()), status: 200 }),
    })
    await assert.rejects(stage.onboard(), { name: 'AnswerNotAccepted' })
    assert.deepEqual(stage.did, ['privateKey'])
    assert.equal(stage.kept(), undefined)
  })
})
