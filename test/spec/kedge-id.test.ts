import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import {
  formatKedgeId,
  formatPskIdentity,
  kedgeIdParts,
  parseKedgeId,
  parsePskIdentity,
  pskIdentityParts,
} from '../../src/spec/kedge-id.ts'
import { parseRoutingIndicator, type RoutingIndicator } from '../../src/spec/subscriber-identifiers.ts'
import malformed from '../vectors/keys/malformed-kedge-ids.json' with { type: 'json' }

const KEDGE_ID = 'rid0.kid1a25d87e5ae4194bd5fb7238cdd5f989@edge.5gc.mnc001.mcc001.3gppnetwork.org'

function routingIndicator(text: string): RoutingIndicator {
  const parsed = parseRoutingIndicator(text)
  assert.ok(parsed)
  return parsed
}

const parts = fc.record(
  {
    routingIndicator: fc.stringMatching(/^\d{1,4}$/).map(routingIndicator),
    kid: fc.stringMatching(/^[0-9a-f]{32}$/),
    homeNetwork: fc.record(
      {
        mcc: fc.stringMatching(/^\d{3}$/),
        mnc: fc.stringMatching(/^\d{3}$/),
        nid: fc.stringMatching(/^[0-9a-f]{11}$/),
      },
      { requiredKeys: ['mcc', 'mnc'], noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
)

/** UTF-16 code units of any kind, lone surrogates included. */
const anyText = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((units) => String.fromCharCode(...units))

describe('Kedge ID: D-20a', () => {
  test('what is formatted is parsed, part by part, in at most 97 octets', () => {
    fc.assert(
      fc.property(parts, (of) => {
        const kedgeId = formatKedgeId(of)
        assert.equal(parseKedgeId(kedgeId), kedgeId)
        assert.deepEqual(kedgeIdParts(kedgeId), of)
        assert.ok(Buffer.byteLength(kedgeId) <= 97)
      }),
    )
  })

  test('the longest one has 97 octets', () => {
    const homeNetwork = { mcc: '001', mnc: '001', nid: '0123456789a' }
    const kedgeId = formatKedgeId({ routingIndicator: routingIndicator('1234'), homeNetwork, kid: 'f'.repeat(32) })
    assert.equal(kedgeId, `rid1234.kid${'f'.repeat(32)}@edge.5gc.nid0123456789a.mnc001.mcc001.3gppnetwork.org`)
    assert.equal(kedgeId.length, 97)
  })

  test('the realm is read in any case and written in lower case, the user part must match exactly', () => {
    const [user = '', realm = ''] = KEDGE_ID.split('@')
    assert.equal(parseKedgeId(`${user}@${realm.toUpperCase()}`), KEDGE_ID)
    assert.equal(parseKedgeId(`${user}@Edge.5GC.mnc001.MCC001.3GPPNetwork.org`), KEDGE_ID)
    assert.equal(parseKedgeId(`${user.toUpperCase()}@${realm}`), undefined)
  })

  test('an MNC of 2 digits is written with a leading 0', () => {
    const of = { routingIndicator: routingIndicator('0'), kid: '0'.repeat(32), homeNetwork: { mcc: '234', mnc: '15' } }
    assert.match(formatKedgeId(of), /@edge\.5gc\.mnc015\.mcc234\.3gppnetwork\.org$/)
  })

  test('parts that are none are not formatted', () => {
    const of = { routingIndicator: routingIndicator('0'), kid: '0'.repeat(32), homeNetwork: { mcc: '001', mnc: '01' } }
    assert.ok(formatKedgeId(of))
    assert.throws(() => formatKedgeId({ ...of, kid: 'F'.repeat(32) }), TypeError)
    assert.throws(() => formatKedgeId({ ...of, kid: '0'.repeat(64) }), TypeError)
    assert.throws(() => formatKedgeId({ ...of, homeNetwork: { mcc: '1', mnc: '01' } }), TypeError)
    assert.throws(() => formatKedgeId({ ...of, homeNetwork: { mcc: '001', mnc: '01', nid: '' } }), TypeError)
  })
})

describe('PSK identity: D-20b', () => {
  test('what is formatted is parsed, part by part, in at most 115 octets', () => {
    fc.assert(
      fc.property(parts, fc.stringMatching(/^[0-9a-f]{16}$/), (of, eecIdTag) => {
        const kedgeId = formatKedgeId(of)
        const identity = formatPskIdentity({ eecIdTag, kedgeId })
        assert.equal(identity, `e${eecIdTag}.${kedgeId}`)
        assert.equal(parsePskIdentity(identity), identity)
        assert.deepEqual(pskIdentityParts(identity), { eecIdTag, kedgeId })
        assert.ok(Buffer.byteLength(identity) <= 115)
      }),
    )
  })

  test('a Kedge ID alone is none, nor is one with another tag', () => {
    const tags = [
      '',
      'e',
      'e.',
      'e7c730c30a790132.',
      'e7c730c30a79013256.',
      'e7C730C30A7901325.',
      'E7c730c30a7901325.',
      '7c730c30a7901325.',
    ]
    for (const tag of tags) assert.equal(parsePskIdentity(`${tag}${KEDGE_ID}`), undefined, tag)
    assert.ok(parsePskIdentity(`e7c730c30a7901325.${KEDGE_ID}`))
    const kedgeId = parseKedgeId(KEDGE_ID)
    assert.ok(kedgeId)
    assert.throws(() => formatPskIdentity({ eecIdTag: '7c730c30a790132', kedgeId }), TypeError)
  })
})

describe('what is no Kedge ID', () => {
  test('KE-14: none of a corpus of malformed IDs is read, neither alone nor in a PSK identity', () => {
    assert.ok(malformed.vectors.length >= 200)
    assert.equal(new Set(malformed.vectors.map(({ kedgeId }) => kedgeId)).size, malformed.vectors.length)
    for (const { why, kedgeId } of malformed.vectors) {
      assert.equal(parseKedgeId(kedgeId), undefined, `${why}: ${JSON.stringify(kedgeId.slice(0, 100))}`)
      assert.equal(parsePskIdentity(`e7c730c30a7901325.${kedgeId}`), undefined, why)
    }
  })

  test('KE-14: a change of one character makes another Kedge ID or none, and nothing throws', () => {
    fc.assert(
      fc.property(fc.nat(KEDGE_ID.length - 1), anyText(3), (at, text) => {
        const changed = KEDGE_ID.slice(0, at) + text + KEDGE_ID.slice(at + 1)
        const parsed = parseKedgeId(changed)
        if (parsed !== undefined) assert.equal(parsed, changed.toLowerCase())
        assert.equal(parsePskIdentity(changed), undefined)
      }),
      { numRuns: 2000 },
    )
  })

  test('KE-14: a megabyte is turned away at once', () => {
    const before = process.cpuUsage()
    for (const unit of ['a', '0', 'rid0.kid', '@', '.', 'e7c730c30a7901325.rid']) {
      assert.equal(parseKedgeId(unit.repeat(1_000_000)), undefined)
      assert.equal(parsePskIdentity(unit.repeat(1_000_000)), undefined)
    }
    assert.ok(process.cpuUsage(before).user < 1_000_000, 'microseconds for twelve of them')
  })
})
