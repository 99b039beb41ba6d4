import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hashedTokenId } from '../../../src/ecs/audit.ts'
import { decide } from '../../../src/ecs/authorization-server/decide.ts'
import type { EesTokenRequest } from '../../../src/ecs/authorization-server/issue-token.ts'
import { firstToken, requestToken, type TokenForm } from '../../../src/ecs/authorization-server/request-token.ts'
import type { EesPeer } from '../../../src/ecs/registrar/registration.ts'
import { systemRandom } from '../../../src/ports/random.ts'
import type { Fqdn } from '../../../src/spec/identifiers.ts'
import { Refusal } from '../../../src/spec/refusal.ts'
import { verifyAccessToken } from '../../../src/tokens/access-token.ts'
import { anEcs, claimsOf, EAST, ECS, ISSUER, NORTH, NOW, policyOf, refused, SOUTH, WEST } from './parties.ts'

const SECONDS = Math.floor(NOW / 1000)
const FOR_ECS: TokenForm = { grant_type: 'client_credentials', scope: 'eecs-eesregistration' }
const FOR_SOUTH: TokenForm = { ...FOR_ECS, scope: 'eees-eeccontextreloc', resource: `https://${SOUTH.fqdn}` }
/** Where a rule speaks of one EEC, and of no other. */
const WITH_EEC = policyOf(`
rules:
  - id: one-eec
    effect: allow
    fqdn: '*.north.example.com'
    scopes: [eees-eeccontextreloc]
    target: '*.south.example.com'
    eecIds: [eec-1]
`)

