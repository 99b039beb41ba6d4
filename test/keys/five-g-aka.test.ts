import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { deriveHresStar, deriveKamf, deriveKausf, deriveKseaf, deriveResStar } from '../../src/keys/five-g-aka.ts'
import { parseServingNetworkName, parseSupi } from '../../src/spec/subscriber-identifiers.ts'
import fiveG from '../vectors/keys/five-g-aka.json' with { type: 'json' }
import { hex, hexOf, key, parsed } from './octets.ts'

describe('5G AKA: TS 33.501 Annex A', () => {
  for (const vector of fiveG.vectors) {
    const [ck, ik] = [key('CK', vector.ck), key('IK', vector.ik)]
    const name = parsed(parseServingNetworkName(vector.servingNetworkName))
    const kausf = key('KAUSF', vector.kausf)

    test(`${vector.name}, A.2: KAUSF`, () => {
      assert.equal(hexOf(deriveKausf(ck, ik, name, hex(vector.sqnXorAk))), vector.kausf)
    })

    test(`${vector.name}, A.4, A.5: RES* and HRES*`, () => {
      const resStar = deriveResStar(ck, ik, name, hex(vector.rand), hex(vector.res))
      assert.equal(resStar.toString('hex'), vector.resStar)
      assert.equal(deriveHresStar(hex(vector.rand), resStar).toString('hex'), vector.hresStar)
    })

    test(`${vector.name}, A.6, A.7: KSEAF and KAMF`, () => {
      const kseaf = deriveKseaf(kausf, name)
      assert.equal(hexOf(kseaf), vector.kseaf)
      assert.equal(hexOf(deriveKamf(kseaf, parsed(parseSupi(vector.supi)), hex(vector.abba))), vector.kamf)
    })
  }

  test('A.7.0: the NAI of a SUPI enters whole, the IMSI without its prefix', () => {
    const kseaf = key('KSEAF', '11'.repeat(32))
    const nai = deriveKamf(kseaf, parsed(parseSupi('nai-001010000000001@example.com')))
    const imsi = deriveKamf(kseaf, parsed(parseSupi('imsi-001010000000001')))
    assert.notEqual(hexOf(nai), hexOf(imsi))
  })

  test('A.6: another serving network has another KSEAF', () => {
    const kausf = key('KAUSF', '11'.repeat(32))
    const [one, other] = ['5G:mnc001.mcc001.3gppnetwork.org', '5G:mnc002.mcc001.3gppnetwork.org'].map((name) =>
      hexOf(deriveKseaf(kausf, parsed(parseServingNetworkName(name)))),
    )
    assert.notEqual(one, other)
  })

  test('inputs have the lengths of the clauses', () => {
    const [ck, ik] = [key('CK', '11'.repeat(16)), key('IK', '22'.repeat(16))]
    const name = parsed(parseServingNetworkName('5G:mnc001.mcc001.3gppnetwork.org'))
    const rand = Buffer.alloc(16)
    assert.throws(() => deriveKausf(ck, ik, name, Buffer.alloc(5)), RangeError)
    assert.throws(() => deriveResStar(ck, ik, name, Buffer.alloc(15), Buffer.alloc(8)), RangeError)
    assert.throws(() => deriveResStar(ck, ik, name, rand, Buffer.alloc(3)), RangeError)
    assert.throws(() => deriveResStar(ck, ik, name, rand, Buffer.alloc(17)), RangeError)
    assert.throws(() => deriveHresStar(rand, Buffer.alloc(8)), RangeError)
  })
})
