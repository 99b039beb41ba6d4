import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { attributeOf, isMacRight, readEapPacket } from '../../src/keys/eap.ts'
import { akaChallenge, deriveAkaKeys, deriveAkaKeysOfMk } from '../../src/keys/eap-aka.ts'
import { challengeResponse } from '../../src/keys/eap-packets.ts'
import { fips186Generator } from '../../src/keys/fips186-generator.ts'
import eapAka from '../vectors/keys/eap-aka.json' with { type: 'json' }
import { hex, hexOf, key, parsed } from './octets.ts'

describe('EAP-AKA: RFC 4187', () => {
  for (const vector of eapAka.vectors) {
    test(`${vector.clause}, ${vector.name}: keys from MK, which is zeroed`, () => {
      const mk = hex(vector.mk)
      const { kEncr, kAut } = deriveAkaKeysOfMk(mk)
      assert.equal(hexOf(kEncr), vector.kEncr)
      assert.equal(hexOf(kAut), vector.kAut)
      assert.deepEqual(mk, Buffer.alloc(20))
    })

    const { identity, rand, autn, ck, ik, res, identifier, request, response } = vector
    if (identity === undefined) continue

    test(`${vector.clause}, ${vector.name}: keys from identity, IK and CK`, () => {
      const { kEncr, kAut, msk, emsk } = deriveAkaKeys(identity, key('IK', ik), key('CK', ck))
      assert.equal(hexOf(kEncr), vector.kEncr)
      assert.equal(hexOf(kAut), vector.kAut)
      const stretched = fips186Generator(hex(vector.mk), 160).toString('hex')
      assert.equal(vector.kEncr + vector.kAut + hexOf(msk) + hexOf(emsk), stretched)
    })

    test(`${vector.clause}, ${vector.name}: challenge and response`, () => {
      const kAut = key('EAP-AKA K_aut', vector.kAut)
      const challenge = akaChallenge({ identifier, rand: hex(rand), autn: hex(autn) }, kAut)
      assert.equal(challenge.toString('hex'), request)
      assert.equal(challenge.toString('base64'), vector.requestBase64)
      const answer = challengeResponse('EAP-AKA', { identifier, res: hex(res) }, kAut)
      assert.equal(answer.toString('hex'), response)
      assert.equal(answer.toString('base64'), vector.responseBase64)
      assert.ok(isMacRight('EAP-AKA', hex(request), kAut))
      assert.ok(isMacRight('EAP-AKA', hex(response), kAut))
    })

    test(`${vector.clause}, ${vector.name}: what the peer reads`, () => {
      const packet = parsed(readEapPacket(hex(request)))
      assert.ok('method' in packet)
      assert.deepEqual([packet.code, packet.identifier, packet.method], ['request', identifier, 'EAP-AKA'])
      assert.equal(attributeOf(packet, 'AT_RAND')?.toString('hex'), rand)
      assert.equal(attributeOf(packet, 'AT_AUTN')?.toString('hex'), autn)
      assert.equal(attributeOf(packet, 'AT_CHECKCODE'), undefined)
    })
  }

  test('RFC 9048 4: AT_BIDDING says whether the server would rather run EAP-AKA-prime; the MAC covers it', () => {
    const kAut = key('EAP-AKA K_aut', '0f'.repeat(16))
    const challenge = { identifier: 1, rand: Buffer.alloc(16), autn: Buffer.alloc(16), checkcode: Buffer.alloc(20, 5) }
    for (const prefersAkaPrime of [true, false]) {
      const octets = akaChallenge({ ...challenge, prefersAkaPrime }, kAut)
      const packet = parsed(readEapPacket(octets))
      assert.ok('method' in packet)
      assert.equal(attributeOf(packet, 'AT_BIDDING'), prefersAkaPrime)
      assert.deepEqual(attributeOf(packet, 'AT_CHECKCODE'), Buffer.alloc(20, 5))
      octets[octets.indexOf(hex('8801')) + 2] = prefersAkaPrime ? 0 : 0x80
      assert.equal(isMacRight('EAP-AKA', octets, kAut), false)
    }
  })

  test('FIPS 186-2: XKEY becomes 1 + XKEY + w modulo 2^160; the caller keeps its own', () => {
    const number = (octets: Buffer) => BigInt(`0x${octets.toString('hex')}`)
    const octets = (value: bigint) => hex((value % 2n ** 160n).toString(16).padStart(40, '0'))
    const xkeys = fc.oneof(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.constantFrom(Buffer.alloc(20), Buffer.alloc(20, 0xff)),
    )
    fc.assert(
      fc.property(xkeys, (array) => {
        const xkey = Buffer.from(array)
        const stretched = fips186Generator(xkey, 40)
        const w = stretched.subarray(0, 20)
        const following = octets(1n + number(xkey) + number(w))
        assert.deepEqual(stretched.subarray(20), fips186Generator(following, 20))
        assert.deepEqual(xkey, Buffer.from(array))
      }),
    )
    assert.throws(() => fips186Generator(Buffer.alloc(19), 40), RangeError)
  })
})
