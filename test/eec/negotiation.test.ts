import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AuthenticationStepFailed, type EecOptions } from '../../src/eec/index.ts'
import { formatAkmaPskIdentity } from '../../src/spec/a-kid.ts'
import { Challenger } from '../ue/a-challenger.ts'
import { A_KID, type AServingUe, aServingUe, VECTOR } from '../ue/a-folder.ts'
import { type AnEcs, anEcs, type EcsOptions } from './an-ecs.ts'
import { authenticateAt, K_ECS, KAF } from './an-eec.ts'
import { type AnEntitlementServer, anEntitlementServer, ENT } from './an-entitlement-server.ts'

describe('which method EEC and ECS take: TS 33.558 6.2, D-15', () => {
  let ue: AServingUe
  let ent: AnEntitlementServer
  const closing: (() => void)[] = []
  before(async () => {
    ue = await aServingUe({ entitlement: true })
    ent = await anEntitlementServer({ challenger: new Challenger() })
  })
  after(async () => {
    for (const close of closing) close()
    ent.close()
    await ue.close()
  })

  const started = async (options: EcsOptions = {}) => {
    const ecs = await anEcs(options)
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    ecs.keys.set(formatAkmaPskIdentity(A_KID), KAF)
    closing.push(ecs.close)
    return ecs
  }
  const profileOf = (method: string) => (method === 'TLS_AKMA' ? 'literal' : 'bound')
  const attempt = async (ecs: AnEcs, methods: EecOptions['methods']) => {
    const resolve = new Map([...ecs.resolve, [ENT as string, '127.0.0.1']])
    const session = await authenticateAt(ecs, ue, { entitlement: ent, resolve, ...(methods && { methods }) })
    closing.push(() => session.close())
    return session
  }

  test('the EEC takes the first of its own that is offered, whatever the order of the offer', async () => {
    for (const [offer, methods, path] of [
      [['ENTITLEMENT_TOKEN', 'TLS_KEDGE'], ['TLS_KEDGE', 'ENTITLEMENT_TOKEN'], '/eecs-authentication/v1/requests'],
      [['TLS_KEDGE', 'ENTITLEMENT_TOKEN'], ['ENTITLEMENT_TOKEN', 'TLS_KEDGE'], undefined],
      [['TLS_GBA', 'ENTITLEMENT_TOKEN'], ['TLS_KEDGE', 'ENTITLEMENT_TOKEN'], undefined],
    ] as const) {
      const ecs = await started({ offer })
      const session = await attempt(ecs, methods)
      assert.equal(ecs.received[0]?.path, path)
      assert.ok(await session.provision())
    }
  })

  for (const [name, offer] of [
    ['nothing', undefined],
    ['null', null],
    ['an empty list', []],
    ['"none"', ['none']],
    ['an empty name', ['']],
    ['methods that it cannot do', ['TLS_GBA', 'TLS_AKMA']],
    ['a method twice', ['TLS_KEDGE', 'TLS_KEDGE']],
    ['10,000 methods', Array.from({ length: 10_000 }, (_, at) => `M${at}`).concat('TLS_KEDGE')],
    ['a text', 'TLS_KEDGE'],
    ['an object', { 0: 'TLS_KEDGE', length: 1 }],
    ['names that are no text', [['TLS_KEDGE'], 1]],
  ] as const) {
    test(`NG-01: offered ${name}, the EEC stops with a sentence and sends nothing`, async () => {
      const ecs = await started({ offer })
      const error = await attempt(ecs, ['TLS_KEDGE', 'ENTITLEMENT_TOKEN']).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof AuthenticationStepFailed, String(error))
      assert.equal(error.step, 'negotiation')
      assert.match(error.message, /^TS 33\.558 6\.2 \(method of authentication\): (no method|the offer)/)
      assert.deepEqual([ecs.received, ecs.offered], [[], []])
    })
  }

  test('NG-03: what is below the floor is not tried, though it is offered', async () => {
    const ecs = await started({ offer: ['ENTITLEMENT_TOKEN'] })
    await assert.rejects(attempt(ecs, ['TLS_KEDGE']), { step: 'negotiation' })
    await assert.rejects(attempt(ecs, []), { step: 'negotiation' })
    const before = ent.asked.length
    const failing = await started()
    failing.keys.clear()
    await assert.rejects(attempt(failing, ['TLS_KEDGE', 'ENTITLEMENT_TOKEN']), { step: 7 })
    assert.equal(ent.asked.length, before, 'the method that comes second is not tried')
    assert.ok(failing.received.every(({ authorization }) => authorization === undefined))
  })

  for (const by of ['TLS_KEDGE', 'TLS_AKMA', 'ENTITLEMENT_TOKEN'] as const) {
    test(`NG-02: by ${by}, an ECS that offered more than the EEC has seen, or does not say, is not relied on`, async () => {
      for (const repeated of [['TLS_CLIENT_SERVER_CERTIFICATE', by], [], [by, by], null]) {
        const ecs = await started({ offer: [by], repeated, keyProfile: profileOf(by) })
        const session = await attempt(ecs, [by])
        await assert.rejects(session.provision(), { name: 'AnswerNotAccepted', message: /offered/ })
      }
      const ecs = await started({ offer: [by], keyProfile: profileOf(by) })
      assert.ok(await (await attempt(ecs, [by])).provision())
    })
  }
})
