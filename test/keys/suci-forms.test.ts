import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { revealSupi } from '../../src/keys/suci.ts'
import { formatSuci, formatSuciNai, parseSuci, parseSuciNai } from '../../src/keys/suci-forms.ts'
import { parseRoutingIndicator } from '../../src/spec/subscriber-identifiers.ts'
import suciForms from '../vectors/keys/suci-forms.json' with { type: 'json' }
import { parsed } from './octets.ts'

const ROUTING_INDICATOR = parsed(parseRoutingIndicator('84'))

/** UTF-16 code units of any kind, lone surrogates included. */
const anyText = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((units) => String.fromCharCode(...units))

describe('the forms of a SUCI: TS 29.503 Annex C, TS 23.003 28.7.3', () => {
  for (const { clause, name, suci, nai, revealed } of suciForms.vectors) {
    test(`${clause}, ${name}`, () => {
      const parts = parsed(parseSuci(suci))
      assert.equal(formatSuci(parts), suci)
      if (nai !== undefined) {
        assert.deepEqual(parseSuciNai(nai), parts)
        assert.equal(parts.supiType === 'nai' && formatSuciNai(parts), nai)
      }
      if (revealed !== undefined)
        assert.equal(
          revealSupi(parts, () => undefined),
          revealed,
        )
    })
  }

  test('hexadecimal digits in upper case are read, and written in lower case', () => {
    const suci = 'suci-0-001-01-0-1-27-ABCDEF'
    assert.equal(formatSuci(parsed(parseSuci(suci))), suci.toLowerCase())
    assert.equal(parseSuci('suci-0-001-01-0-C-27-ab')?.protectionScheme, 12)
  })

  test('what is not a SUCI of type 0 or 1 is not read', () => {
    const none = [
      '',
      'suci-',
      'imsi-001010000000001',
      'suci-0-001-01-0-0-0-',
      'suci-0-001-01-0-0-0-123456789012',
      'suci-0-001-01-0-0-0-12a',
      'suci-0-001-01-0-0-1-123',
      'suci-0-001-01-0-1-0-ab',
      'suci-0-001-01-0-1-256-ab',
      'suci-0-001-01-0-1-027-ab',
      'suci-0-001-01-0-1-27-abc',
      'suci-0-001-01-0-1-27-',
      'suci-0-001-01-0-1-27-xy',
      'suci-0-001-01-00000-1-27-ab',
      'suci-0-001-01--1-27-ab',
      'suci-0-01-01-0-1-27-ab',
      'suci-0-001-1-0-1-27-ab',
      'suci-0-001-0001-0-1-27-ab',
      'suci-2-example.com-0-0-0-user',
      'suci-1-example-0-0-0-user',
      'suci-1-Example.com-0-0-0-user',
      'suci-1--0-0-0-user',
      ' suci-0-001-01-0-1-27-ab',
      'suci-0-001-01-0-1-27-ab\n',
      `suci-0-001-01-0-1-27-${'ab'.repeat(600)}`,
    ]
    for (const text of none) assert.equal(parseSuci(text), undefined, text)
  })

  test('what is not a NAI of type 1 is not read', () => {
    const ecc = `ecckey${'11'.repeat(32)}.cip22.mac${'33'.repeat(8)}`
    assert.ok(parseSuciNai(`type1.rid84.schid1.hnkey27.${ecc}@example.com`))
    const none = [
      `type0.rid84.schid1.hnkey27.${ecc}@example.com`,
      `type1.rid84.schid2.hnkey27.${ecc}@example.com`,
      `type1.rid84.schid3.hnkey27.${ecc}@example.com`,
      `type1.rid84.schid1.hnkey0.${ecc}@example.com`,
      `type1.rid84.schid1.${ecc}@example.com`,
      `type1.rid84.schid1.hnkey27.${ecc}@example`,
      `type1.rid84.schid1.hnkey27.${ecc}@Example.com`,
      `type1.rid84.schid1.hnkey27.${ecc}.x@example.com`,
      `type1.rid84.schid1.hnkey27.${ecc.replace('.cip22', '.cip')}@example.com`,
      `type1.rid84.schid1.hnkey27.${ecc.slice(0, -1)}@example.com`,
      `type1.rid84.schid1.hnkey27.${ecc.slice(0, -2)}@example.com`,
      `type1.rid84.schid1.hnkey27.${ecc}33@example.com`,
      'type1.rid84.schid0.userid@example.com',
      'type1.rid84.schid0.user17@example.com',
      'type1.rid84.schid0.useriduser17@example.com@example.com',
      `type1.rid84.schid0.userid${'u'.repeat(1000)}@example.com`,
    ]
    for (const text of none) assert.equal(parseSuciNai(text), undefined, text)
  })

  test('a user name that looks like the end of a realm is refused, for it could be read in two ways', () => {
    assert.equal(parseSuci('suci-1-a.example-1-0-0-b.example-2-0-0-user'), undefined)
    const parts = {
      supiType: 'nai',
      realm: 'a.example',
      routingIndicator: ROUTING_INDICATOR,
      protectionScheme: 0,
      homeNetworkPublicKeyId: 0,
    } as const
    assert.throws(() => formatSuci({ ...parts, schemeOutput: 'b.example-2-0-0-user' }), TypeError)
    assert.throws(() => formatSuci({ ...parts, schemeOutput: '' }), TypeError)
    assert.ok(formatSuci({ ...parts, schemeOutput: 'user-2-0-user' }))
  })

  test('what cannot be read again is not written', () => {
    const parts = {
      supiType: 'nai',
      realm: 'example.com',
      routingIndicator: ROUTING_INDICATOR,
      protectionScheme: 1,
      homeNetworkPublicKeyId: 27,
      schemeOutput: '11'.repeat(41),
    } as const
    assert.ok(formatSuciNai(parts))
    assert.throws(() => formatSuciNai({ ...parts, schemeOutput: '11'.repeat(40) }), TypeError)
    assert.throws(() => formatSuciNai({ ...parts, protectionScheme: 12 }), TypeError)
    assert.throws(() => formatSuciNai({ ...parts, homeNetworkPublicKeyId: 256 }), TypeError)
    assert.throws(() => formatSuciNai({ ...parts, realm: 'example.com@evil' }), TypeError)
    assert.throws(() => formatSuci({ ...parts, schemeOutput: '1' }), TypeError)
  })

  test('no text makes a reader throw, and what it reads is written as it was', () => {
    const near = fc.stringMatching(/^suci-[01]-[0-9a-z.-]{1,20}-\d{1,4}-[0-9a-f]-\d{1,3}-[0-9a-f]{0,20}$/)
    const nai = fc.stringMatching(
      /^type1\.rid\d{1,4}\.schid[012]\.(userid[a-z]{0,5}|hnkey\d{1,3}\.ecckey[0-9a-f]{64})@[a-z.]{0,9}$/,
    )
    fc.assert(
      fc.property(fc.oneof(near, nai, anyText(80)), (text) => {
        const [parts, ofNai] = [parseSuci(text), parseSuciNai(text)]
        if (parts !== undefined) assert.equal(formatSuci(parts), text.toLowerCase())
        if (ofNai !== undefined) assert.equal(formatSuciNai(ofNai), text)
      }),
      { numRuns: 2000 },
    )
  })
})