describe('an access token: TS 33.501 13.4.1.1.2 step 1', () => {
  test('for the ECS: D-11, RFC 9068 2.2, RFC 8705 3.1', async () => {
    const answer = await requestToken(anEcs(), NORTH, FOR_ECS)
    const { access_token, ...rest } = answer
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 600, scope: 'eecs-eesregistration' })
    const { jti, ...claims } = claimsOf(access_token)
    assert.match(String(jti), /^[\w-]{22}$/)
    assert.deepEqual(claims, {
      iss: ISSUER,
      sub: NORTH.fqdn,
      client_id: NORTH.fqdn,
      aud: [ECS],
      scope: 'eecs-eesregistration',
      cnf: { 'x5t#S256': NORTH.thumbprint },
      iat: SECONDS,
      exp: SECONDS + 600,
    })
  })

  test('for another EES, named by its FQDN or by its registration: D-17', async () => {
    const { resource: _, ...byRegistration } = FOR_SOUTH
    const targetNfInstanceId = SOUTH.registration.registrationId
    for (const form of [FOR_SOUTH, { ...byRegistration, targetNfInstanceId }]) {
      const { access_token, expires_in } = await requestToken(anEcs(), NORTH, form)
      const { aud, sub, scope, iat, exp } = claimsOf(access_token)
      assert.deepEqual([aud, sub, scope], [[SOUTH.fqdn], NORTH.fqdn, 'eees-eeccontextreloc'])
      assert.deepEqual([iat, exp, expires_in], [SECONDS, SECONDS + 300, 300])
    }
  })

  test('for another EES: D-17, with the ECS of the client, and with an EEC where a rule speaks of it', async () => {
    const [plain, forEec] = [anEcs(), anEcs({ policy: () => WITH_EEC })]
    assert.equal(claimsOf((await requestToken(plain, NORTH, FOR_SOUTH)).access_token)['srcEcs'], ECS)
    const { access_token } = await requestToken(forEec, NORTH, { ...FOR_SOUTH, eecId: 'eec-1' })
    const { srcEcs, eecId } = claimsOf(access_token)
    assert.deepEqual([srcEcs, eecId], [ECS, 'eec-1'])
  })

  test('an EEC that no rule speaks of, or that is none, is refused, and so is one in a token for the ECS', async () => {
    await refused(requestToken(anEcs(), NORTH, { ...FOR_SOUTH, eecId: 'eec-1' }), 'SCOPE_NOT_GRANTED')
    const ecs = anEcs({ policy: () => WITH_EEC })
    await refused(requestToken(ecs, NORTH, { ...FOR_SOUTH, eecId: 'eec-2' }), 'SCOPE_NOT_GRANTED')
    await refused(requestToken(ecs, NORTH, FOR_SOUTH), 'SCOPE_NOT_GRANTED')
    await refused(requestToken(ecs, NORTH, { ...FOR_SOUTH, eecId: '../eec' }), 'OPTIONAL_IE_INCORRECT')
    await refused(requestToken(ecs, NORTH, { ...FOR_ECS, eecId: 'eec-1' }), 'OPTIONAL_IE_INCORRECT')
    assert.deepEqual(ecs.issues, [])
  })

  test('FW-02: what may leave for another ECS is known, checked and allowed; nothing else leaves', async () => {
    const forwarded: EesTokenRequest[] = []
    const elsewhere = 'ees9.south.example.com'
    const answer = { access_token: 'x', token_type: 'Bearer', expires_in: 1, scope: 'y' } as const
    const forward = async (request: EesTokenRequest) => {
      forwarded.push(request)
      return answer
    }
    const ecs = anEcs({ forward })
    const ended = { ...NORTH, registration: { ...NORTH.registration, expiresAt: NOW } }
    const asked = { ...FOR_SOUTH, resource: `https://${elsewhere}` }
    const wrong: [EesPeer, TokenForm][] = [
      [ended, asked],
      [WEST, asked],
      [NORTH, { ...asked, client_id: WEST.fqdn }],
      [NORTH, { ...asked, requesterFqdn: WEST.fqdn }],
      [NORTH, { ...asked, scope: 'eees-cea' }],
      [NORTH, { ...asked, scope: '*' }],
      [NORTH, { ...asked, eecId: 'eec-1' }],
      [NORTH, { ...asked, grant_type: 'password' }],
      [NORTH, { ...asked, resource: `https://${elsewhere}:8443` }],
      [NORTH, { ...asked, resource: 'https://192.0.2.1' }],
    ]
    for (const [client, form] of wrong) await assert.rejects(requestToken(ecs, client, form), { name: 'Refusal' })
    assert.deepEqual(forwarded, [])
    assert.equal(await requestToken(ecs, NORTH, asked), answer)
    const client = { fqdn: NORTH.fqdn, certificateThumbprint: NORTH.thumbprint }
    assert.deepEqual(forwarded, [
      { client, target: elsewhere, scope: new Set(['eees-eeccontextreloc']), eecId: undefined },
    ])
    assert.deepEqual(ecs.issues, [])
  })

  test('for several services at once, each named once', async () => {
    const scope = 'est eecs-eesregistration est'
    const { access_token, scope: granted } = await requestToken(anEcs(), NORTH, { ...FOR_ECS, scope })
    assert.equal(granted, 'est eecs-eesregistration')
    assert.equal(claimsOf(access_token)['scope'], granted)
  })

  test('the ECS can be named like any other target, and then nobody is looked up', async () => {
    const ecs = anEcs()
    for (const resource of [ISSUER, `https://${ECS}`, `https://${ECS.toUpperCase()}`]) {
      const { access_token } = await requestToken(ecs, NORTH, { ...FOR_ECS, resource })
      assert.deepEqual(claimsOf(access_token)['aud'], [ECS])
    }
    assert.ok(!ecs.did.includes('findEes'))
  })

  test('each token has an identifier of its own', async () => {
    const ecs = anEcs()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => requestToken(ecs, NORTH, FOR_ECS)))
    assert.equal(new Set(tokens.map(({ access_token }) => claimsOf(access_token)['jti'])).size, 20)
  })

  test('it does not outlive the registration by more than the rest of a second', async () => {
    const registration = { ...NORTH.registration, expiresAt: NOW + 4_500 }
    const answer = await requestToken(anEcs(), { ...NORTH, registration }, FOR_ECS)
    assert.deepEqual([answer.expires_in, claimsOf(answer.access_token)['exp']], [5, SECONDS + 5])
  })

  test('RS-04: what is for the south is refused in the west, at the ECS, and from another client', async () => {
    const ecs = anEcs()
    const { access_token } = await requestToken(ecs, NORTH, FOR_SOUTH)
    const judge = (audience: Fqdn, client: EesPeer) =>
      verifyAccessToken(access_token, {
        issuers: new Map([[ISSUER, ecs.verificationKeys()]]),
        audience,
        client: { fqdn: client.fqdn, certificateThumbprints: [client.thumbprint] },
        scope: new Set(['eees-eeccontextreloc']),
        now: NOW,
      })
    assert.equal((await judge(SOUTH.fqdn, NORTH)).sub, NORTH.fqdn)
    await refused(judge(WEST.fqdn, NORTH), 'TOKEN_INVALID')
    await refused(judge(ECS, NORTH), 'TOKEN_INVALID')
    await refused(judge(SOUTH.fqdn, EAST), 'TOKEN_INVALID')
    await refused(judge(SOUTH.fqdn, { ...NORTH, thumbprint: EAST.thumbprint }), 'TOKEN_INVALID')
  })
})

