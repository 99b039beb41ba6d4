import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { authenticationVector, concealedSqn } from '../../src/keys/aka.ts'
import { type EapMethodPacket, readEapPacket, sealEapPacket, writeEapPacket } from '../../src/keys/eap.ts'
import { akaPrimeChallenge, deriveAkaPrimeKeys, deriveCkIkPrime, kausfOfEmsk } from '../../src/keys/eap-aka-prime.ts'
import { generalFailure, identityRequest, NOTIFICATION, notificationRequest } from '../../src/keys/eap-packets.ts'
import { nextSqn } from '../../src/keys/sqn.ts'
import { withoutTypePrefix } from '../../src/spec/subscriber-identifiers.ts'
import { EapAkaPrimePeer } from '../../src/ue/me/eap-aka-prime.ts'
import { hexOf } from '../keys/octets.ts'
import { aSubscription, NETWORK } from './a-home-network.ts'
import { Sqns } from './a-ue.ts'

const METHOD = "EAP-AKA'"
const { keys, settings } = aSubscription()

/** A peer and one challenge that it would take. */
function aPeer() {
  const vector = authenticationVector(keys, { rand: Buffer.alloc(16, 9), sqn: nextSqn(0) })
  const { rand, autn, ck, ik } = vector
  const { ckPrime, ikPrime } = deriveCkIkPrime(ck, ik, NETWORK, concealedSqn(autn))
  const derived = deriveAkaPrimeKeys(ckPrime, ikPrime, withoutTypePrefix(settings.supi))
  const given = { identifier: 1, rand, autn, networkName: NETWORK }
  return {
    peer: new EapAkaPrimePeer({ keys, sqn: new Sqns() }, settings.supi, NETWORK),
    challenge: (change: object = {}) => akaPrimeChallenge({ ...given, ...change }, derived.kAut),
    given,
    kAut: derived.kAut,
    kausf: hexOf(kausfOfEmsk(derived.emsk)),
  }
}

const success = writeEapPacket({ code: 'success', identifier: 1 })
const failure = writeEapPacket({ code: 'failure', identifier: 1 })

/** The subtype of what the peer answers. */
async function subtypeOf(peer: EapAkaPrimePeer, packet: Buffer): Promise<string> {
  const reply = await peer.receive(packet)
  assert.ok('response' in reply)
  return (readEapPacket(reply.response) as EapMethodPacket).subtype
}

const rejected = (reason: string) => ({ name: 'AuthenticationFailed', reason })

describe("the EAP-AKA' peer: RFC 9048, RFC 4187 6", () => {
  test('KAUSF is taken into use at EAP-Success, not before', async () => {
    const { peer, challenge, kausf } = aPeer()
    assert.equal(await subtypeOf(peer, challenge()), 'challenge')
    const reply = await peer.receive(success)
    assert.ok('kausf' in reply)
    assert.equal(hexOf(reply.kausf), kausf)
  })

  test('after EAP-Failure there is none, even if a success follows', async () => {
    const { peer, challenge } = aPeer()
    await peer.receive(challenge())
    await assert.rejects(peer.receive(failure), rejected('rejected'))
    await assert.rejects(peer.receive(success), rejected('rejected'))
  })

  test('a second challenge after an answered one is an error, and success after it is none', async () => {
    const { peer, challenge } = aPeer()
    await peer.receive(challenge())
    assert.equal(await subtypeOf(peer, challenge()), 'client-error')
    await assert.rejects(peer.receive(success), rejected('method-not-supported'))
  })

  test('an empty checkcode is taken and returned, any other is an error (RFC 4187 10.13)', async () => {
    const first = aPeer()
    const reply = await first.peer.receive(first.challenge({ checkcode: Buffer.alloc(0) }))
    assert.ok('response' in reply)
    const response = readEapPacket(reply.response) as EapMethodPacket
    assert.ok(response.attributes.some(({ name }) => name === 'AT_CHECKCODE'))
    const second = aPeer()
    assert.equal(await subtypeOf(second.peer, second.challenge({ checkcode: Buffer.alloc(32, 1) })), 'client-error')
  })

  test('another key derivation function comes to nothing (RFC 9048 3.2)', async () => {
    const { peer, given, kAut } = aPeer()
    const { identifier, rand, autn, networkName } = given
    const request = sealEapPacket(
      {
        code: 'request',
        identifier,
        method: METHOD,
        subtype: 'challenge',
        attributes: [
          { name: 'AT_RAND', value: rand },
          { name: 'AT_AUTN', value: autn },
          { name: 'AT_KDF', value: 2 },
          { name: 'AT_KDF', value: 1 },
          { name: 'AT_KDF_INPUT', value: networkName },
        ],
      },
      kAut,
    )
    assert.equal(await subtypeOf(peer, request), 'authentication-reject')
    await assert.rejects(peer.receive(failure), rejected('method-not-supported'))
  })

  for (const which of ['AT_PERMANENT_ID_REQ', 'AT_FULLAUTH_ID_REQ', 'AT_ANY_ID_REQ'] as const) {
    test(`${which}: who asks for the identity learns nothing`, async () => {
      const { peer } = aPeer()
      const reply = await peer.receive(identityRequest(METHOD, 1, which))
      assert.ok('response' in reply)
      assert.equal((readEapPacket(reply.response) as EapMethodPacket).subtype, 'client-error')
      assert.ok(!reply.response.includes('0000000001'))
    })
  }

  test('a notification before the challenge is answered, and nothing good comes after it', async () => {
    const { peer, challenge } = aPeer()
    assert.equal(await subtypeOf(peer, generalFailure(METHOD, 1)), 'notification')
    await peer.receive(challenge())
    await assert.rejects(peer.receive(success), rejected('rejected'))
  })

  test('a notification after the challenge is taken with a right MAC only', async () => {
    const { generalFailureAfterAuthentication: notification } = NOTIFICATION
    const honest = aPeer()
    await honest.peer.receive(honest.challenge())
    const packet = notificationRequest(METHOD, { identifier: 2, notification }, honest.kAut)
    assert.equal(await subtypeOf(honest.peer, packet), 'notification')
    await assert.rejects(honest.peer.receive(failure), rejected('rejected'))

    const forged = aPeer()
    await forged.peer.receive(forged.challenge())
    packet[packet.length - 1] = (packet.at(-1) ?? 0) ^ 1
    assert.equal(await subtypeOf(forged.peer, packet), 'client-error')
  })

  test('a response is no request', async () => {
    const { peer, challenge } = aPeer()
    const reply = await peer.receive(challenge())
    assert.ok('response' in reply)
    await assert.rejects(peer.receive(reply.response), rejected('method-not-supported'))
  })
})
