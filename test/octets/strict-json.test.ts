import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseStrictJson } from '../../src/octets/strict-json.ts'

const RULES = { maxDepth: 32, reservedNames: ['__proto__', 'constructor', 'prototype'] }
const parse = (text: string, rules = RULES) => parseStrictJson(Buffer.from(text), rules)
/** Objects of ours have no prototype: compare what they say. */
const plain = (value: unknown) => JSON.stringify(value)

/** Every place of a JSON value where an object stands, as the text with a member more in that object. */
function withMember(value: unknown, member: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((element, index) =>
      withMember(element, member).map(
        (text) => `[${value.map((other, at) => (at === index ? text : plain(other))).join()}]`,
      ),
    )
  }
  if (typeof value !== 'object' || value === null) return []
  const members = Object.entries(value)
  const text = (inside: readonly string[]) => `{${inside.join()}}`
  const written = members.map(([name, inner]) => `${plain(name)}:${plain(inner)}`)
  const deeper = members.flatMap(([name, inner], index) =>
    withMember(inner, member).map((inside) => text(written.toSpliced(index, 1, `${plain(name)}:${inside}`))),
  )
  return [text([member, ...written]), text([...written, member]), ...deeper]
}

const SAMPLE = { a: { b: [{ c: 1 }, [{ d: {} }]] }, e: [], f: 'x', g: [1, { h: null }] }

describe('JSON with one meaning: RFC 8259, RFC 7493', () => {
  test('HT-05: a name that reaches a prototype is refused at each position, however it is written', () => {
    const names = ['__proto__', 'constructor', 'prototype', '\\u005f\\u005fproto__', 'c\\u006fnstructor']
    for (const name of names) {
      const texts = withMember(SAMPLE, `"${name}":{"polluted":true}`)
      assert.ok(texts.length >= 12)
      for (const text of texts) assert.throws(() => parse(text), { message: 'a member name is reserved' }, text)
    }
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })

  test('a name that stands twice is refused at each position, however it is written', () => {
    for (const [name, again] of [
      ['x', 'x'],
      ['x', '\\u0078'],
      ['', ''],
      ['\\n', '\\u000a'],
      ['é', '\\u00e9'],
      ['1', '1'],
    ]) {
      for (const text of withMember(SAMPLE, `"${name}":1,"y":[{}],"${again}":1`)) {
        assert.throws(() => parse(text), { message: 'a member name is repeated' }, text)
      }
    }
  })

  test('names that differ in case or form, and names of members elsewhere, are no repetition', () => {
    for (const text of [
      '{"a":1,"A":1}',
      '{"é":1,"e\u0301":1}',
      '{"a":{"a":{"a":[{"a":1},{"a":1}]}}}',
      '{"a":"a:a:{","b:":":"}',
    ]) {
      assert.equal(plain(parse(text)), plain(JSON.parse(text)))
    }
  })

  test('as deep as allowed, and no deeper; brackets in strings do not count', () => {
    const deep = (open: string, inner: string, close: string, levels: number) =>
      open.repeat(levels) + inner + close.repeat(levels)
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      assert.ok(parse(deep(open, '1', close, 32)))
      assert.throws(() => parse(deep(open, '1', close, 33)), { message: 'nested too deeply' })
    }
    assert.ok(parse(plain('[{'.repeat(1_000))))
    assert.ok(parse(plain('\\"[{"'.repeat(1_000))))
  })

  test('200,000 levels are refused in no time', () => {
    const from = process.threadCpuUsage()
    for (const text of ['['.repeat(200_000), '{"a":'.repeat(200_000)]) {
      assert.throws(() => parse(text), { message: 'nested too deeply' })
    }
    assert.ok(process.threadCpuUsage(from).user < 5_000_000)
  })

  test('lone surrogates, numbers beyond binary64, other octets than UTF-8 and a byte order mark are refused', () => {
    for (const text of [
      '"\\ud800"',
      '{"\\udc00":1}',
      '1e400',
      '[-1e400]',
      '\ufeff1',
      '',
      ' ',
      '1 1',
      '{"a":1}x',
      "{'a':1}",
      'NaN',
    ]) {
      assert.throws(() => parse(text), SyntaxError, text)
    }
    for (const octets of ['ff', '22c0af22', '22eda08022', '22f5808080', '2280']) {
      assert.throws(() => parseStrictJson(Buffer.from(octets, 'hex'), RULES), { message: 'not UTF-8' })
    }
    assert.equal(plain(parse('"\\ud83d\\ude00"')), plain('\u{1f600}'))
  })

  test('HT-12: no error repeats what was sent', () => {
    const canary = 'canary'
    for (const text of [canary, `{"${canary}":1,"${canary}":2}`, `["${canary}"`, `{"__proto__":"${canary}"}`]) {
      assert.throws(
        () => parse(text),
        (error: Error) => !error.message.includes(canary) && error.cause === undefined,
      )
    }
  })

  test('what has one meaning is read as JSON.parse reads it, into objects that inherit nothing', () => {
    const value = fc
      .jsonValue({ maxDepth: 6, stringUnit: 'binary' })
      .filter((any) => !/__proto__|constructor|prototype/.test(plain(any)))
    fc.assert(
      fc.property(value, fc.nat(4), (any, space) =>
        assert.equal(plain(parse(JSON.stringify(any, null, space))), plain(any)),
      ),
    )
    const object = parse('{"a":{}}')
    assert.equal(Object.getPrototypeOf(object), null)
    assert.equal(typeof object === 'object' && object !== null && 'toString' in object, false)
  })

  test('a damaged text is refused or means what JSON.parse says, with as many members', () => {
    const damage = fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\/0189-+.eEtrufalsn \t\n\u0000\ufeff'), fc.boolean())
    let [accepted, refused] = [0, 0]
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), damage, (text, [position, character, insert]) => {
        const at = position % (text.length + 1)
        const damaged = text.slice(0, at) + character + text.slice(insert ? at : at + 1)
        let value: unknown
        try {
          value = parse(damaged)
        } catch {
          refused++
          return
        }
        accepted++
        assert.equal(plain(value), plain(JSON.parse(damaged)))
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 200_000 : 3_000 },
    )
    assert.ok(accepted > 100 && refused > 100)
  })

  test('64 KiB of members take less than 50 ms', () => {
    const bodies = [
      Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`m${index}`, index])),
      Array.from({ length: 20_000 }, () => ({})),
      '\\"'.repeat(20_000),
    ].map((value) => Buffer.from(plain(value)))
    for (const octets of bodies) {
      const times = Array.from({ length: 10 }, () => {
        const from = process.threadCpuUsage()
        parseStrictJson(octets, RULES)
        return process.threadCpuUsage(from).user / 1_000
      })
      // The best of ten: what the machine does besides is not of interest.
      assert.ok(Math.min(...times) < 50, `${Math.min(...times)} ms`)
    }
  })
})