describe('the client: RFC 8705 2, TS 33.501 13.4.1.1.2 step 1', () => {
  const another: readonly Partial<TokenForm>[] = [
    { client_id: SOUTH.fqdn },
    { client_id: NORTH.eesId },
    { client_id: NORTH.fqdn.toUpperCase() },
    { client_id: `${NORTH.fqdn}.` },
    { client_id: NORTH.registration.registrationId },
    { nfInstanceId: SOUTH.registration.registrationId },
    { nfInstanceId: NORTH.fqdn },
    { requesterFqdn: SOUTH.fqdn },
    { requesterFqdn: 'north.example.com' },
    { client_id: NORTH.fqdn, nfInstanceId: SOUTH.registration.registrationId },
    { client_id: NORTH.fqdn, requesterFqdn: SOUTH.fqdn },
  ]
  for (const parameters of another) {
    test(`TK-08: ${JSON.stringify(parameters)} is invalid_client; nobody is looked up`, async () => {
      const ecs = anEcs()
      await refused(requestToken(ecs, NORTH, { ...FOR_SOUTH, ...parameters }), 'CLIENT_MISMATCH')
      assert.deepEqual(ecs.did, [])
    })
  }

  test('TK-08: the same parameters with its own identity are its request', async () => {
    const { fqdn, registration } = NORTH
    const own = { client_id: fqdn, requesterFqdn: fqdn, nfInstanceId: registration.registrationId }
    assert.equal((await requestToken(anEcs(), NORTH, { ...FOR_SOUTH, ...own })).scope, 'eees-eeccontextreloc')
  })

  for (const name of ['client_secret', 'client_assertion', 'client_assertion_type']) {
    test(`${name} would be a second client authentication: RFC 6749 2.3`, async () => {
      await refused(requestToken(anEcs(), NORTH, { ...FOR_ECS, [name]: 'x' } as TokenForm), 'OPTIONAL_IE_INCORRECT')
    })
  }

  for (const state of ['expired', 'deregistered', 'revoked'] as const) {
    test(`ON-11: an EES whose registration is ${state} has no token`, async () => {
      const ecs = anEcs()
      const registration = { ...NORTH.registration, state }
      await refused(requestToken(ecs, { ...NORTH, registration }, FOR_ECS), 'CERTIFICATE_NOT_ACCEPTED')
      assert.deepEqual(ecs.did, [])
    })
  }

  test('ON-11: nor has one whose time has passed, from the very millisecond on', async () => {
    const until = (expiresAt: number) => ({ ...NORTH, registration: { ...NORTH.registration, expiresAt } })
    await refused(requestToken(anEcs(), until(NOW), FOR_ECS), 'CERTIFICATE_NOT_ACCEPTED')
    assert.equal((await requestToken(anEcs(), until(NOW + 1), FOR_ECS)).expires_in, 1)
  })
})

