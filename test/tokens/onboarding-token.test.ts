import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sha256Base64url } from '../../src/octets/digest.ts'
import { keySetOf } from '../../src/tokens/key-set.ts'
import { issueOnboardingToken, verifyOnboardingToken } from '../../src/tokens/onboarding-token.ts'
import { AUTHORITY, ECS, ECS1, EES1, eesId, forge, fqdn, NOW, refused, SECONDS } from './parties.ts'

const issuance = { signer: AUTHORITY.signer, now: NOW, jti: 'jti-1' }
const grant = { iss: AUTHORITY.iss, aud: ECS, eesId: eesId('ees-1'), fqdn: EES1.fqdn }
const expected = { issuers: new Map([[AUTHORITY.iss, keySetOf([AUTHORITY.publicKey])]]), audience: ECS, now: NOW }
const spkiSha256 = sha256Base64url(EES1.publicKey.export({ type: 'spki', format: 'der' }))
const constraints = { provId: 'ecsp-1', endPoints: ['alt.ees1.example', '192.0.2.1', '2001:db8::1'], spkiSha256 }

const claims = {
  iss: AUTHORITY.iss,
  sub: 'ees-1',
  client_id: 'ees-1',
  aud: ECS,
  scope: 'ees-onboarding',
  fqdn: EES1.fqdn,
  jti: 'jti-1',
  iat: SECONDS,
  exp: SECONDS + 3600,
}
const forged = (changes: object) =>
  forge(
    { alg: 'ES256', typ: 'edge-onboarding+jwt', kid: AUTHORITY.kid },
    { ...claims, ...changes },
    AUTHORITY.privateKey,
  )

function payloadOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

describe('onboarding tokens: TR 33.839 6.Y.2 step 4, D-2', () => {
  test('the claims are those of D-2, and an hour is the usual life', async () => {
    assert.deepEqual(payloadOf(await issueOnboardingToken(grant, issuance)), claims)
    const { provId, endPoints } = constraints
    assert.deepEqual(payloadOf(await issueOnboardingToken({ ...grant, ...constraints }, issuance)), {
      ...claims,
      provId,
      endPt: endPoints,
      cnf: { 'spki#S256': spkiSha256 },
    })
  })

  test('the credential says what was granted, with and without constraints', async () => {
    const { aud: _, ...plain } = { ...grant, jti: 'jti-1', iat: SECONDS, exp: SECONDS + 3600 }
    assert.deepEqual(await verifyOnboardingToken(await issueOnboardingToken(grant, issuance), expected), plain)
    const token = await issueOnboardingToken({ ...grant, ...constraints }, issuance)
    assert.deepEqual(await verifyOnboardingToken(token, expected), { ...plain, ...constraints })
  })

  test('ON-02: of five tokens and five EESs, each token names its own EES and no other', async () => {
    const ees = [1, 2, 3, 4, 5].map((n) => ({ eesId: eesId(`ees-${n}`), fqdn: fqdn(`ees${n}.edge.example.com`) }))
    for (const named of ees) {
      const token = await issueOnboardingToken({ ...grant, ...named }, issuance)
      const credential = await verifyOnboardingToken(token, expected)
      const admitted = ees.filter((claimed) => claimed.eesId === credential.eesId && claimed.fqdn === credential.fqdn)
      assert.deepEqual(admitted, [named])
    }
  })

  test('a life of a day is issued, and taken by an ECS that is configured for it only', async () => {
    const token = await issueOnboardingToken(grant, { ...issuance, lifetime: 86_400 })
    await refused(verifyOnboardingToken(token, expected), 'ONBOARDING_TOKEN_INVALID', /longer than allowed/)
    await verifyOnboardingToken(token, { ...expected, maxLifetime: 86_400 })
    await assert.rejects(issueOnboardingToken(grant, { ...issuance, lifetime: 86_401 }), RangeError)
  })

  test('an issuer cannot make a token that no verifier takes', async () => {
    for (const host of ['', '*', '*.example', 'https://ees.example', 'ees.example/', 'u@ees.example', 'EES.example'])
      await assert.rejects(issueOnboardingToken({ ...grant, endPoints: [host] }, issuance), RangeError, host)
    for (const digest of ['', 'x', `${spkiSha256}=`, spkiSha256.slice(1)])
      await assert.rejects(issueOnboardingToken({ ...grant, spkiSha256: digest }, issuance), RangeError, digest)
  })

  test('only the authority invites: an ECS, or a stranger in its name, does not', async () => {
    const byEcs = await issueOnboardingToken({ ...grant, iss: ECS1.iss }, { ...issuance, signer: ECS1.signer })
    await refused(verifyOnboardingToken(byEcs, expected), 'ONBOARDING_TOKEN_INVALID', /issuer is not allowed/)
    const inItsName = await issueOnboardingToken(grant, { ...issuance, signer: ECS1.signer })
    await refused(verifyOnboardingToken(inItsName, expected), 'ONBOARDING_TOKEN_INVALID', /no key of its issuer/)
  })

  test('the scope is the one of onboarding and no wider', async () => {
    for (const scope of [
      'ees-onboarding eecs-eesregistration',
      'eecs-eesregistration',
      'EES-onboarding',
      'ees-onboarding ',
    ])
      await refused(verifyOnboardingToken(forged({ scope }), expected), 'ONBOARDING_TOKEN_INVALID', /onboarding/, scope)
  })

  test('the names in it are an EES ID and an FQDN', async () => {
    for (const sub of ['', ' ', '../ees-1', 'ees 1', 'x'.repeat(129), '-ees', 'ees\n', 'a..b'])
      await refused(verifyOnboardingToken(forged({ sub, client_id: sub }), expected), 'ONBOARDING_TOKEN_INVALID')
    for (const name of [
      undefined,
      '',
      'localhost',
      '*.example.com',
      '192.0.2.1',
      'ees1.example.com.',
      'a b.example',
      7,
    ])
      await refused(verifyOnboardingToken(forged({ fqdn: name }), expected), 'ONBOARDING_TOKEN_INVALID', /fqdn/, name)
    assert.equal((await verifyOnboardingToken(forged({ fqdn: 'EES1.Edge.Example.COM' }), expected)).fqdn, EES1.fqdn)
  })

  test('a constraint that cannot be read is refused, never dropped', async () => {
    const digest = { 'spki#S256': spkiSha256 }
    const unreadable: readonly object[] = [
      ...[null, '', 1, [], {}].map((provId) => ({ provId })),
      ...[null, '', 'ees1.example', {}, [1], [''], ['*'], ['a/b'], [['ees1.example']]].map((endPt) => ({ endPt })),
      ...[null, '', spkiSha256, [], {}, { jkt: spkiSha256 }, { 'x5t#S256': spkiSha256 }].map((cnf) => ({ cnf })),
      ...[{ ...digest, jkt: spkiSha256 }, { 'spki#S256': `${spkiSha256}=` }, { 'spki#S256': 1 }].map((cnf) => ({
        cnf,
      })),
    ]
    for (const changes of unreadable)
      await refused(
        verifyOnboardingToken(forged(changes), expected),
        'ONBOARDING_TOKEN_INVALID',
        /./,
        JSON.stringify(changes),
      )
    assert.deepEqual((await verifyOnboardingToken(forged({ endPt: [] }), expected)).endPoints, [])
  })
})
