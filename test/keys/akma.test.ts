import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { deriveATid, deriveKaf, deriveKakma } from '../../src/keys/akma.ts'
import { parseFqdn } from '../../src/spec/identifiers.ts'
import { parseSupi } from '../../src/spec/subscriber-identifiers.ts'
import akma from '../vectors/keys/akma.json' with { type: 'json' }
import { hex, hexOf, key, parsed } from './octets.ts'

describe('AKMA: TS 33.535 Annex A', () => {
  for (const vector of akma.vectors) {
    const [kausf, supi] = [key('KAUSF', vector.kausf), parsed(parseSupi(vector.supi))]

    test(`${vector.name}, A.2, A.3: KAKMA and A-TID`, () => {
      assert.equal(hexOf(deriveKakma(kausf, supi)), vector.kakma)
      assert.equal(deriveATid(kausf, supi).toString('hex'), vector.aTid)
    })

    const { afFqdn, uaProtocol, kaf } = vector
    if (afFqdn === undefined || uaProtocol === undefined) continue
    test(`${vector.name}, A.4: KAF, for shared-key TLS 1.3 unless said otherwise`, () => {
      const [kakma, af] = [key('KAKMA', vector.kakma), parsed(parseFqdn(afFqdn))]
      assert.equal(hexOf(deriveKaf(kakma, af, hex(uaProtocol))), kaf)
      assert.equal(hexOf(deriveKaf(kakma, af)), kaf)
      assert.notEqual(hexOf(deriveKaf(kakma, af, hex('0100011301'))), kaf)
    })
  }
})
