import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseDocument } from 'yaml'
import { covers, formatScope, parseScope } from '../../src/tokens/scope.ts'
import { scope, VERIFIERS, vectors } from './parties.ts'

interface ScopeVectors {
  readonly pattern: string
  readonly wellFormed: readonly string[]
  readonly malformed: readonly string[]
  readonly covers: readonly { readonly granted: string; readonly wanted: string; readonly covers: boolean }[]
}

const file = vectors<ScopeVectors>('scopes')
const OPENAPI = `${process.env['EDGEWARD_3GPP_DIR']}/openapi/TS29510_Nnrf_AccessToken.yaml`

describe('scope: TS 29.510 AccessTokenReq.scope, RFC 6749 3.3', () => {
  test('the syntax is the one of the pattern', () => {
    for (const text of file.wellFormed) assert.ok(parseScope(text), JSON.stringify(text))
    for (const text of file.malformed) assert.equal(parseScope(text), undefined, JSON.stringify(text))
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aZ09_:- .,*\n') }), (text) => {
        assert.equal(parseScope(text) !== undefined, new RegExp(file.pattern).test(text))
      }),
    )
  })

  test('a scope is a set: neither order nor repetition counts', () => {
    assert.equal(formatScope(scope('b a b')), 'b a')
    assert.ok(covers(scope('b a'), scope('a b a')))
  })

  test('TK-07: covers by the written table, and no name stands for another', () => {
    for (const row of file.covers)
      assert.equal(covers(scope(row.granted), scope(row.wanted)), row.covers, `${row.granted} / ${row.wanted}`)
  })

  test('TK-07: 200 pairs of names: only equal ones cover each other', () => {
    const names = 'a A a: a- a_ aa a:b a-b eecs eecs- eecs-esp eecs-ecsdiscovery eecs-esp:read all'.split(' ')
    for (const granted of names)
      for (const wanted of names)
        assert.equal(covers(scope(granted), scope(wanted)), granted === wanted, `${granted} / ${wanted}`)
  })

  test('TK-07: nothing is granted where nothing is wanted', () => {
    assert.equal(covers(scope('a'), new Set()), false)
    assert.equal(covers(new Set(), new Set()), false)
  })

  test('the pattern and the mandatory claims are those of the official file', (context) => {
    if (!existsSync(OPENAPI)) return context.skip('EDGEWARD_3GPP_DIR does not name the official files')
    const claims = ['components', 'schemas', 'AccessTokenClaims']
    const document = parseDocument(readFileSync(OPENAPI, 'utf8'))
    assert.equal(document.getIn([...claims, 'properties', 'scope', 'pattern']), file.pattern)
    const access = VERIFIERS.find(({ type }) => type.typ === 'at+jwt')
    for (const index of [0, 1, 2, 3, 4]) {
      const name = document.getIn([...claims, 'required', index])
      assert.ok(typeof name === 'string' && access && name in access.claims, `${name} is mandatory`)
    }
    assert.equal(document.getIn([...claims, 'required', 5]), undefined)
  })
})
