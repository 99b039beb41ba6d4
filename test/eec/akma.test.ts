import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { processApplicationKeyResponse } from '../../src/eec/authentication/edge-key.ts'
import { deriveKaf } from '../../src/keys/akma.ts'
import { formatAkmaPskIdentity } from '../../src/spec/a-kid.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { key } from '../keys/octets.ts'
import { A_KID, AKMA, type AServingUe, aServingUe, EEC_1, VECTOR } from '../ue/a-folder.ts'
import { json } from '../ue/a-home-network.ts'
import { anEcs, ECS, type EcsOptions } from './an-ecs.ts'
import { authenticateAt, K_ECS, KAF, recordedSteps } from './an-eec.ts'

const IDENTITY = formatAkmaPskIdentity(A_KID)

describe('EEC authentication by AKMA: TS 33.535 6.2.1, the side of the device', () => {
  let ue: AServingUe
  const closing: (() => void)[] = []
  const started = async (options: EcsOptions = {}) => {
    const ecs = await anEcs({ offer: ['TLS_AKMA', 'TLS_KEDGE'], keyProfile: 'literal', ...options })
    ecs.keys.set(IDENTITY, KAF)
    closing.push(ecs.close)
    return ecs
  }
  const attempt = (ecs: Awaited<ReturnType<typeof started>>, more = {}) =>
    authenticateAt(ecs, ue, { methods: ['TLS_AKMA'], ...more })
  before(async () => {
    ue = await aServingUe()
  })
  after(async () => {
    for (const close of closing) close()
    await ue.close()
  })

  test('the EEC fetches KAF, names A-KID, opens TLS with KAF, and provisions on that connection', async () => {
    const ecs = await started()
    const { steps, progress } = recordedSteps()
    const session = await attempt(ecs, { progress })
    assert.ok(await session.provision())
    session.close()
    assert.deepEqual(steps, [
      `TS 33.558 6.2: EEC -> ${ECS}`,
      'TS 33.535 6.2.1 step 1: EEC -> UE',
      `TS 33.535 6.2.1 step 1: EEC -> ${ECS}`,
      `TS 33.535 Annex B: EEC -> ${ECS}`,
    ])
    assert.deepEqual(
      ecs.received.map(({ body, identity }) => ({ body, identity })),
      [
        { body: { eecId: EEC_1, aKId: A_KID }, identity: undefined },
        { body: { eecId: EEC_1 }, identity: IDENTITY },
      ],
    )
    assert.deepEqual(ecs.offered, [IDENTITY])
  })

  test('KE-04: KAF of another ECS opens nothing, and nothing else is tried', async () => {
    const ecs = await started()
    ecs.keys.set(IDENTITY, deriveKaf(key('KAKMA', AKMA.kakma), fqdn('ecs-b.example.com')))
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    await assert.rejects(attempt(ecs, { methods: ['TLS_AKMA', 'TLS_KEDGE'] }), { step: 'TLS with KAF' })
    assert.deepEqual([ecs.offered, ecs.failures], [[IDENTITY], ['ERR_SSL_BINDER_DOES_NOT_VERIFY']])
  })

  for (const [name, options, step] of [
    ['does not know A-KID', { answer: { status: 404, body: { cause: 'KEDGE_NOT_FOUND' } } }, 'A-KID'],
    ['cannot ask for KAF now', { answer: { status: 503, body: { cause: 'NF_CONGESTION' } } }, 'A-KID'],
    ['asks for a key of one EEC', { keyProfile: 'bound' }, 'A-KID'],
    ['leads to another host', { pskEndpoint: 'https://other.example.com:8443' }, 'A-KID'],
    ['takes Kedge alone', { offer: ['TLS_KEDGE'] }, 'negotiation'],
  ] as const) {
    test(`NG-03: an ECS that ${name} gets no handshake, and no other method is tried`, async () => {
      const ecs = await started(options)
      await assert.rejects(attempt(ecs), { name: 'AuthenticationStepFailed', step })
      assert.deepEqual([ecs.offered, ecs.received.length], [[], step === 'negotiation' ? 0 : 1])
    })
  }

  test('NG-03: a UE without keys gives none, and the ECS hears nothing', async () => {
    const [ecs, fresh] = [await started(), await aServingUe({ keys: false })]
    await assert.rejects(attempt(ecs, { credential: fresh.credential(EEC_1) }), { step: 'KAF', message: /KEDGE_NOT/ })
    await fresh.close()
    assert.deepEqual([ecs.received, ecs.offered], [[], []])
  })
})

describe('what the UE answers to its EEC: TS 33.535 6.2.1 step 1', () => {
  const ANSWER = { aKId: A_KID, pskIdentity: IDENTITY, psk: KAF.export().toString('hex') }

  test('KE-11: the key is taken over, and its octets leave the answer', () => {
    const response = json(ANSWER)
    const { name, keyProfile, psk } = processApplicationKeyResponse(response)
    assert.deepEqual([name, keyProfile, psk.identity], [{ aKId: A_KID }, 'literal', IDENTITY])
    assert.ok(psk.key.equals(createSecretKey(KAF.export())))
    assert.ok(response.body.every((octet) => octet === 0))
  })

  for (const [name, response] of [
    ['under the name of Kedge', json({ ...ANSWER, pskIdentity: VECTOR.pskIdentity })],
    ['under A-KID without its prefix', json({ ...ANSWER, pskIdentity: A_KID })],
    ['of another A-KID', json({ ...ANSWER, aKId: A_KID.replace('rid0', 'rid1') })],
    ['of a Kedge ID', json({ ...ANSWER, aKId: VECTOR.kedgeId })],
    ['of 31 octets', json({ ...ANSWER, psk: ANSWER.psk.slice(2) })],
    ['in another media type', json(ANSWER, 200, 'text/html')],
    ['with another status', json(ANSWER, 201)],
  ] as const) {
    test(`a key ${name} is not taken`, () => {
      assert.throws(() => processApplicationKeyResponse(response), { name: 'AnswerNotAccepted' })
    })
  }
})
