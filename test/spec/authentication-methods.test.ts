import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { chooseMethod, ECS_METHODS, EES_METHODS } from '../../src/spec/authentication-methods.ts'

const refusal = { name: 'Refusal', code: 'AUTHENTICATION_METHOD_NOT_ACCEPTED' }
const PUBLISHED = ['TLS_GBA', 'TLS_WITH_GBA', 'SERVER_SIDE_CERTIFICATE_BASED']

describe('authentication methods of an EEC: TS 33.558 6.2, D-15', () => {
  test('NG-01: no name means no authentication, in any spelling', () => {
    for (const name of [...ECS_METHODS, ...EES_METHODS])
      assert.doesNotMatch(name, /none|null|anonymous|server_side|^no/i)
  })

  test("the client's order decides, and unknown names are passed over: the enumerations are open", () => {
    const offer = ['TLS_GBA', 'ENTITLEMENT_TOKEN', 'TLS_AKMA', 'TLS_KEDGE']
    assert.equal(chooseMethod(offer, ['TLS_KEDGE', 'ENTITLEMENT_TOKEN']), 'TLS_KEDGE')
    assert.equal(chooseMethod(offer.toReversed(), ['ENTITLEMENT_TOKEN', 'TLS_KEDGE']), 'ENTITLEMENT_TOKEN')
    assert.equal(chooseMethod(['NEW_IN_REL_21', 'EDGE_ACCESS_TOKEN'], EES_METHODS), 'EDGE_ACCESS_TOKEN')
  })

  test('NG-01: refuses an offer that is empty, none, null, unknown, repeated or of 10,000 names', () => {
    const offers: readonly unknown[] = [
      [],
      ['none'],
      ['NONE'],
      [''],
      [null],
      null,
      undefined,
      'ENTITLEMENT_TOKEN',
      { 0: 'ENTITLEMENT_TOKEN', length: 1 },
      true,
      ['no such method'],
      PUBLISHED,
      ['entitlement_token'],
      ['ENTITLEMENT_TOKEN '],
      ['ENTITLEMENT_TOKEN', 'ENTITLEMENT_TOKEN'],
      ['ENTITLEMENT_TOKEN', null],
      ['ENTITLEMENT_TOKEN', ['TLS_KEDGE']],
      ['ENTITLEMENT_TOKEN', ''],
      ['ENTITLEMENT_TOKEN', 'x'.repeat(65)],
      Array.from({ length: 10_000 }, () => 'ENTITLEMENT_TOKEN'),
      Array.from({ length: 10_000 }, (_, n) => (n === 0 ? 'ENTITLEMENT_TOKEN' : `METHOD_${n}`)),
    ]
    for (const offer of offers)
      assert.throws(() => chooseMethod(offer, ['ENTITLEMENT_TOKEN']), refusal, JSON.stringify(offer)?.slice(0, 80))
  })

  test('NG-03: what is below the floor is never chosen, whatever else is missing', () => {
    assert.throws(() => chooseMethod(['ENTITLEMENT_TOKEN'], ['TLS_KEDGE', 'TLS_AKMA']), refusal)
    assert.throws(() => chooseMethod(ECS_METHODS, []), refusal)
    const anyOffer = fc.oneof(
      fc.anything(),
      fc.array(fc.oneof(fc.string(), fc.constantFrom(...ECS_METHODS, ...PUBLISHED))),
    )
    fc.assert(
      fc.property(anyOffer, fc.uniqueArray(fc.constantFrom(...ECS_METHODS)), (offer, wanted) => {
        try {
          const chosen = chooseMethod(offer, wanted)
          assert.ok(wanted.includes(chosen) && Array.isArray(offer) && offer.includes(chosen))
        } catch (error) {
          assert.equal((error as { code?: string }).code, refusal.code)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
