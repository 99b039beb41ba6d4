import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'

import { type AuthenticationKeys, type EapMethod, isMacRight, readEapPacket } from '../../src/keys/eap.ts'
import { authenticationReject, challengeResponse } from '../../src/keys/eap-packets.ts'
import { hex, key } from './octets.ts'

describe('the MAC of a packet: RFC 4187 10.15, RFC 9048 3.4.2', () => {
  const kAuts = { 'EAP-AKA': key('EAP-AKA K_aut', '0f'.repeat(16)), "EAP-AKA'": key("EAP-AKA' K_aut", '0f'.repeat(32)) }

  test('it is the HMAC of the packet with the MAC set to zero, cut to 16 octets', () => {
    const packet = challengeResponse("EAP-AKA'", { identifier: 1, res: Buffer.alloc(8, 7) }, kAuts["EAP-AKA'"])
    const zeroed = Buffer.concat([packet.subarray(0, -16), Buffer.alloc(16)])
    const expected = createHmac('sha256', hex('0f'.repeat(32)))
      .update(zeroed)
      .digest('hex')
      .slice(0, 32)
    assert.equal(packet.toString('hex', packet.length - 16), expected)
  })

  function rightOnlyAsSealed<Method extends EapMethod>(method: Method, kAut: AuthenticationKeys[Method]): void {
    const sealed = challengeResponse(method, { identifier: 1, res: Buffer.alloc(7, 9) }, kAut)
    assert.ok(isMacRight(method, sealed, kAut))
    for (let bit = 0; bit < 8 * sealed.length; bit += 1) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(isMacRight(method, changed, kAut), false, `bit ${bit}`)
    }
  }

  test('EAP-AKA: right as sealed, wrong after a change of any bit', () => {
    rightOnlyAsSealed('EAP-AKA', kAuts['EAP-AKA'])
  })

  test("EAP-AKA': right as sealed, wrong after a change of any bit", () => {
    rightOnlyAsSealed("EAP-AKA'", kAuts["EAP-AKA'"])
  })

  test('another key, the other method or no MAC at all: not right', () => {
    const sealed = challengeResponse('EAP-AKA', { identifier: 1, res: Buffer.alloc(8) }, kAuts['EAP-AKA'])
    assert.equal(isMacRight('EAP-AKA', sealed, key('EAP-AKA K_aut', 'f0'.repeat(16))), false)
    assert.equal(isMacRight("EAP-AKA'", sealed, kAuts["EAP-AKA'"]), false)
    assert.equal(isMacRight('EAP-AKA', authenticationReject('EAP-AKA', 1), kAuts['EAP-AKA']), false)
  })

  test('a packet of the other method is not right, though its MAC be one of this method', () => {
    const packet = challengeResponse("EAP-AKA'", { identifier: 1, res: Buffer.alloc(8) }, kAuts["EAP-AKA'"])
    packet[4] = 23
    packet.fill(0, packet.length - 16)
    createHmac('sha256', hex('0f'.repeat(32)))
      .update(packet)
      .digest()
      .copy(packet, packet.length - 16, 0, 16)
    assert.equal(isMacRight("EAP-AKA'", packet, kAuts["EAP-AKA'"]), false)
  })

  test('a packet that ends anywhere before its MAC does is not right, and nothing throws', () => {
    const packet = challengeResponse('EAP-AKA', { identifier: 1, res: Buffer.alloc(8) }, kAuts['EAP-AKA'])
    for (let length = 0; length < packet.length; length += 1) {
      assert.equal(isMacRight('EAP-AKA', packet.subarray(0, length), kAuts['EAP-AKA']), false)
    }
  })

  test('the MAC is found wherever it stands, behind attributes that are skipped as well', () => {
    const packet = hex(`0201002817010000${'80010000'}0b050000${'00'.repeat(16)}0302002011223344`)
    createHmac('sha1', hex('0f'.repeat(16)))
      .update(packet)
      .digest()
      .copy(packet, 16, 0, 16)
    assert.ok(readEapPacket(packet))
    assert.ok(isMacRight('EAP-AKA', packet, kAuts['EAP-AKA']))
  })
})