describe('the form: RFC 6749 4.4.2, TS 29.510 AccessTokenReq', () => {
  test('only the client credentials grant', async () => {
    for (const grant_type of ['authorization_code', 'password', 'refresh_token', 'Client_Credentials', '*']) {
      await refused(requestToken(anEcs(), NORTH, { ...FOR_ECS, grant_type }), 'UNSUPPORTED_GRANT_TYPE')
    }
  })

  test('parameters without value count as omitted: RFC 6749 3.2', async () => {
    const empty = { client_id: '', nfInstanceId: '', requesterFqdn: '', resource: '', targetNfInstanceId: '' }
    const form = { ...FOR_ECS, ...empty, targetNfType: '', client_secret: '' }
    assert.equal((await requestToken(anEcs(), NORTH, form)).scope, 'eecs-eesregistration')
    await refused(requestToken(anEcs(), NORTH, { ...FOR_ECS, scope: '' }), 'MANDATORY_IE_MISSING')
    await refused(requestToken(anEcs(), NORTH, { ...FOR_ECS, grant_type: '' }), 'MANDATORY_IE_MISSING')
  })

  test('parameters that nothing depends on are not read', async () => {
    const form = { ...FOR_ECS, nfType: 'AF', vendorId: '000001', afId: 'x', requesterPlmn: '{}', constructor: 'x' }
    assert.equal((await requestToken(anEcs(), NORTH, form as TokenForm)).scope, 'eecs-eesregistration')
  })

  const widening = [
    'audience',
    'hnrfAccessTokenUri',
    'sourceNfInstanceId',
    'targetNfServiceSetId',
    'targetNfSetId',
    'targetNfType',
    'targetNsiList',
    'targetPlmn',
    'targetSnpn',
    'targetSnssaiList',
  ]
  for (const name of widening) {
    test(`TK-07: ${name} would widen the audience`, async () => {
      for (const form of [FOR_ECS, FOR_SOUTH]) {
        const ecs = anEcs()
        const request = requestToken(ecs, NORTH, { ...form, [name]: 'AF' })
        await assert.rejects(request, { code: 'OPTIONAL_IE_INCORRECT', invalidParams: [{ param: name }] })
        assert.deepEqual(ecs.did, [])
      }
    })
  }

  const badTargets: readonly Partial<TokenForm>[] = [
    { resource: SOUTH.fqdn },
    { resource: `http://${SOUTH.fqdn}` },
    { resource: `HTTPS://${SOUTH.fqdn}` },
    { resource: `https://${SOUTH.fqdn}/` },
    { resource: `https://${SOUTH.fqdn}:443` },
    { resource: `https://${SOUTH.fqdn}#` },
    { resource: `https://${SOUTH.fqdn}?` },
    { resource: `https://${SOUTH.fqdn}.` },
    { resource: `https://${NORTH.fqdn}@${SOUTH.fqdn}` },
    { resource: 'https://*.south.example.com' },
    { resource: 'https://192.0.2.1' },
    { resource: `${ISSUER}/` },
    { resource: 'https://' },
    { targetNfInstanceId: SOUTH.fqdn },
    { targetNfInstanceId: SOUTH.registration.registrationId.replace('-4', '-1') },
    { targetNfInstanceId: `{${SOUTH.registration.registrationId}}` },
    { resource: `https://${SOUTH.fqdn}`, targetNfInstanceId: SOUTH.registration.registrationId },
  ]
  for (const target of badTargets) {
    test(`TK-03: ${JSON.stringify(target)} names no target`, async () => {
      const ecs = anEcs()
      const { resource: _, ...form } = FOR_SOUTH
      await refused(requestToken(ecs, NORTH, { ...form, ...target }), 'OPTIONAL_IE_INCORRECT')
      assert.deepEqual(ecs.did, [])
    })
  }
})

