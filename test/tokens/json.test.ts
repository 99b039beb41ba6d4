import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from '../../src/tokens/json.ts'
import { vectors } from './parties.ts'

interface StrictJsonVectors {
  readonly accepted: readonly string[]
  readonly refused: readonly { readonly reason: string; readonly text?: string; readonly octets?: string }[]
}

const { accepted, refused } = vectors<StrictJsonVectors>('strict-json')
const parse = (text: string) => parseJson(Buffer.from(text))
/** Objects of ours have no prototype: compare what they say. */
const plain = (value: unknown) => JSON.stringify(value)

describe('strict JSON: RFC 8259, RFC 7493', () => {
  test('TK-10: a text with one meaning is read as JSON.parse reads it', () => {
    for (const text of accepted) assert.equal(plain(parse(text)), plain(JSON.parse(text)), text)
  })

  test('TK-10: every other text is refused', () => {
    for (const { reason, text, octets } of refused) {
      const verdict = octets === undefined ? parse(text ?? '') : parseJson(Buffer.from(octets, 'hex'))
      assert.equal(verdict, undefined, reason)
    }
  })

  test('TK-10: objects inherit nothing', () => {
    const object = parse('{"a":{}}')
    assert.equal(Object.getPrototypeOf(object), null)
    assert.deepEqual(Object.keys(object ?? {}), ['a'])
  })

  test('TK-10: reads what JSON.stringify writes, at any indentation', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), fc.nat(4), (value, indentation) => {
        const text = JSON.stringify(value, null, indentation)
        if (text.includes('__proto__')) return
        assert.equal(plain(parse(text)), JSON.stringify(value))
      }),
    )
  })

  test('TK-10: a damaged text is refused or means what JSON.parse says', () => {
    const damage = fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\/0189-+.eEtrufalsn \t\n\u0000\ufeff'), fc.boolean())
    let accepted = 0
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), damage, (text, [position, character, insert]) => {
        const at = position % (text.length + 1)
        const damaged = text.slice(0, at) + character + text.slice(insert ? at : at + 1)
        const value = parse(damaged)
        if (value === undefined) return
        accepted++
        assert.equal(plain(value), plain(JSON.parse(damaged)))
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 200_000 : 5_000 },
    )
    assert.ok(accepted > 100, 'some damage leaves a JSON text')
  })
})
