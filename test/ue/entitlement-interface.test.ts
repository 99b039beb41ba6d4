import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemRandom } from '../../src/ports/random.ts'
import { lockExclusively } from '../../src/store/exclusive-lock.ts'
import { readCard } from '../../src/ue/adapters/card.ts'
import { readAllowed } from '../../src/ue/adapters/eec-list.ts'
import { sqnFile } from '../../src/ue/adapters/sqn-file.ts'
import { allowListRecord, hashOf, newToken, parseAllowList } from '../../src/ue/edge-interface/allow-list.ts'
import { EapRelay } from '../../src/ue/edge-interface/relay-eap.ts'
import { allowEec, insertUsim } from '../../src/ue/index.ts'
import { rootNai } from '../../src/ue/usim/root-nai.ts'
import { Challenger, methodPacket, ROOT_NAI } from './a-challenger.ts'
import { type AServingUe, aServingUe, EEC_1, EEC_2, insertion } from './a-folder.ts'
import { aSubscription, SUBSCRIPTION } from './a-home-network.ts'
import { type Answered, askUe, credentialOf } from './ask-ue.ts'

describe('EAP-AKA at the local interface of the UE: TR 33.739 6.25.2 step 1, TS.43 2.8.1', () => {
  let ue: AServingUe
  const server = new Challenger()
  const answers: Answered[] = []
  const post = async (operation: 'start' | 'respond', content: object, eec = EEC_1) => {
    const { token } = credentialOf(ue.credential(eec))
    const path = `/entitlement-eap/v1/${operation}`
    const answered = await askUe(ue.socket, token, { path, body: JSON.stringify(content) })
    answers.push(answered)
    return answered
  }
  const start = async () => String((await post('start', { eecId: EEC_1 })).body['session'])
  const respond = async (session: string, packet: Buffer) => {
    const answered = await post('respond', { eecId: EEC_1, session, eapPacket: packet.toString('base64') })
    return { ...answered, packet: Buffer.from(String(answered.body['eapPacket'] ?? ''), 'base64') }
  }
  const causeOf = ({ status, body }: Answered) => [status, body['cause']]

  before(async () => {
    ue = await aServingUe({ entitlement: true })
  })
  after(() => ue.close())

  test('the EEC learns the root NAI, carries the challenge, and the USIM answers it', async () => {
    const { status, headers, body } = await post('start', { eecId: EEC_1 })
    assert.deepEqual([status, headers['cache-control'], body['eapId']], [200, 'no-store', ROOT_NAI])
    const { packet } = await respond(String(body['session']), server.challenge())
    assert.equal(server.accepts(packet), true)
  })

  test('SQN is on disk when the response has left', async () => {
    const before = Math.max(...(await sqnFile(ue.ue.folder, (await readCard(ue.ue)).id).load()).seqMs)
    const answered = await respond(await start(), server.challenge())
    assert.equal(server.accepts(answered.packet), true)
    const after = Math.max(...(await sqnFile(ue.ue.folder, (await readCard(ue.ue)).id).load()).seqMs)
    assert.equal(after, before + 1)
  })

  test('EN-03: a challenge is answered once, and in the exchange of this EEC that is open', async () => {
    const session = await start()
    const challenge = server.challenge()
    assert.equal(server.accepts((await respond(session, challenge)).packet), true)
    assert.equal(methodPacket((await respond(session, challenge)).packet).subtype, 'client-error')
    const next = await start()
    assert.equal(methodPacket((await respond(next, challenge)).packet).subtype, 'synchronization-failure')
    assert.deepEqual(causeOf(await respond(session, server.challenge())), [404, 'CONTEXT_NOT_FOUND'])
  })

  test('an EEC that is not permitted learns no IMSI and gets no response', async () => {
    assert.deepEqual(causeOf(await post('start', { eecId: EEC_2 }, EEC_2)), [403, 'POLICY_DENIED'])
    const session = await start()
    const eapPacket = server.challenge().toString('base64')
    const stolen = await post('respond', { eecId: EEC_2, session, eapPacket }, EEC_2)
    assert.deepEqual(causeOf(stolen), [403, 'POLICY_DENIED'])
  })

  test('NG-04: an EEC that names another one gets nothing', async () => {
    assert.deepEqual(causeOf(await post('start', { eecId: EEC_1 }, EEC_2)), [403, 'EEC_MISMATCH'])
    assert.deepEqual(causeOf(await post('start', { eecId: EEC_2 })), [403, 'EEC_MISMATCH'])
  })

  test('another EEC that is permitted has exchanges of its own', async () => {
    await allowEec(ue.ue, EEC_2, systemRandom, { entitlement: true })
    const session = await start()
    const eapPacket = server.challenge().toString('base64')
    assert.deepEqual(causeOf(await post('respond', { eecId: EEC_2, session, eapPacket }, EEC_2)), [
      404,
      'CONTEXT_NOT_FOUND',
    ])
    await allowEec(ue.ue, EEC_2, systemRandom)
    assert.deepEqual(causeOf(await post('start', { eecId: EEC_2 }, EEC_2)), [403, 'POLICY_DENIED'])
  })

  test('what is no EAP packet is refused', async () => {
    const session = await start()
    for (const eapPacket of ['!!!!!!!!', 'AAAAAAAA', Buffer.from('success').toString('base64')]) {
      const answered = await post('respond', { eecId: EEC_1, session, eapPacket })
      assert.deepEqual(causeOf(answered), [400, 'MANDATORY_IE_INCORRECT'])
    }
  })

  test('while another process has the USIM, the EEC is told to come again', async () => {
    const unlock = lockExclusively(`${ue.ue.folder}/usim.lock`)
    try {
      assert.deepEqual(causeOf(await respond(await start(), server.challenge())), [503, 'NF_CONGESTION'])
    } finally {
      unlock()
    }
  })

  test('with another USIM the exchange is over', async () => {
    const session = await start()
    const other = aSubscription({ supi: 'imsi-001010000000002' })
    await insertUsim(ue.ue.folder, other, insertion({ replace: true }))
    assert.deepEqual(causeOf(await respond(session, server.challenge())), [404, 'CONTEXT_NOT_FOUND'])
  })

  test('KE-11: no key leaves the UE, and its log names no IMSI, no RES and no token', async () => {
    const said = JSON.stringify(answers)
    const { res, ck, ik } = { res: server.vector?.xres ?? assert.fail(), ...(server.vector ?? assert.fail()) }
    for (const key of [ck.export(), ik.export(), (server.kAut ?? assert.fail()).export()]) {
      for (const form of ['hex', 'base64', 'base64url'] as const) assert.ok(!said.includes(key.toString(form)))
    }
    const logged = ue.logged.join('\n')
    for (const secret of [SUBSCRIPTION.supi.slice(5), res.toString('hex'), credentialOf(ue.credential(EEC_1)).token]) {
      assert.ok(!logged.includes(secret), secret)
    }
    assert.match(logged, /EAP request answered/)
  })
})

