import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { deriveATid, deriveKaf, deriveKakma, formatAKid } from '../../src/keys/akma.ts'
import { parseFqdn } from '../../src/spec/identifiers.ts'
import { parseRoutingIndicator, parseSupi } from '../../src/spec/subscriber-identifiers.ts'
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

  test('6.1: A-KID is a NAI of routing indicator, A-TID and home network', () => {
    const routingIndicator = parsed(parseRoutingIndicator('0012'))
    assert.equal(
      formatAKid(routingIndicator, hex('ab'.repeat(32)), { mcc: '234', mnc: '15' }),
      `rid0012.atid${'ab'.repeat(32)}@akma.5gc.mnc015.mcc234.3gppnetwork.org`,
    )
  })
})
