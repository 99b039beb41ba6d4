import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { AuthenticationStepFailed, type EecOptions } from '../../src/eec/index.ts'
import { newUsimSqnState } from '../../src/keys/sqn.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { verifyDpopProof } from '../../src/tokens/dpop-proof.ts'
import { readCard } from '../../src/ue/adapters/card.ts'
import { sqnFile } from '../../src/ue/adapters/sqn-file.ts'
import { allowEec, disallowEec, insertUsim } from '../../src/ue/index.ts'
import { Challenger, ROOT_NAI } from '../ue/a-challenger.ts'
import { type AServingUe, aServingUe, EEC_1, insertion } from '../ue/a-folder.ts'
import { aSubscription } from '../ue/a-home-network.ts'
import { type AnEcs, anEcs, ECS, type EcsOptions } from './an-ecs.ts'
import { authenticateAt, recordedSteps } from './an-eec.ts'
import { type AnEntitlementServer, anEntitlementServer, ENT, type EntOptions } from './an-entitlement-server.ts'

const PROVISION = '/eecs-serviceprovisioning/v1/request'

describe('EEC authentication by a token: TR 33.739 6.25.2, the side of the device', () => {
  let ue: AServingUe
  let folder: string
  const closing: (() => void | Promise<void>)[] = []
  const challenger = new Challenger()
  const startedEnt = async (options: EntOptions = {}) => {
    const ent = await anEntitlementServer({ challenger, ...options })
    closing.push(ent.close)
    return ent
  }
  const startedEcs = async (options: EcsOptions = {}) => {
    const ecs = await anEcs(options)
    closing.push(ecs.close)
    return ecs
  }
  const anotherUe = async (options: Parameters<typeof aServingUe>[0] = { entitlement: true }) => {
    const another = await aServingUe(options)
    closing.push(another.close)
    return another
  }
  const authenticateWith = (
    ent: Pick<AnEntitlementServer, 'server' | 'root'>,
    ecs: AnEcs,
    { ue: device = ue, ...change }: Partial<EecOptions> & { ue?: AServingUe } = {},
  ) => {
    const resolve = new Map([...ecs.resolve, [ENT as string, '127.0.0.1']])
    return authenticateAt(ecs, device, { methods: ['ENTITLEMENT_TOKEN'], entitlement: ent, resolve, ...change })
  }

  before(async () => {
    ue = await aServingUe({ entitlement: true })
    folder = await mkdtemp(join(tmpdir(), 'eec-'))
  })
  after(async () => {
    for (const close of closing) await close()
    await ue.close()
    await rm(folder, { recursive: true })
  })

  test('steps 1 and 2: EAP-AKA at the entitlement server, then the token with a proof at the ECS', async () => {
    const [ent, ecs] = [await startedEnt(), await startedEcs()]
    const { steps, progress } = recordedSteps()
    const session = await authenticateWith(ent, ecs, { progress })
    assert.ok(await session.provision())
    session.close()
    assert.deepEqual(steps, [
      `TS 33.558 6.2: EEC -> ${ECS}`,
      `TR 33.739 6.25.2 step 1: EEC -> ${ENT}`,
      'TR 33.739 6.25.2 step 1: EEC -> UE',
      `TR 33.739 6.25.2 step 1: EEC -> ${ENT}`,
      `TR 33.739 6.25.2 step 2: EEC -> ${ECS}`,
    ])
    const [first, second] = ent.asked
    assert.deepEqual(
      [first?.body['app'], first?.body['operation'], first?.body['client_id'], first?.body['scope']],
      ['ap2015', 'AcquireOperatorToken', EEC_1, `edge:${ECS}`],
    )
    assert.equal(first?.body['EAP_ID'], ROOT_NAI)
    assert.equal(first?.headers['user-agent'], second?.headers['user-agent'])
    assert.match(String(first?.headers['user-agent']), /^PRD-TS43 term-\w+\/\w+ client-[\w-]+\/[\d.]+ OS-\w+\/[\d.]+$/)
    assert.match(String(second?.headers['cookie']), /^session=[\w-]+$/)
  })

  test('RFC 9449: the key of the proof at the entitlement server is the one of each proof at the ECS', async () => {
    const [ent, ecs] = [await startedEnt(), await startedEcs()]
    const session = await authenticateWith(ent, ecs)
    await session.provision()
    await session.provision()
    session.close()
    const now = Date.now()
    const asked = ent.asked[0]?.headers['dpop'] ?? assert.fail('no proof')
    const bound = await verifyDpopProof(asked, { method: 'POST', uri: `${ent.server}/`, now })
    const shown = await Promise.all(
      ecs.received.map(async ({ path, authorization = '', dpop = '' }) => {
        assert.equal(path, PROVISION)
        const token = authorization.replace('DPoP ', '')
        assert.equal(token, `entitlement.${Buffer.from(`edge:${ECS}`).toString('base64url')}.signature`)
        return verifyDpopProof(dpop, { method: 'POST', uri: `${ecs.apiRoot}${path}`, token, now })
      }),
    )
    assert.deepEqual([...new Set(shown.map(({ jkt }) => jkt))], [bound.jkt])
    assert.equal(new Set(shown.map(({ jti }) => jti)).size, 2)
  })

  test('KE-11: a session prints no token and no key', async () => {
    const [ent, ecs] = [await startedEnt(), await startedEcs()]
    const session = await authenticateWith(ent, ecs)
    await session.provision()
    session.close()
    const shown = inspect(session, { depth: 20, showHidden: true }) + JSON.stringify(session)
    const tokens = [...ent.subscriber.tokens, ecs.received[0]?.authorization?.replace('DPoP ', '') ?? assert.fail()]
    for (const token of tokens) assert.ok(!shown.includes(token))
    assert.ok(shown.includes(ECS))
  })

  test('TS.43 2.8.5: with a state the next time goes by the authentication token, with the same key and terminal', async () => {
    const [ent, ecs, state] = [await startedEnt(), await startedEcs(), join(folder, 'fast')]
    for (const _ of [1, 2]) (await authenticateWith(ent, ecs, { state })).close()
    const bodies = ent.asked.map(({ body }) => body)
    assert.equal(bodies.length, 3)
    assert.match(bodies[2]?.['token'] ?? '', /^fast-/)
    assert.equal(bodies[2]?.['EAP_ID'], undefined, 'the IMSI does not travel again')
    assert.equal(bodies[2]?.['terminal_id'], bodies[0]?.['terminal_id'])
    const [one, two] = await Promise.all(
      [0, 2].map(async (at) => {
        const proof = ent.asked[at]?.headers['dpop'] ?? ''
        return verifyDpopProof(proof, { method: 'POST', uri: `${ent.server}/`, now: Date.now() })
      }),
    )
    assert.equal(one?.jkt, two?.jkt)
    assert.equal((await stat(state)).mode & 0o777, 0o600)
  })

  test('a fast authentication token that has ended leads to EAP-AKA, which is stronger, and to nothing else', async () => {
    const [ent, ecs, state] = [await startedEnt(), await startedEcs(), join(folder, 'ended')]
    ;(await authenticateWith(ent, ecs, { state })).close()
    ent.subscriber.tokens.clear()
    ;(await authenticateWith(ent, ecs, { state })).close()
    const bodies = ent.asked.slice(2).map(({ body }) => Object.keys(body))
    assert.ok(bodies[0]?.includes('token') && bodies[1]?.includes('EAP_ID') && bodies[2]?.includes('eap-relay-packet'))
  })

  test('the authentication token of one server is not shown to another', async () => {
    const [ent, ecs, state] = [await startedEnt(), await startedEcs(), join(folder, 'elsewhere')]
    ;(await authenticateWith(ent, ecs, { state })).close()
    const kept = JSON.parse(await readFile(state, 'utf8')) as { authenticationToken: object }
    const authenticationToken = { ...kept.authenticationToken, server: 'aes.example.org' }
    await writeFile(state, JSON.stringify({ ...kept, authenticationToken }))
    ;(await authenticateWith(ent, ecs, { state })).close()
    assert.equal(ent.asked.length, 4)
    assert.ok(ent.asked.every(({ body }) => body['token'] === undefined))
  })

  test('with another USIM the authentication token of before is not shown', async () => {
    const [ecs, state, device] = [await startedEcs(), join(folder, 'usim'), await anotherUe()]
    const ent = await startedEnt()
    ;(await authenticateWith(ent, ecs, { state, ue: device })).close()
    const other = aSubscription({ supi: 'imsi-001010000000002' })
    await insertUsim(device.ue.folder, other, insertion({ replace: true }))
    const failed = await failureOf(authenticateWith(ent, ecs, { state, ue: device }))
    assert.equal(failed.step, 'entitlement token')
    assert.equal(ent.asked[2]?.body['EAP_ID'], ROOT_NAI.replace('0000000001@', '0000000002@'))
    assert.ok(ent.asked.slice(2).every(({ body }) => body['token'] === undefined))
  })

  test('TS 33.102 6.3.5: a stale sequence number is resynchronised within the exchange', async () => {
    const [ent, ecs, device] = [await startedEnt(), await startedEcs(), await anotherUe()]
    const { id } = await readCard(device.ue)
    await sqnFile(device.ue.folder, id).save({ seqMs: newUsimSqnState().seqMs.map(() => 5_000) })
    ;(await authenticateWith(ent, ecs, { ue: device })).close()
    assert.equal(ent.asked.length, 3)
    assert.notEqual(ent.asked[1]?.headers['cookie'], ent.asked[2]?.headers['cookie'])
  })

  async function failureOf(attempt: Promise<unknown>): Promise<AuthenticationStepFailed> {
    const error = await attempt.then(
      () => assert.fail('it succeeded'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof AuthenticationStepFailed, String(error))
    return error
  }

  describe('NG-03: what fails is told, and no request without authentication leaves', () => {
    const silent = (ecs: AnEcs) => assert.deepEqual([ecs.received, ecs.offered], [[], []])

    test('NG-03: the entitlement server is down', async () => {
      const [ent, ecs] = [await startedEnt(), await startedEcs()]
      ent.close()
      const { step, message } = await failureOf(authenticateWith(ent, ecs))
      assert.deepEqual([step, message.split(' (')[0]], ['entitlement token', 'TR 33.739 6.25.2 step 1'])
      silent(ecs)
    })

    test('NG-03: the UE does not permit it, or no longer', async () => {
      const [ent, ecs, device] = [await startedEnt(), await startedEcs(), await anotherUe({ entitlement: false })]
      assert.match((await failureOf(authenticateWith(ent, ecs, { ue: device }))).message, /POLICY_DENIED/)
      await allowEec(device.ue, EEC_1, systemRandom, { entitlement: true })
      const state = join(folder, 'permitted')
      ;(await authenticateWith(ent, ecs, { ue: device, state })).close()
      const before = ent.asked.length
      const credential = device.credential(EEC_1)
      const text = await readFile(credential, 'utf8')
      await disallowEec(device.ue, EEC_1)
      await writeFile(credential, text, { mode: 0o600 })
      await failureOf(authenticateWith(ent, ecs, { ue: device, state }))
      assert.equal(ent.asked.length, before, 'also the authentication token stays where it is')
      silent(ecs)
    })

    test('NG-03: the entitlement server is one of another authority, or of another name', async () => {
      const [ent, other, ecs] = [await startedEnt(), await startedEnt(), await startedEcs()]
      await failureOf(authenticateWith({ server: ent.server, root: other.root }, ecs))
      const server = ent.server.replace(ENT, 'ent.example.com')
      const resolve = new Map([...ecs.resolve, ['ent.example.com', '127.0.0.1']])
      await failureOf(authenticateWith({ server, root: ent.root }, ecs, { resolve }))
      assert.deepEqual(ent.asked, [])
      silent(ecs)
    })

    test('NG-03: the token has expired: nothing more is sent', async () => {
      const [ent, ecs] = [await startedEnt({ lifetime: 1 }), await startedEcs()]
      const session = await authenticateWith(ent, ecs)
      while (Date.now() < session.expiresAt) await new Promise((resolve) => setTimeout(resolve, 50))
      await assert.rejects(session.provision(), { name: 'NotUsable', message: /expired/ })
      silent(ecs)
    })

    test('NG-03: the ECS refuses the token: that is what the caller hears', async () => {
      const [ent, ecs] = [await startedEnt(), await startedEcs({ provisioning: undefined, repeated: null })]
      const session = await authenticateWith(ent, ecs)
      await assert.rejects(session.provision(), { name: 'AnswerNotAccepted' })
      assert.equal(ecs.received.length, 1)
    })

    test('NG-03: an EEC without an entitlement server, or with a method that it cannot do, sends nothing', async () => {
      const ecs = await startedEcs()
      const attempt = authenticateAt(ecs, ue, { methods: ['TLS_KEDGE', 'ENTITLEMENT_TOKEN'] })
      await assert.rejects(attempt, { name: 'NotUsable', message: /ENTITLEMENT_TOKEN/ })
      silent(ecs)
    })

    const document = (change: object) => (_: unknown, honest: { body?: object | string }) => {
      const body = honest.body as { ap2015?: object }
      return body.ap2015 === undefined ? undefined : { body: { ...body, ap2015: { ...body.ap2015, ...change } } }
    }
    for (const [name, answer] of [
      ['says that it failed', document({ OperationResult: '100' })],
      ['says nothing of its result', document({ OperationResult: '' })],
      ['gives the token of another EEC', document({ ClientID: 'eec-2' })],
      ['gives a token with a line break', document({ OperatorToken: 'a\r\nx: y' })],
      ['gives no token', document({ OperatorToken: '' })],
      ['gives a token that has expired', document({ OperatorTokenExpiry: '2020-01-01T00:00:00Z' })],
      ['says no expiry', document({ OperatorTokenExpiry: 'soon' })],
      ['redirects', () => ({ status: 302, headers: { location: 'https://elsewhere.example.com/' } })],
      ['answers with XML', () => ({ headers: { 'content-type': 'text/vnd.wap.connectivity-xml' }, body: '<x/>' })],
      ['answers with nonsense', () => ({ body: '{"ap2015": {' })],
      ['sends EAP-Success', relayed(Buffer.from('03010004', 'hex').toString('base64'))],
      ['sends what is not base64', relayed('%%%%%%%%')],
      ['sends a cookie with a line break', () => ({ headers: { 'set-cookie': 'session="a b"' } })],
      ['asks again and again', undefined],
    ] as const) {
      test(`NG-03: a server that ${name} leads nowhere`, async () => {
        const again = relayed(endless)
        const [ent, ecs] = [await startedEnt({ answer: answer ?? again }), await startedEcs()]
        assert.equal((await failureOf(authenticateWith(ent, ecs))).step, 'entitlement token')
        assert.ok(ent.asked.length <= 8)
        silent(ecs)
      })
    }

    test('NG-03: no answer of any form is a token', async () => {
      const bodies = fc.oneof(fc.json({ maxDepth: 3 }), fc.string())
      let next = ''
      const [ent, ecs] = [await startedEnt({ answer: () => ({ body: next }) }), await startedEcs()]
      const check = fc.asyncProperty(bodies, async (body) => {
        next = body
        await failureOf(authenticateWith(ent, ecs))
      })
      await fc.assert(check, { numRuns: process.env['EDGEWARD_DEEP'] ? 500 : 20 })
      silent(ecs)
    })
  })

  describe('what is kept from one run to the next', () => {
    test('a state that others can read, or that is damaged, is not used', async () => {
      const [ent, ecs, state] = [await startedEnt(), await startedEcs(), join(folder, 'state')]
      ;(await authenticateWith(ent, ecs, { state })).close()
      const text = await readFile(state, 'utf8')
      await chmod(state, 0o640)
      await assert.rejects(authenticateWith(ent, ecs, { state }), { name: 'FileRefused' })
      await chmod(state, 0o600)
      const without = (member: string) => JSON.stringify({ ...JSON.parse(text), [member]: 'x' })
      for (const damaged of ['', '[]', text.slice(1), without('proofKey'), without('authenticationToken')]) {
        await writeFile(state, damaged)
        await assert.rejects(authenticateWith(ent, ecs, { state }), { name: 'NotUsable', message: /remove it/ })
      }
    })
  })
})

/** An identity request, which the UE answers three times. */
const endless = Buffer.from('0101000c170500000a010000', 'hex').toString('base64')

function relayed(packet: string) {
  const headers = { 'content-type': 'application/vnd.gsma.eap-relay.v1.0+json' }
  return () => ({ headers, body: { 'eap-relay-packet': packet } })
}