describe('who may have the subscriber authenticated', () => {
  test('an exchange is open for five minutes', async () => {
    let now = 0
    const subscriber = { identity: ROOT_NAI, authenticate: async () => ({ outcome: 'mac-failure' }) as const }
    const relay = new EapRelay({
      subscriber: async () => subscriber,
      clock: { monotonic: () => now },
      random: systemRandom,
    })
    const caller = { eecId: EEC_1, tokenHash: '', entitlement: true }
    const { session } = await relay.start(caller, { eecId: EEC_1 })
    const request = { eecId: EEC_1, session, eapPacket: new Challenger().challenge().toString('base64') }
    now = 299_999
    assert.ok(await relay.respond(caller, request))
    now = 300_000
    await assert.rejects(relay.respond(caller, request), { code: 'CONTEXT_NOT_FOUND' })
  })

  test('a subscription without IMSI has no root NAI, and no exchange', async () => {
    const { settings } = aSubscription({ supi: 'nai-user@example.org' })
    assert.equal(rootNai(settings), undefined)
    const relay = new EapRelay({
      subscriber: async () => undefined,
      clock: { monotonic: () => 0 },
      random: systemRandom,
    })
    const caller = { eecId: EEC_1, tokenHash: '', entitlement: true }
    await assert.rejects(relay.start(caller, { eecId: EEC_1 }), { code: 'USER_NOT_FOUND' })
  })

  test('TS 23.003 19.3.2: the MNC of a root NAI has three digits', () => {
    const { settings } = aSubscription({ supi: 'imsi-310410123456789', homeNetwork: { mcc: '310', mnc: '410' } })
    assert.equal(rootNai(settings), '0310410123456789@nai.epc.mnc410.mcc310.3gppnetwork.org')
  })

  test('the allow-list keeps what each EEC is permitted, and what is no permission is no list', async () => {
    const tokenHash = hashOf(newToken(systemRandom))
    const allowed = new Map([
      [EEC_1, { tokenHash, entitlement: true }],
      [EEC_2, { tokenHash, entitlement: false }],
    ])
    const record: unknown = JSON.parse(JSON.stringify(allowListRecord(allowed)))
    assert.deepEqual(record, { [EEC_1]: { tokenHash, entitlement: true }, [EEC_2]: tokenHash })
    assert.deepEqual(parseAllowList(record), allowed)
    const damaged = [
      { tokenHash },
      { tokenHash, entitlement: 'yes' },
      { tokenHash: 'x', entitlement: true },
      null,
      [tokenHash],
      1,
    ]
    for (const value of damaged) assert.equal(parseAllowList({ [EEC_1]: value }), undefined)
  })

  test('a second credential ends what the first was permitted', async (t) => {
    const ue = await aServingUe({ entitlement: true })
    t.after(() => ue.close())
    assert.equal((await readAllowed(ue.ue.folder)).get(EEC_1)?.entitlement, true)
    await allowEec(ue.ue, EEC_1, systemRandom)
    assert.equal((await readAllowed(ue.ue.folder)).get(EEC_1)?.entitlement, false)
  })
})
