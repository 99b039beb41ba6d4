import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { exchangeTable } from '../../src/entitlement/adapters/exchange-table.ts'
import {
  type AkaVector,
  continueRelay,
  type RelayPorts,
  startRelay,
} from '../../src/entitlement/authentication/eap-aka-relay.ts'
import { subscriberOfRootNai } from '../../src/entitlement/authentication/root-nai.ts'
import { deriveAkaKeys } from '../../src/keys/eap-aka.ts'
import {
  authenticationReject,
  challengeResponse,
  clientError,
  identityResponse,
  synchronizationFailure,
} from '../../src/keys/eap-packets.ts'
import { takeKey } from '../../src/keys/key.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { HOME, naiOf, SUPI } from './an-entitlement-server.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
/** MILENAGE set 1 of TS 35.208, and what it makes of RFC 4187 for this identity. */
const SET_1 = {
  rand: '23553cbe9637a89d218ae64dae47bf35',
  autn: '55f328b43577b9b94a9ffac354dfafb3',
  xres: 'a54211d5e3ba50bf',
  ck: 'b40ba9a3c58b2a05bbf0d987b21bf8cb',
  ik: 'f769bcd751044604127672711c6d3441',
  identity: '0001010000000001@nai.epc.mnc001.mcc001.3gppnetwork.org',
  challenge: 'AQEARBcBAAABBQAAI1U8vpY3qJ0hiuZNrke/NQIFAABV8yi0NXe5uUqf+sNU36+zCwUAAHVFswIHhI9pMNidco/B9Uw=',
  response: 'AgEAKBcBAAADAwBApUIR1eO6UL8LBQAA+ZNo8Erza2B+vRs2qxj6wQ==',
}
const USER_AGENT = 'PRD-TS43 a/b'

const vector = (): AkaVector => ({
  rand: hex(SET_1.rand),
  autn: hex(SET_1.autn),
  xres: hex(SET_1.xres),
  ck: takeKey('CK', hex(SET_1.ck)),
  ik: takeKey('IK', hex(SET_1.ik)),
})
const keys = () => deriveAkaKeys(SET_1.identity, vector().ik, vector().ck)

/** A server whose home network gives the vector of set 1 whatever it is asked. */
function aServer() {
  let time = 0
  const asked: unknown[] = []
  const ports: RelayPorts<string> = {
    homeNetwork: HOME,
    async generateAv(supi, resynchronisation) {
      asked.push([supi, resynchronisation?.auts.toString('hex')])
      return vector()
    },
    exchanges: exchangeTable({ random: systemRandom, monotonic: () => time, lifetime: 300_000 }),
  }
  return {
    ...ports,
    asked,
    start: (identity = SET_1.identity) => startRelay(ports, { identity, userAgent: USER_AGENT, asked: 'a token' }),
    bring: (session: string, octets: Buffer, userAgent = USER_AGENT) =>
      continueRelay(ports, { session, userAgent, octets }),
    wait(milliseconds: number) {
      time += milliseconds
    },
  }
}

const refused = (code: string) => ({ name: 'Refusal', code })

