import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../../src/tokens/canonical-json.ts'
import { vectors } from './parties.ts'

interface CanonicalJsonVectors {
  readonly vectors: readonly { readonly source: string; readonly json: string; readonly canonical: string }[]
  readonly refused: readonly string[]
}

const file = vectors<CanonicalJsonVectors>('canonical-json')

describe('canonical JSON: RFC 8785', () => {
  for (const { source, json, canonical } of file.vectors) {
    test(`${source}: ${canonical.slice(0, 40)}`, () => assert.equal(canonicalJson(JSON.parse(json)), canonical))
  }

  test('3.2.2.2: a lone surrogate has no canonical text', () => {
    for (const json of file.refused) assert.equal(canonicalJson(JSON.parse(json)), undefined, json)
  })

  test('what is no JSON value has no canonical text', () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, { a: undefined }, [undefined]])
      assert.equal(canonicalJson(value), undefined)
  })

  test('64 levels are written, 65 and 100,000 are refused without an overflow', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    assert.equal(canonicalJson(nested(64)), '['.repeat(64) + ']'.repeat(64))
    assert.equal(canonicalJson(nested(65)), undefined)
    assert.equal(canonicalJson(nested(100_000)), undefined)
  })

  test('the text means the value, and no order of members changes it', () => {
    const members = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 })), {
      selector: ([name]) => name,
    })
    fc.assert(
      fc.property(members, (entries) => {
        const text = canonicalJson(Object.fromEntries(entries))
        assert.equal(text, canonicalJson(Object.fromEntries(entries.toReversed())))
        assert.deepEqual(JSON.parse(text ?? ''), JSON.parse(JSON.stringify(Object.fromEntries(entries))))
      }),
    )
  })
})
