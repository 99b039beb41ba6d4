import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { authenticationVector, concealedSqn } from '../../src/keys/aka.ts'
import { attributeOf, attributesOf, isMacRight, readEapPacket } from '../../src/keys/eap.ts'
import { akaPrimeChallenge, deriveAkaPrimeKeys, deriveCkIkPrime, kausfOfEmsk } from '../../src/keys/eap-aka-prime.ts'
import { challengeResponse } from '../../src/keys/eap-packets.ts'
import eapAkaPrime from '../vectors/keys/eap-aka-prime.json' with { type: 'json' }
import { hex, hexOf, key, parsed } from './octets.ts'

describe("EAP-AKA': RFC 9048", () => {
  for (const vector of eapAkaPrime.vectors) {
    const keysOf = () => {
      const sqnXorAk = concealedSqn(hex(vector.autn))
      const prime = deriveCkIkPrime(key('CK', vector.ck), key('IK', vector.ik), vector.networkName, sqnXorAk)
      return { ...prime, ...deriveAkaPrimeKeys(prime.ckPrime, prime.ikPrime, vector.identity) }
    }

    test(`${vector.clause}, ${vector.name}: the key hierarchy`, () => {
      const keys = keysOf()
      assert.equal(hexOf(keys.ckPrime), vector.ckPrime)
      assert.equal(hexOf(keys.ikPrime), vector.ikPrime)
      assert.equal(hexOf(keys.kAut), vector.kAut)
      if (vector.kEncr !== undefined) {
        const others = [keys.kEncr, keys.kRe, keys.msk, keys.emsk].map(hexOf)
        assert.deepEqual(others, [vector.kEncr, vector.kRe, vector.msk, vector.emsk])
      }
      if (vector.kausf !== undefined) assert.equal(hexOf(kausfOfEmsk(keys.emsk)), vector.kausf)
      assert.equal(hexOf(kausfOfEmsk(keys.emsk)), hexOf(keys.emsk).slice(0, 64))
    })

    test(`${vector.clause}, ${vector.name}: challenge and response, as the other side reads them`, () => {
      const { kAut } = keysOf()
      const [rand, autn] = [hex(vector.rand), hex(vector.autn)]
      const challenge = akaPrimeChallenge({ identifier: 17, rand, autn, networkName: vector.networkName }, kAut)
      const request = parsed(readEapPacket(challenge))
      assert.ok('method' in request && isMacRight("EAP-AKA'", challenge, kAut))
      assert.deepEqual([request.code, request.identifier, request.method], ['request', 17, "EAP-AKA'"])
      assert.deepEqual([attributeOf(request, 'AT_RAND'), attributeOf(request, 'AT_AUTN')], [rand, autn])
      assert.deepEqual(attributesOf(request, 'AT_KDF'), [1])
      assert.equal(attributeOf(request, 'AT_KDF_INPUT'), vector.networkName)

      const answer = challengeResponse("EAP-AKA'", { identifier: 17, res: hex(vector.res) }, kAut)
      const response = parsed(readEapPacket(answer))
      assert.ok('method' in response && isMacRight("EAP-AKA'", answer, kAut))
      assert.equal(attributeOf(response, 'AT_RES')?.toString('hex'), vector.res)
    })

    const { k, opc, sqn, amf } = vector
    if (k === undefined || sqn === undefined || amf === undefined) continue
    test(`${vector.clause}, ${vector.name}: the authentication vector behind it`, () => {
      const run = { rand: hex(vector.rand), sqn: Number.parseInt(sqn, 16), amf: Number.parseInt(amf, 16) }
      const { autn, xres, ck, ik } = authenticationVector({ k: key('K', k), opc: key('OPc', opc) }, run)
      assert.deepEqual([autn, xres].map(String), [hex(vector.autn), hex(vector.res)].map(String))
      assert.deepEqual([ck, ik].map(hexOf), [vector.ck, vector.ik])
    })
  }

  test('3.1: another network name gives other keys, and so a wrong MAC', () => {
    const [ck, ik, sqnXorAk] = [key('CK', '11'.repeat(16)), key('IK', '22'.repeat(16)), Buffer.alloc(6, 3)]
    const [home, elsewhere] = ['5G:mnc001.mcc001.3gppnetwork.org', '5G:mnc002.mcc001.3gppnetwork.org'].map((name) => {
      const { ckPrime, ikPrime } = deriveCkIkPrime(ck, ik, name, sqnXorAk)
      return deriveAkaPrimeKeys(ckPrime, ikPrime, '001010000000001').kAut
    })
    const packet = challengeResponse("EAP-AKA'", { identifier: 1, res: Buffer.alloc(8) }, parsed(home))
    assert.ok(isMacRight("EAP-AKA'", packet, parsed(home)))
    assert.equal(isMacRight("EAP-AKA'", packet, parsed(elsewhere)), false)
  })

  test('SQN xor AK has 6 octets', () => {
    const [ck, ik] = [key('CK', '11'.repeat(16)), key('IK', '22'.repeat(16))]
    assert.throws(() => deriveCkIkPrime(ck, ik, 'WLAN', Buffer.alloc(7)), RangeError)
  })
})