describe('the EAP-AKA relay: GSMA TS.43 2.8.1, RFC 4187 3', () => {
  test('the complete exchange with MILENAGE set 1, octet for octet', async () => {
    const ent = aServer()
    const { session, eapPacket } = await ent.start()
    assert.equal(eapPacket.toString('base64'), SET_1.challenge)
    const result = await ent.bring(session, Buffer.from(SET_1.response, 'base64'))
    assert.deepEqual(result, { outcome: 'authenticated', supi: SUPI, asked: 'a token' })
    assert.deepEqual(ent.asked, [[SUPI, undefined]])
  })

  test('each changed octet of the right response is refused, and ends the session', async () => {
    const ent = aServer()
    const right = Buffer.from(SET_1.response, 'base64')
    for (let at = 0; at < right.length; at += 1) {
      // Reserved fields are ignored on receipt (RFC 4187 8.1), but the MAC is over them as well.
      const changed = Buffer.from(right)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      const { session } = await ent.start()
      await assert.rejects(ent.bring(session, changed), { name: 'Refusal' }, `octet ${at}`)
      await assert.rejects(ent.bring(session, right), refused('EAP_EXCHANGE_INVALID'), `octet ${at}, again`)
    }
  })

  test('whatever else comes is refused, and nothing of it is our fault', async () => {
    const ent = aServer()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 120 }), fc.boolean(), async (octets, isAlmost) => {
        const { session } = await ent.start()
        const head = isAlmost ? Buffer.of(2, 1, 0, 8 + octets.length, 23, 1, 0, 0) : Buffer.alloc(0)
        await assert.rejects(ent.bring(session, Buffer.concat([head, octets])), Refusal)
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 100_000 : 500 },
    )
  })

  test('an identity message, another identifier, a checkcode over messages that there were not', async () => {
    const ent = aServer()
    const { kAut } = keys()
    const res = hex(SET_1.xres)
    const wrong = [
      identityResponse('EAP-AKA', 1, SET_1.identity),
      challengeResponse('EAP-AKA', { identifier: 2, res }, kAut),
      challengeResponse('EAP-AKA', { identifier: 1, res, checkcode: Buffer.alloc(20, 1) }, kAut),
    ]
    for (const packet of wrong) {
      const { session } = await ent.start()
      await assert.rejects(ent.bring(session, packet), refused('EAP_EXCHANGE_INVALID'))
    }
    const { session } = await ent.start()
    const empty = challengeResponse('EAP-AKA', { identifier: 1, res, checkcode: Buffer.alloc(0) }, kAut)
    assert.equal((await ent.bring(session, empty)).outcome, 'authenticated')
  })

  test('a client error is a refusal; of synchronisation failures one is made good', async () => {
    const ent = aServer()
    for (const declined of [clientError('EAP-AKA', 1), authenticationReject('EAP-AKA', 1)]) {
      const { session } = await ent.start()
      await assert.rejects(ent.bring(session, declined), refused('AUTHENTICATION_REJECTED'))
    }

    const auts = Buffer.alloc(14, 7)
    const { session } = await ent.start()
    const next = await ent.bring(session, synchronizationFailure('EAP-AKA', 1, auts))
    assert.ok(next.outcome === 'challenged')
    assert.deepEqual(ent.asked.at(-1), [SUPI, auts.toString('hex')])
    assert.equal(next.eapPacket[1], 2)
    await assert.rejects(
      ent.bring(next.session, synchronizationFailure('EAP-AKA', 2, auts)),
      refused('AUTHENTICATION_REJECTED'),
    )
    assert.equal(ent.asked.length, 4)
  })

  test('a session is good for 300 s, and for the terminal that began it', async () => {
    const ent = aServer()
    const right = Buffer.from(SET_1.response, 'base64')
    const other = await ent.start()
    await assert.rejects(ent.bring(other.session, right, 'another'), refused('EAP_EXCHANGE_INVALID'))
    const [late, inTime] = [await ent.start(), await ent.start()]
    ent.wait(299_999)
    assert.equal((await ent.bring(inTime.session, right)).outcome, 'authenticated')
    ent.wait(1)
    await assert.rejects(ent.bring(late.session, right), refused('EAP_EXCHANGE_INVALID'))
  })

  test('HT-11: what a stranger says of its terminal is compared in full, and not kept while the terminal answers', async () => {
    const ent = aServer()
    const userAgent = 'x'.repeat(30_000)
    const kept: object[] = []
    const open: RelayPorts<string>['exchanges']['open'] = (exchange) => {
      kept.push(exchange)
      return ent.exchanges.open(exchange)
    }
    const ports = { ...ent, exchanges: { ...ent.exchanges, open } }
    const begin = () => startRelay(ports, { identity: SET_1.identity, userAgent, asked: 'a token' })
    const response = Buffer.from(SET_1.response, 'base64')
    const { session } = await begin()
    assert.ok(JSON.stringify(kept).length < 2_000)
    assert.equal((await ent.bring(session, response, userAgent)).outcome, 'authenticated')
    const { session: another } = await begin()
    await assert.rejects(ent.bring(another, response, `${userAgent}x`), refused('EAP_EXCHANGE_INVALID'))
  })
})

describe('the root NAI: TS 23.003 19.3.2', () => {
  test('names a subscriber of this network, or nobody', async () => {
    assert.equal(subscriberOfRootNai(naiOf(SUPI), HOME), SUPI)
    const realm = 'nai.epc.mnc001.mcc001.3gppnetwork.org'
    const others = [
      `6001010000000001@${realm}`,
      `001010000000001@${realm}`,
      `0262010000000001@${realm}`,
      `0001010000000001@${realm}.`,
      '0001010000000001@nai.epc.mnc002.mcc001.3gppnetwork.org',
      '0001010000000001@wlan.mnc001.mcc001.3gppnetwork.org',
      `0001010000000001@${realm}\n`,
      `00010100000000011234@${realm}`,
      '',
    ]
    for (const eapId of others) assert.equal(subscriberOfRootNai(eapId, HOME), undefined, eapId)
    await assert.rejects(aServer().start(others[0]), refused('AUTHENTICATION_REJECTED'))
  })
})
