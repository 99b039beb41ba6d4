import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { attributeOf, isMacRight, writeEapPacket } from '../../src/keys/eap.ts'
import { akaPrimeChallenge } from '../../src/keys/eap-aka-prime.ts'
import { generalFailure, identityRequest, NOTIFICATION, notificationRequest } from '../../src/keys/eap-packets.ts'
import { newUsimSqnState } from '../../src/keys/sqn.ts'
import { EapAkaPeer } from '../../src/ue/me/eap-aka.ts'
import { authenticate, type Challenge } from '../../src/ue/usim/authenticate.ts'
import { key } from '../keys/octets.ts'
import { Challenger, methodPacket, ROOT_NAI } from './a-challenger.ts'
import { aSubscription } from './a-home-network.ts'
import { Sqns } from './a-ue.ts'

function aPeer(sqn = new Sqns()) {
  const usim = { keys: aSubscription().keys, sqn }
  const peer = new EapAkaPeer({ identity: ROOT_NAI, authenticate: (challenge) => authenticate(usim, challenge) })
  return { peer, sqn, server: new Challenger() }
}

const subtypeOf = (response: Buffer) => methodPacket(response).subtype

describe('the EAP-AKA peer in the ME: RFC 4187', () => {
  test('a challenge of the home network is answered with AT_RES and AT_MAC, once', async () => {
    const { peer, server, sqn } = aPeer()
    const response = await peer.respond(server.challenge({ identifier: 9 }))
    assert.equal(server.accepts(response), true)
    assert.equal(methodPacket(response).identifier, 9)
    assert.equal(attributeOf(methodPacket(response), 'AT_CHECKCODE'), undefined)
    assert.equal(sqn.saved.length, 1)
    assert.equal(subtypeOf(await peer.respond(server.challenge())), 'client-error')
    assert.equal(sqn.saved.length, 1, 'a second challenge does not reach the USIM')
  })

  test('9.1: asked for an identity it tells the one it has, and holds the server to what was said (10.13)', async () => {
    const { peer, server } = aPeer()
    const request = identityRequest('EAP-AKA', 3, 'AT_PERMANENT_ID_REQ')
    const response = await peer.respond(request)
    assert.equal(attributeOf(methodPacket(response), 'AT_IDENTITY'), ROOT_NAI)
    const identityPackets = [request, response]
    const answer = await peer.respond(server.challenge({ identifier: 4, identityPackets, withCheckcode: true }))
    assert.equal(server.accepts(answer), true)
    assert.equal(attributeOf(methodPacket(answer), 'AT_CHECKCODE')?.length, 20)
  })

  test('10.13: a checkcode over other messages is an error', async () => {
    const { peer, server } = aPeer()
    await peer.respond(identityRequest('EAP-AKA', 3, 'AT_ANY_ID_REQ'))
    assert.equal(subtypeOf(await peer.respond(server.challenge({ withCheckcode: true }))), 'client-error')
  })

  test('4.1.4: after three identities, or after the challenge, no more are told', async () => {
    const { peer } = aPeer()
    const ask = () => peer.respond(identityRequest('EAP-AKA', 1, 'AT_PERMANENT_ID_REQ'))
    for (let round = 1; round <= 3; round++) assert.equal(subtypeOf(await ask()), 'identity')
    assert.equal(subtypeOf(await ask()), 'client-error')
    const another = aPeer()
    await another.peer.respond(another.server.challenge())
    const late = await another.peer.respond(identityRequest('EAP-AKA', 1, 'AT_PERMANENT_ID_REQ'))
    assert.equal(subtypeOf(late), 'client-error')
  })

  test('6.3.1: a challenge of somebody else is rejected, one with a wrong MAC is an error', async () => {
    const stranger = aPeer()
    const foreign = stranger.server.challenge()
    // RAND is another one than AUTN was made for.
    foreign[12] = (foreign[12] ?? 0) ^ 1
    assert.equal(subtypeOf(await stranger.peer.respond(foreign)), 'authentication-reject')
    assert.equal(stranger.sqn.saved.length, 0)

    const changed = aPeer()
    const challenge = changed.server.challenge()
    challenge[challenge.length - 1] = (challenge.at(-1) ?? 0) ^ 1
    const response = await changed.peer.respond(challenge)
    assert.equal(subtypeOf(response), 'client-error')
    assert.equal(attributeOf(methodPacket(response), 'AT_CLIENT_ERROR_CODE'), 0)
  })

  test('a server that counts on another identity has other keys, and gets no RES', async () => {
    const { peer, server } = aPeer()
    const response = await peer.respond(server.challenge({ identity: '0001010000000002@nai.epc.example.org' }))
    assert.equal(subtypeOf(response), 'client-error')
  })

  test('TS 33.102 Annex H: a challenge of 5G is rejected at this door', async () => {
    const { peer, server } = aPeer()
    assert.equal(subtypeOf(await peer.respond(server.challenge({ amf: 0x8000 }))), 'authentication-reject')
  })

  test('6.3.1: a stale SQN is told by AUTS, once; the fresh challenge after it is answered', async () => {
    const { peer, server, sqn } = aPeer()
    const high = newUsimSqnState().seqMs.map(() => 1_000)
    sqn.saved.push({ seqMs: high })
    const stale = await peer.respond(server.challenge())
    assert.equal(subtypeOf(stale), 'synchronization-failure')
    assert.equal(server.resynchronise(stale), true)
    assert.equal(server.accepts(await peer.respond(server.challenge())), true)

    const twice = aPeer(sqn)
    assert.equal(subtypeOf(await twice.peer.respond(twice.server.challenge())), 'synchronization-failure')
    assert.equal(subtypeOf(await twice.peer.respond(twice.server.challenge())), 'client-error')
  })

  test('there is no response when SQN cannot be stored, and the exchange is over', async () => {
    const sqn = new Sqns()
    sqn.save = async () => {
      throw new Error('no space')
    }
    const { peer, server } = aPeer(sqn)
    await assert.rejects(peer.respond(server.challenge()), { message: 'no space' })
    sqn.save = async () => {}
    assert.equal(subtypeOf(await peer.respond(server.challenge())), 'client-error')
  })

  test('while the USIM works on one challenge, no other one is taken', async () => {
    const asked: Challenge[] = []
    const peer = new EapAkaPeer({
      identity: ROOT_NAI,
      authenticate: async (challenge) => {
        asked.push(challenge)
        return { outcome: 'mac-failure' }
      },
    })
    const server = new Challenger()
    const responses = await Promise.all([peer.respond(server.challenge()), peer.respond(server.challenge())])
    assert.deepEqual(responses.map(subtypeOf), ['authentication-reject', 'client-error'])
    assert.equal(asked.length, 1)
  })

  test('6.1: notifications are answered in their place, and end the exchange', async () => {
    const before = aPeer()
    assert.equal(subtypeOf(await before.peer.respond(generalFailure('EAP-AKA', 1))), 'notification')
    assert.equal(subtypeOf(await before.peer.respond(before.server.challenge())), 'client-error')

    const after = aPeer()
    await after.peer.respond(after.server.challenge())
    const kAut = after.server.kAut ?? assert.fail()
    const denied = { identifier: 2, notification: NOTIFICATION.notSubscribed }
    const response = await after.peer.respond(notificationRequest('EAP-AKA', denied, kAut))
    assert.equal(subtypeOf(response), 'notification')
    assert.equal(isMacRight('EAP-AKA', response, kAut), true)

    const forged = aPeer()
    await forged.peer.respond(forged.server.challenge())
    const wrong = notificationRequest('EAP-AKA', denied, key('EAP-AKA K_aut', '00'.repeat(15).concat('01')))
    assert.equal(subtypeOf(await forged.peer.respond(wrong)), 'client-error')
  })

  for (const [name, packet] of [
    ['EAP-Success', writeEapPacket({ code: 'success', identifier: 1 })],
    ['EAP-Failure', writeEapPacket({ code: 'failure', identifier: 1 })],
    [
      "a challenge of EAP-AKA'",
      akaPrimeChallenge(
        { identifier: 1, rand: Buffer.alloc(16), autn: Buffer.alloc(16), networkName: 'WLAN' },
        key("EAP-AKA' K_aut", '01'.repeat(32)),
      ),
    ],
    ['nothing', Buffer.alloc(0)],
    ['a response', Buffer.from('0201000817050000', 'hex')],
  ] as const) {
    test(`${name} has no response`, async () => {
      await assert.rejects(aPeer().peer.respond(packet), { name: 'Refusal', code: 'MANDATORY_IE_INCORRECT' })
    })
  }

  test('6.3.1: whatever is in a request of EAP-AKA, the response is an error and the USIM is not asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), fc.nat(255), async (rest, identifier) => {
        const { peer, sqn } = aPeer()
        const length = 8 + rest.length
        const octets = Buffer.from([1, identifier, length >> 8, length & 255, 23, 1, 0, 0, ...rest])
        const response = methodPacket(await peer.respond(octets))
        assert.deepEqual([response.subtype, response.identifier, sqn.saved.length], ['client-error', identifier, 0])
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 20_000 : 200 },
    )
  })
})
