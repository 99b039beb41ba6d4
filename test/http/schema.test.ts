import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Type } from 'typebox'
import { findInvalidParam, isOfSchema } from '../../src/http/schema.ts'

const Message = Type.Object({
  name: Type.String({ pattern: '^[a-z]+$' }),
  count: Type.Optional(Type.Integer({ minimum: 0 })),
  when: Type.Optional(Type.String({ format: 'date-time' })),
  list: Type.Optional(Type.Array(Type.Object({ uri: Type.String({ format: 'uri' }) }))),
})

describe('messages against their schema', () => {
  test('a message of the type has no invalid member', () => {
    const whole = {
      name: 'a',
      count: 1,
      when: '2026-11-21T00:00:00+01:00',
      list: [{ uri: 'https://a.example/' }],
      other: 1,
    }
    assert.equal(findInvalidParam(Message, whole), undefined)
    assert.equal(isOfSchema(Message, { name: 'a' }), true)
  })

  test('the first member that is wrong is named, never its value', () => {
    const wrong: readonly [unknown, string, RegExp][] = [
      [{}, '/name', /^must have required/],
      [{ name: 'CANARY' }, '/name', /^must match pattern/],
      [{ name: 1 }, '/name', /^must be string/],
      [{ name: 'a', count: -1 }, '/count', /^must be >= 0/],
      [{ name: 'a', count: 0.5 }, '/count', /^must be integer/],
      [{ name: 'a', when: 'CANARY' }, '/when', /^must match format/],
      [{ name: 'a', list: [{ uri: 'https://a.example/' }, {}] }, '/list/1/uri', /^must have required/],
      [{ name: 'a', list: [{ uri: 'CANARY' }] }, '/list/0/uri', /^must match format/],
      [null, '', /^must be object/],
      ['CANARY', '', /^must be object/],
    ]
    for (const [value, param, reason] of wrong) {
      const invalid = findInvalidParam(Message, value)
      assert.equal(invalid?.param, param, JSON.stringify(value))
      assert.match(invalid?.reason ?? '', reason)
      assert.doesNotMatch(JSON.stringify(invalid), /CANARY/)
    }
  })

  test('nothing is coerced, filled in or taken away', () => {
    for (const value of [
      { name: 'a', count: '1' },
      { name: 'a', count: null },
      { name: ['a'] },
      { name: 'a', list: {} },
    ]) {
      assert.notEqual(findInvalidParam(Message, value), undefined, JSON.stringify(value))
    }
    const value = { name: 'a', other: 'stays' }
    findInvalidParam(Type.Object({ name: Type.String(), more: Type.Optional(Type.String({ default: 'x' })) }), value)
    assert.deepEqual(value, { name: 'a', other: 'stays' })
  })

  test('types that are alike are not confused, and a wrong member is named where it stands', () => {
    const shortName = Type.Object({ name: Type.String({ maxLength: 3 }) })
    const longName = Type.Object({ name: Type.String({ maxLength: 5 }) })
    const Pair = Type.Object({
      left: shortName,
      right: Type.Optional(longName),
      others: Type.Array(Type.Object({ of: shortName })),
      rows: Type.Array(Type.Array(longName)),
    })
    const wrongAt = (change: object) =>
      findInvalidParam(Pair, { left: { name: 'abc' }, others: [], rows: [[]], ...change })?.param
    assert.equal(
      wrongAt({ right: { name: 'abcde' }, others: [{ of: { name: '' } }], rows: [[{ name: 'abcde' }]] }),
      undefined,
    )
    assert.equal(wrongAt({ left: { name: 'abcd' } }), '/left/name')
    assert.equal(wrongAt({ right: { name: 'abcdef' } }), '/right/name')
    assert.equal(wrongAt({ others: [{ of: { name: 'a' } }, { of: { name: 'abcd' } }] }), '/others/1/of/name')
    assert.equal(wrongAt({ rows: [[], [{ name: 'abcde' }, {}]] }), '/rows/1/1/name')
    assert.equal(findInvalidParam(Type.Object({ left: longName }), { left: { name: 'abcde' } }), undefined)
  })

  test('members that only a prototype has are missing', () => {
    const Inherited = Type.Object({ toString: Type.Unknown() })
    assert.equal(isOfSchema(Inherited, Object.create(null)), false)
    assert.equal(isOfSchema(Message, Object.create(null, { name: { value: 'a', enumerable: true } })), true)
  })
})
