import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import {
  parseEecId,
  parseGpsi,
  parseRoutingIndicator,
  parseServingNetworkName,
  parseSupi,
  plmnDomain,
  servingNetworkName,
  withoutTypePrefix,
} from '../../src/spec/subscriber-identifiers.ts'

function readsOnly(parse: (text: string) => string | undefined, good: readonly string[], bad: readonly string[]): void {
  for (const text of good) assert.equal(parse(text), text, text)
  for (const text of bad) assert.equal(parse(text), undefined, JSON.stringify(text))
}

/** UTF-16 code units of any kind, lone surrogates included. */
const anyText = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((units) => String.fromCharCode(...units))

describe('identifiers of a subscriber', () => {
  test('TS 29.571 Supi: an IMSI, or a NAI in its one spelling', () => {
    readsOnly(
      parseSupi,
      [
        'imsi-00101',
        'imsi-001010000000001',
        'nai-user17@example.com',
        'nai-müller@example.com',
        'nai-a-b@x-y.example.com',
      ],
      [
        '',
        'imsi-',
        'imsi-0010',
        'imsi-0010100000000011',
        'imsi-00101000000000a',
        'IMSI-001010000000001',
        'imsi-001010000000001\n',
        'imsi-٠٠١٠١٠٠٠٠٠٠٠٠٠١',
        '001010000000001',
        'nai-user17',
        'nai-@example.com',
        'nai-user17@',
        'nai-user17@example',
        'nai-user17@Example.com',
        'nai-user17@example.com.',
        'nai-a@b@example.com',
        'nai-a b@example.com',
        'nai-a\u0000@example.com',
        'nai-mu\u0308ller@example.com',
        'nai-\ufb01@example.com',
        'nai-\ud800@example.com',
        `nai-${'u'.repeat(250)}@example.com`,
        `nai-${'ü'.repeat(125)}@example.com`,
        'gci-00-00-5E@example.com',
        'suci-0-001-01-0-0-0-0000000001',
      ],
    )
  })

  test('TS 29.571 Gpsi: an MSISDN or an external identifier', () => {
    readsOnly(
      parseGpsi,
      ['msisdn-49151', 'msisdn-491510000000000', 'extid-device1@iot.example.com'],
      [
        'msisdn-1234',
        'msisdn-+4915100',
        'extid-device1',
        'extid-@example.com',
        'imsi-001010000000001',
        'msisdn-49151 ',
      ],
    )
  })

  test('TS 23.558 7.2.2: an EEC ID is printable ASCII that no path can mistake', () => {
    readsOnly(
      parseEecId,
      ['eec-1', 'a', 'urn:uuid:9b2f4a6e-0000-4000-8000-000000000001', 'com.example/app', `a${'b'.repeat(127)}`],
      ['', ' ', '-eec', '.', '..', 'a..b', '../x', 'a/../b', 'e e', 'e\u0000', 'é', '__proto__', `a${'b'.repeat(128)}`],
    )
  })

  test('TS 23.003 2.2B: a routing indicator has 1 to 4 digits', () => {
    readsOnly(parseRoutingIndicator, ['0', '0012', '9999'], ['', '12345', '1a', ' 1', '١'])
  })

  test('TS 29.503 ServingNetworkName', () => {
    const name = '5G:mnc015.mcc234.3gppnetwork.org'
    readsOnly(
      parseServingNetworkName,
      [name, `${name}:0123456789A`],
      [
        name.toLowerCase(),
        `${name}.`,
        `${name}:0123456789a`,
        `${name}:0123456789`,
        '5G:mnc15.mcc234.3gppnetwork.org',
        `${name}\n`,
        '',
      ],
    )
    assert.equal(servingNetworkName({ mcc: '234', mnc: '15' }), name)
    assert.equal(servingNetworkName({ mcc: '234', mnc: '15', nid: '0123456789a' }), `${name}:0123456789A`)
    assert.throws(() => servingNetworkName({ mcc: '23', mnc: '15' }), TypeError)
    assert.throws(() => servingNetworkName({ mcc: '234', mnc: '1234' }), TypeError)
  })

  test('TS 23.003 28.2: an MNC of 2 digits has a leading 0 in a domain name', () => {
    assert.equal(plmnDomain({ mcc: '234', mnc: '15' }), 'mnc015.mcc234.3gppnetwork.org')
    assert.equal(plmnDomain({ mcc: '234', mnc: '150' }), 'mnc150.mcc234.3gppnetwork.org')
  })

  test('TS 33.501 A.7.0: only the type prefix goes', () => {
    assert.equal(withoutTypePrefix('imsi-001010000000001'), '001010000000001')
    assert.equal(withoutTypePrefix('nai-a-b@x-y.example.com'), 'a-b@x-y.example.com')
  })

  test('no text makes a parser throw or change what it reads', () => {
    const parsers = [parseSupi, parseGpsi, parseEecId, parseRoutingIndicator, parseServingNetworkName]
    const near = fc
      .tuple(fc.constantFrom('imsi-', 'nai-', 'msisdn-', 'extid-', '5G:mnc', ''), anyText(20))
      .map(([prefix, text]) => `${prefix}${text}`)
    fc.assert(
      fc.property(near, (text) => {
        for (const parse of parsers) assert.ok([text, undefined].includes(parse(text)))
      }),
      { numRuns: 2000 },
    )
  })
})