describe('authorization: D-10', () => {
  const refusalOf = (form: TokenForm, client = NORTH) =>
    requestToken(anEcs(), client, form).then(
      () => assert.fail('a token was issued'),
      (error: unknown) => (error instanceof Refusal ? error : assert.fail(String(error))),
    )

  test('HT-12: a target that is unknown and one that is not allowed are refused with the same words', async () => {
    const unknown = await refusalOf({ ...FOR_SOUTH, resource: 'https://ees9.south.example.com' })
    const notAllowed = await refusalOf({ ...FOR_SOUTH, resource: `https://${EAST.fqdn}` })
    const unknownId = { grant_type: 'client_credentials', scope: FOR_SOUTH.scope }
    const byId = await refusalOf({ ...unknownId, targetNfInstanceId: '11111111-1111-4111-8111-111111111111' })
    for (const { code, detail, invalidParams } of [unknown, notAllowed, byId]) {
      assert.deepEqual(
        [code, detail, invalidParams],
        ['SCOPE_NOT_GRANTED', 'the scope is not granted for this target', []],
      )
    }
    assert.match(String(notAllowed.cause), /no rule allows EES ees-north/)
  })

  test('TK-07: one name that is refused refuses the request, wherever it stands', async () => {
    for (const scope of ['est eees-cea', 'eees-cea est', 'est ees-onboarding', 'est EST']) {
      const ecs = anEcs()
      await refused(requestToken(ecs, NORTH, { ...FOR_ECS, scope }), 'SCOPE_NOT_GRANTED')
      assert.deepEqual(ecs.did, [])
    }
  })

  test('the rule is about the client of the certificate', async () => {
    await refused(requestToken(anEcs(), EAST, FOR_SOUTH), 'SCOPE_NOT_GRANTED')
  })

  test('the policy is the one that holds when the request comes', async () => {
    let policy = policyOf('rules: []')
    const ecs = anEcs({ policy: () => policy })
    await refused(requestToken(ecs, NORTH, FOR_ECS), 'SCOPE_NOT_GRANTED')
    policy = policyOf(`rules: [{ id: all, effect: allow, eesId: '*', scopes: ['*'], target: ecs }]`)
    assert.equal((await requestToken(ecs, NORTH, FOR_ECS)).token_type, 'Bearer')
  })
})

describe('the audit trail: D-33', () => {
  test('an issue is recorded before anything is signed, with the identifier as a hash', async () => {
    const ecs = anEcs()
    const { access_token } = await requestToken(ecs, NORTH, FOR_SOUTH)
    assert.deepEqual(ecs.did, ['findEes', 'recordTokenIssue', 'sign'])
    const token = hashedTokenId(String(claimsOf(access_token)['jti']))
    assert.deepEqual(ecs.issues, [{ token, client: NORTH.fqdn, audience: SOUTH.fqdn, scope: 'eees-eeccontextreloc' }])
  })

  test('what cannot be recorded is not signed', async () => {
    const ecs = anEcs({ recordTokenIssue: () => Promise.reject(new Error('the disk is full')) })
    await assert.rejects(requestToken(ecs, NORTH, FOR_ECS), { message: 'the disk is full' })
    assert.deepEqual(ecs.did, [])
  })

  test('TK-03: the identifier has 128 random bits', async () => {
    const asked: number[] = []
    const octets = (count: number) => {
      asked.push(count)
      return systemRandom.octets(count)
    }
    await requestToken(anEcs({ random: { octets } }), NORTH, FOR_ECS)
    assert.deepEqual(asked, [16])
  })
})

describe('the token of the registration response: TR 33.839 6.Y.2 step 4', () => {
  test('is for everything of this ECS that takes tokens and that policy allows', async () => {
    const everything = `rules: [{ id: all, effect: allow, eesId: '*', scopes: ['*'], target: ecs }]`
    const scopeUnder = async (text: string) =>
      (await firstToken(anEcs({ policy: () => policyOf(text) }), NORTH))?.scope.split(' ').sort()
    assert.deepEqual(await scopeUnder(everything), ['eecs-eesregistration', 'est'])
    assert.deepEqual(await scopeUnder(`{ authorization: { est: static }, ${everything} }`), ['eecs-eesregistration'])
    assert.equal(await scopeUnder('rules: []'), undefined)
  })

  test('is the token that the EES would ask for', async () => {
    const ecs = anEcs()
    const answer = await firstToken(ecs, NORTH)
    assert.ok(answer)
    const { aud, sub, cnf } = claimsOf(answer.access_token)
    assert.deepEqual([aud, sub, cnf], [[ECS], NORTH.fqdn, { 'x5t#S256': NORTH.thumbprint }])
    const granted = (scope: string) => decide(ecs.policy(), { ...NORTH, scope, target: 'ecs' }).allowed
    assert.ok(answer.scope.split(' ').every(granted))
  })
})
