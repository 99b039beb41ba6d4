import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Challenged,
  oauthStatus,
  type Scheme,
  toOauthError,
  toProblem,
  wwwAuthenticate,
} from '../../src/http/problem.ts'
import { APPLICATION_ERRORS, type ApplicationError, errorRow } from '../../src/spec/application-errors.ts'
import { Refusal } from '../../src/spec/refusal.ts'

const codes = Object.keys(APPLICATION_ERRORS) as ApplicationError[]
const refusal = (code: ApplicationError) => new Refusal(code, 'why')

describe('problem details: RFC 9457, TS 29.571 ProblemDetails', () => {
  test('HT-12: type, title, status and cause come from the table, detail from the procedure', () => {
    for (const code of codes) {
      const { status, title } = APPLICATION_ERRORS[code]
      const type = `urn:edgeward:problem:${code.toLowerCase().replaceAll('_', '-')}`
      const problem = toProblem(refusal(code), '/a')
      assert.deepEqual(problem, { type, title, status, detail: 'why', instance: '/a', cause: code })
      assert.doesNotThrow(() => new URL(problem.type))
    }
  })

  test('invalidParams name the members that were wrong', () => {
    const invalidParams = [{ param: '/a/0', reason: 'must be string' }]
    const problem = toProblem(new Refusal('MANDATORY_IE_INCORRECT', 'why', { invalidParams }), '/')
    assert.deepEqual(problem.invalidParams, invalidParams)
  })

  test('HT-12: the cause of a refusal is not told', () => {
    const cause = new Error('canary')
    const told = JSON.stringify([
      toProblem(new Refusal('TOKEN_INVALID', 'why', { cause }), '/'),
      toOauthError(new Refusal('TOKEN_INVALID', 'why', { cause })),
    ])
    assert.doesNotMatch(told, /canary/)
  })
})

describe('errors of the token endpoint: RFC 6749 5.2', () => {
  const OF_THE_CLIENT = [
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
    // RFC 9449 12.2
    'invalid_dpop_proof',
  ]
  // RFC 6749 4.1.2.1, by 8.5
  const OF_THE_SERVER = ['server_error', 'temporarily_unavailable']

  test('each refusal has an error that the RFC defines, and a status that it allows; a server at fault blames no client', () => {
    for (const code of codes) {
      const { error, error_description } = toOauthError(refusal(code))
      const { status } = errorRow(code)
      assert.ok((status >= 500 ? OF_THE_SERVER : OF_THE_CLIENT).includes(error), code)
      assert.equal(error === 'temporarily_unavailable', status === 503, code)
      assert.equal(error_description, 'why')
      const kept = status >= 500 || [413, 415, 429].includes(status)
      assert.equal(oauthStatus(refusal(code)), kept ? status : error === 'invalid_client' ? 401 : 400, code)
    }
    assert.equal(oauthStatus(refusal('CLIENT_MISMATCH')), 401)
    assert.equal(oauthStatus(refusal('SCOPE_NOT_GRANTED')), 400)
    assert.equal(oauthStatus(refusal('SYSTEM_FAILURE')), 500)
  })
})

describe('challenges: RFC 6750 3, RFC 9449 7.1', () => {
  const challenge = (code: ApplicationError, challenged: Challenged) =>
    wwwAuthenticate(refusal(code), 'edgeward', challenged)
  const BEARER = 'Bearer realm="edgeward"'
  const DPOP = 'DPoP realm="edgeward"'
  const [ERROR, ALGS] = [', error="invalid_token"', ', algs="ES256"']

  test('who has shown nothing is challenged in each scheme that is taken', () => {
    const missing = (schemes?: readonly Scheme[]) => challenge('CREDENTIAL_MISSING', { schemes })
    assert.equal(missing(), BEARER)
    assert.equal(missing(['DPoP']), `${DPOP}${ALGS}`)
    assert.equal(missing(['DPoP', 'Bearer']), `${DPOP}${ALGS}, ${BEARER}`)
  })

  test('who has used a scheme that is taken is challenged in it, and in none that is not', () => {
    const both = ['DPoP', 'Bearer'] as const
    for (const [authorization, schemes, expected] of [
      ['dpop a.b.c', both, `${DPOP}${ERROR}${ALGS}`],
      ['Bearer DPoP', both, `${BEARER}${ERROR}`],
      ['Bearer a.b.c', ['DPoP'], `${DPOP}${ERROR}${ALGS}`],
      ['DPoP a.b.c', ['Bearer'], `${BEARER}${ERROR}`],
      ['DPoPs a.b.c', both, `${DPOP}${ERROR}${ALGS}, ${BEARER}${ERROR}`],
    ] as const) {
      assert.equal(challenge('TOKEN_INVALID', { authorization, schemes }), expected, authorization)
    }
  })

  test('every 401 asks for a credential; without one it names no error', () => {
    for (const code of codes) {
      const challenge = wwwAuthenticate(refusal(code), 'edgeward')
      if (errorRow(code).status === 401 && code !== 'CLIENT_MISMATCH') assert.ok(challenge, code)
      if (code === 'DPOP_PROOF_INVALID') {
        assert.equal(challenge, 'DPoP realm="edgeward", error="invalid_dpop_proof", algs="ES256"')
      } else if (challenge !== undefined) {
        assert.match(challenge, /^Bearer realm="edgeward"(, error="(invalid_token|insufficient_scope)")?$/)
      }
    }
    assert.equal(wwwAuthenticate(refusal('CREDENTIAL_MISSING'), 'edgeward'), 'Bearer realm="edgeward"')
    assert.equal(
      wwwAuthenticate(refusal('TOKEN_INVALID'), 'edgeward'),
      'Bearer realm="edgeward", error="invalid_token"',
    )
    assert.equal(wwwAuthenticate(refusal('INVALID_MSG_FORMAT'), 'edgeward'), undefined)
  })
})
