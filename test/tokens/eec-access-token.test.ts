import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkEecAccess, issueEecAccessToken, readEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { keySetOf } from '../../src/tokens/key-set.ts'
import { ECS1, EEC, EES1, forge, fqdn, NOW, refused, SECONDS, STRANGER, scope } from './parties.ts'

const issuance = { signer: ECS1.signer, now: NOW, jti: 'jti-1' }
const grant = {
  iss: ECS1.iss,
  eecId: EEC.id,
  aud: EES1.fqdn,
  scope: scope('eees-eecregistration eees-easdiscovery'),
  gpsi: EEC.gpsi,
  jkt: EEC.kid,
}
const issuers = new Map([[ECS1.iss, keySetOf([ECS1.publicKey])]])
const read = (token: string, audience = EES1.fqdn) => readEecAccessToken(token, { issuers, audience, now: NOW })
const header = { alg: 'ES256', typ: 'at+jwt', kid: ECS1.kid }
const thrown = (code: string, detail: RegExp) => ({ name: 'Refusal', code, detail })

describe('access tokens of EECs: TS 33.558 6.2, RFC 9068, RFC 9449 6', () => {
  test('what is granted is what is verified', async () => {
    const claims = await read(await issueEecAccessToken(grant, issuance))
    assert.deepEqual(claims, {
      iss: ECS1.iss,
      sub: EEC.id,
      client_id: EEC.id,
      gpsi: EEC.gpsi,
      aud: [EES1.fqdn],
      scope: 'eees-eecregistration eees-easdiscovery',
      cnf: { jkt: EEC.kid },
      jti: 'jti-1',
      iat: SECONDS,
      exp: SECONDS + 600,
    })
    checkEecAccess(claims, { jkt: EEC.kid, scope: scope('eees-easdiscovery'), now: NOW })
  })

  test('TK-03: a separate token for each EES: one EES does not take that of another', async () => {
    const token = await issueEecAccessToken(grant, issuance)
    for (const other of ['ees2.edge.example.com', 'edge.example.com', 'ecs1.edge.example.com'])
      await refused(read(token, fqdn(other)), 'TOKEN_INVALID', /another audience/, other)
  })

  test('TK-05: a token in the hands of another key is refused', async () => {
    const claims = await read(await issueEecAccessToken(grant, issuance))
    for (const jkt of [STRANGER.kid, ''])
      assert.throws(
        () => checkEecAccess(claims, { jkt, scope: scope('eees-easdiscovery'), now: NOW }),
        thrown('TOKEN_INVALID', /another key/),
      )
  })

  test('TK-06: a token that is bound to a certificate, to both, or to nothing is not one of an EEC', async () => {
    const claims = { ...(await read(await issueEecAccessToken(grant, issuance))) }
    const thumbprint = EES1.certificateThumbprint
    for (const cnf of [undefined, {}, { 'x5t#S256': thumbprint }, { jkt: EEC.kid, 'x5t#S256': thumbprint }, null])
      await refused(read(forge(header, { ...claims, cnf }, ECS1.privateKey)), 'TOKEN_INVALID', /bound/)
  })

  test('TK-07, TK-09: the scope covers what it names, until the last millisecond before exp', async () => {
    const claims = await read(await issueEecAccessToken(grant, issuance))
    const attempt = { jkt: EEC.kid, scope: scope('eees-easdiscovery'), now: claims.exp * 1000 - 1 }
    checkEecAccess(claims, attempt)
    assert.throws(
      () => checkEecAccess(claims, { ...attempt, now: attempt.now + 1 }),
      thrown('TOKEN_INVALID', /expired/),
    )
    for (const wanted of ['eees-eeccontextreloc', 'eees', 'eees-easdiscovery eees-eeccontextreloc'])
      assert.throws(
        () => checkEecAccess(claims, { ...attempt, scope: scope(wanted) }),
        thrown('INSUFFICIENT_SCOPE', /does not cover/),
      )
  })

  test('an issuer cannot make a token that no verifier takes', async () => {
    const wrong = [{ scope: new Set<string>() }, { scope: new Set(['a,b']) }, { jkt: 'x' }, { gpsi: '1' }]
    for (const change of wrong)
      await assert.rejects(issueEecAccessToken({ ...grant, ...change }, issuance), RangeError, JSON.stringify(change))
    for (const lifetime of [0, 901])
      await assert.rejects(issueEecAccessToken(grant, { ...issuance, lifetime }), RangeError)
  })
})
