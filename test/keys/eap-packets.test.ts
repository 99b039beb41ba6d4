import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'

import {
  type AuthenticationKeys,
  attributeOf,
  attributesOf,
  checkcode,
  type EapMethod,
  type EapMethodPacket,
  isMacRight,
  readEapPacket,
  writeEapPacket,
} from '../../src/keys/eap.ts'
import {
  authenticationReject,
  clientError,
  generalFailure,
  identityRequest,
  identityResponse,
  NOTIFICATION,
  notificationRequest,
  notificationResponse,
  synchronizationFailure,
} from '../../src/keys/eap-packets.ts'
import { hex, key } from './octets.ts'

function read(octets: Buffer): EapMethodPacket {
  const packet = readEapPacket(octets)
  assert.ok(packet !== undefined && 'method' in packet)
  return packet
}

function packetsOf<Method extends EapMethod>(method: Method, type: string, kAut: AuthenticationKeys[Method]): void {
  test(`${method}, RFC 4187 9.1, 9.2: identity`, () => {
    const { code, subtype, attributes } = read(identityRequest(method, 3, 'AT_PERMANENT_ID_REQ'))
    assert.deepEqual(
      [code, subtype, attributes],
      ['request', 'identity', [{ name: 'AT_PERMANENT_ID_REQ', value: true }]],
    )
    const response = read(identityResponse(method, 3, '0001010000000001@nai.example.org'))
    assert.equal(attributeOf(response, 'AT_IDENTITY'), '0001010000000001@nai.example.org')
  })

  test(`${method}, RFC 4187 9.5, 9.6, 9.9: reject, synchronisation failure, client error`, () => {
    assert.equal(authenticationReject(method, 9).toString('hex'), `02090008${type}020000`)
    assert.equal(
      synchronizationFailure(method, 9, hex('ab'.repeat(14))).toString('hex'),
      `02090018${type}0400000404${'ab'.repeat(14)}`,
    )
    assert.equal(clientError(method, 9).toString('hex'), `0209000c${type}0e000016010000`)
  })

  test(`${method}, RFC 4187 9.10, 9.11: notifications before the challenge`, () => {
    assert.equal(generalFailure(method, 4).toString('hex'), `0104000c${type}0c00000c014000`)
    assert.equal(notificationResponse(method, 4).toString('hex'), `02040008${type}0c0000`)
  })

  test(`${method}, RFC 4187 9.10, 9.11: notifications after the challenge carry a MAC`, () => {
    const request = notificationRequest(method, { identifier: 5, notification: NOTIFICATION.success }, kAut)
    const response = notificationResponse(method, 5, kAut)
    assert.equal(attributeOf(read(request), 'AT_NOTIFICATION'), 0x8000)
    for (const packet of [request, response]) assert.ok(isMacRight(method, packet, kAut))
    const early = { identifier: 5, notification: NOTIFICATION.generalFailure }
    assert.throws(() => notificationRequest(method, early, kAut), RangeError)
  })
}

describe('packets that both methods share', () => {
  packetsOf('EAP-AKA', '17', key('EAP-AKA K_aut', '0f'.repeat(16)))
  packetsOf("EAP-AKA'", '32', key("EAP-AKA' K_aut", '0f'.repeat(32)))

  test('RFC 4187 10.13, RFC 9048 3.4.3: the checkcode hashes the identity messages in their order', () => {
    const exchange = [identityRequest('EAP-AKA', 1, 'AT_ANY_ID_REQ'), identityResponse('EAP-AKA', 1, 'a@b.example')]
    assert.deepEqual(checkcode('EAP-AKA', exchange), createHash('sha1').update(Buffer.concat(exchange)).digest())
    assert.deepEqual(checkcode("EAP-AKA'", exchange), createHash('sha256').update(Buffer.concat(exchange)).digest())
    assert.deepEqual(checkcode('EAP-AKA', []), Buffer.alloc(0))
  })

  test('RFC 9048 3.2: AT_KDF may stand more than once, and its order counts; EAP-AKA does not know it', () => {
    const packet: EapMethodPacket = {
      code: 'response',
      identifier: 1,
      method: "EAP-AKA'",
      subtype: 'synchronization-failure',
      attributes: [
        { name: 'AT_AUTS', value: Buffer.alloc(14) },
        { name: 'AT_KDF', value: 2 },
        { name: 'AT_KDF', value: 1 },
        { name: 'AT_KDF', value: 2 },
      ],
    }
    assert.deepEqual(attributesOf(read(writeEapPacket(packet)), 'AT_KDF'), [2, 1, 2])
    assert.throws(() => writeEapPacket({ ...packet, method: 'EAP-AKA' }), RangeError)
  })
})
