import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseFormContent, parseJsonContent, parseQuery, parseTextContent } from '../../src/http/content.ts'

const form = (text: string) => ({ ...parseFormContent(Buffer.from(text, 'latin1')) })
const refused = { name: 'Refusal', code: 'INVALID_MSG_FORMAT' }
const parameters = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=${index}`).join('&')

describe('forms and queries: RFC 6749 3.2, WHATWG URL 5', () => {
  test('a parameter is a name and a text', () => {
    assert.deepEqual(form('a=b&c=d'), { a: 'b', c: 'd' })
    assert.deepEqual(form('a=&b&c==&d=%26%3D&e=x+y%20z'), { a: '', b: '', c: '=', d: '&=', e: 'x y z' })
    assert.deepEqual(form('scope=a%C3%A9%F0%9F%98%80'), { scope: 'aé\u{1f600}' })
    assert.deepEqual(form(''), {})
    assert.deepEqual(form('&&a=1&'), { a: '1' })
    assert.deepEqual(form('?a=1'), { '?a': '1' })
  })

  test('TK-11: a repeated parameter is refused, however its name is written', () => {
    for (const text of ['a=1&a=1', 'a=1&a=2', 'a&a', '%61=1&a=1', 'a+b=1&a%20b=1', '=1&=2', 'toString=1&toString=1']) {
      assert.throws(() => form(text), { ...refused, detail: 'a parameter is repeated' }, text)
    }
  })

  test('TK-11: nothing becomes an array or an object', () => {
    assert.deepEqual(form('a[]=1&a[b]=2&a.c=3&a[0]=4'), { 'a[]': '1', 'a[b]': '2', 'a.c': '3', 'a[0]': '4' })
    assert.deepEqual(form('a=1,2&b=true&c=null&d=7'), { a: '1,2', b: 'true', c: 'null', d: '7' })
  })

  test('HT-05: names that reach a prototype are refused, and no form changes one', () => {
    for (const name of ['__proto__', 'constructor', 'prototype', '%5F_proto__', '__proto%5f%5f']) {
      assert.throws(() => form(`a=1&${name}=x`), { ...refused, detail: 'a parameter name is reserved' }, name)
      assert.throws(() => parseQuery(name), refused, name)
    }
    assert.equal(Object.getPrototypeOf(parseQuery('a=1')), null)
    assert.deepEqual(form('__proto__[a]=1&hasOwnProperty=2'), { '__proto__[a]': '1', hasOwnProperty: '2' })
    assert.equal(Reflect.get({}, 'a'), undefined)
  })

  test('HT-04: a form has 32 parameters at most, a query 16', () => {
    assert.equal(Object.keys(form(parameters(32))).length, 32)
    assert.throws(() => form(parameters(33)), { ...refused, detail: 'there are too many parameters' })
    assert.equal(Object.keys(parseQuery(parameters(16))).length, 16)
    assert.throws(() => parseQuery(parameters(17)), { ...refused, detail: 'there are too many parameters' })
    assert.deepEqual({ ...parseQuery(undefined) }, {})
  })

  test('what is not UTF-8, not an escape, or holds NUL is refused', () => {
    for (const text of [
      'a=%',
      'a=%2',
      'a=%zz',
      '%=a',
      'a=%ff',
      'a=%c0%af',
      'a=%ed%a0%80',
      'a=%00',
      'a%00=1',
      'a=\xff',
      'a=\0',
    ]) {
      assert.throws(() => form(text), refused, text)
    }
  })

  test('what URLSearchParams writes is read as it was', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => !/__proto__|^constructor$|^prototype$|\0/.test(text))
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 16, noNullPrototype: true }), (given) => {
        // An empty pair is no parameter.
        const written = new URLSearchParams(given).toString()
        assert.deepEqual(form(written), given)
        assert.deepEqual({ ...parseQuery(written) }, given)
      }),
    )
  })

  test('any octets are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        for (const parse of [parseFormContent, parseJsonContent, parseTextContent]) {
          try {
            parse(octets)
          } catch (error) {
            assert.equal(error instanceof Error && error.name, 'Refusal')
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('content as JSON and as text', () => {
  test('HT-05: reserved names, repeated names and too deep content are refused; the cause stays with us', () => {
    for (const text of [
      '{"__proto__":1}',
      '[{"a":{"constructor":{}}}]',
      '{"prototype":[]}',
      '{"a":1,"a":2}',
      '[',
      '['.repeat(33),
    ]) {
      assert.throws(() => parseJsonContent(Buffer.from(text)), {
        ...refused,
        detail: 'the content is not JSON with one meaning',
        invalidParams: [],
      })
    }
    assert.equal(JSON.stringify(parseJsonContent(Buffer.from('{"a":[1]}'))), '{"a":[1]}')
    assert.throws(() => parseJsonContent(Buffer.alloc(0)), refused)
  })

  test('text is UTF-8, and keeps its byte order mark', () => {
    assert.equal(parseTextContent(Buffer.from('\ufeffMII\r\n')), '\ufeffMII\r\n')
    assert.throws(() => parseTextContent(Buffer.from([0xff])), refused)
  })
})
