import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { describe, test } from 'node:test'
import { bearerToken, dpopOrBearerToken } from '../../src/http/bearer-token.ts'

const refusal = (code: string) => ({ name: 'Refusal', code })

describe('the header Authorization: RFC 6750 2.1, RFC 9449 7.1', () => {
  test('one token after the scheme, in any case, and nothing else', () => {
    for (const authorization of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER a.b.c'])
      assert.equal(bearerToken(authorization), 'a.b.c')
    const wrong = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Bearer  a.b.c',
      ' Bearer a.b.c',
      'Bearer a.b.c ',
      'Bearer a, Bearer b',
    ]
    for (const authorization of [...wrong, 'Basic a', 'a.b.c', 'Bearer a b', 'Bearer a=b', 'DPoP a.b.c', 'Bearer\ta'])
      assert.throws(() => bearerToken(authorization), refusal('CREDENTIAL_MISSING'), authorization)
  })

  test('the scheme DPoP goes with a proof', () => {
    assert.deepEqual(dpopOrBearerToken({ authorization: 'DPoP a.b.c', dpop: 'd.e.f' }), {
      token: 'a.b.c',
      proof: 'd.e.f',
    })
    assert.deepEqual(dpopOrBearerToken({ authorization: 'dpop a.b.c', dpop: 'd.e.f' }).token, 'a.b.c')
    assert.deepEqual(dpopOrBearerToken({ authorization: 'Bearer a.b.c' }), { token: 'a.b.c' })
  })

  test('TK-05: RFC 9449 7.2: a proof without the scheme, or the scheme without a proof, is neither of the two', () => {
    const cases: readonly (readonly [IncomingHttpHeaders, string])[] = [
      [{ authorization: 'Bearer a.b.c', dpop: 'd.e.f' }, 'CREDENTIAL_MISSING'],
      [{ dpop: 'd.e.f' }, 'CREDENTIAL_MISSING'],
      [{}, 'CREDENTIAL_MISSING'],
      [{ authorization: 'DPoP a.b.c' }, 'DPOP_PROOF_INVALID'],
      [{ authorization: 'DPoP a.b.c', dpop: ['d.e.f', 'd.e.f'] }, 'DPOP_PROOF_INVALID'],
    ]
    for (const [headers, code] of cases)
      assert.throws(() => dpopOrBearerToken(headers), refusal(code), JSON.stringify(headers))
  })
})
