import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Introspection, introspectToken } from '../../../src/ecs/authorization-server/introspect-token.ts'
import { requestToken, type TokenForm } from '../../../src/ecs/authorization-server/request-token.ts'
import { revokeToken } from '../../../src/ecs/authorization-server/revoke-token.ts'
import { sha256Base64url } from '../../../src/octets/digest.ts'
import { parseEecId } from '../../../src/spec/subscriber-identifiers.ts'
import { issueEecAccessToken } from '../../../src/tokens/eec-access-token.ts'
import { signJws } from '../../../src/tokens/jws.ts'
import { TOKEN_TYPES } from '../../../src/tokens/token-types.ts'
import { anEcs, aSigner, BADSOUTH, claimsOf, EAST, known, NORTH, NOW, REGISTERED, SOUTH, WEST } from './parties.ts'

const INACTIVE: Introspection = { active: false }
const FORM: TokenForm = { grant_type: 'client_credentials', scope: 'eees-eeccontextreloc' }

const tokenFor = async (ecs: ReturnType<typeof anEcs>, target = SOUTH) =>
  (await requestToken(ecs, NORTH, { ...FORM, resource: `https://${target.fqdn}` })).access_token

const tokenForEcs = async (ecs: ReturnType<typeof anEcs>) =>
  (await requestToken(ecs, NORTH, { ...FORM, scope: 'eecs-eesregistration' })).access_token

describe('token introspection: RFC 7662', () => {
  test('the audience of a token and its client learn what it says: RFC 7662 2.2, RFC 8705 3.2', async () => {
    const ecs = anEcs()
    const token = await tokenFor(ecs)
    const { jti } = claimsOf(token)
    const seconds = Math.floor(NOW / 1000)
    for (const caller of [SOUTH, NORTH]) {
      assert.deepEqual(await introspectToken(ecs, caller, { token }), {
        active: true,
        token_type: 'Bearer',
        iss: ecs.issuer,
        sub: NORTH.fqdn,
        client_id: NORTH.fqdn,
        aud: [SOUTH.fqdn],
        scope: 'eees-eeccontextreloc',
        cnf: { 'x5t#S256': NORTH.thumbprint },
        srcEcs: ecs.fqdn,
        jti,
        iat: seconds,
        exp: seconds + 300,
      })
    }
  })

  test('TK-14: every EES x every token: only client and audience see it, the others cause no look-up', async () => {
    const ecs = anEcs()
    const tokens = [
      { token: await tokenFor(ecs), parties: [NORTH, SOUTH] },
      { token: await tokenFor(ecs, WEST), parties: [NORTH, WEST] },
      { token: await tokenForEcs(ecs), parties: [NORTH] },
    ]
    for (const { token, parties } of tokens) {
      for (const caller of REGISTERED) {
        ecs.did.length = 0
        const answer = await introspectToken(ecs, caller, { token })
        assert.equal(answer.active, parties.includes(caller), caller.eesId)
        if (parties.includes(caller)) continue
        assert.deepEqual(answer, INACTIVE)
        assert.deepEqual(ecs.did, [])
      }
    }
  })

  const eecTokenFor = (ecs: ReturnType<typeof anEcs>, eecId: string) =>
    issueEecAccessToken(
      {
        iss: ecs.issuer,
        eecId: known(parseEecId(eecId)),
        aud: SOUTH.fqdn,
        scope: new Set(['eees-easdiscovery']),
        jkt: sha256Base64url('the key of the EEC'),
      },
      { signer: ecs.signer(), now: NOW, jti: 'a-token', lifetime: 600 },
    )

  test('TK-14: the EES learns of the token that an EEC shows to it: RFC 9449 6.2, and nobody else does', async () => {
    let now = NOW
    const ecs = anEcs({ now: () => now })
    const seconds = Math.floor(NOW / 1000)
    // An EEC that is called like an EES makes that one no party.
    for (const eecId of ['eec-1', NORTH.fqdn]) {
      const token = await eecTokenFor(ecs, eecId)
      assert.deepEqual(await introspectToken(ecs, SOUTH, { token }), {
        active: true,
        token_type: 'DPoP',
        iss: ecs.issuer,
        sub: eecId,
        client_id: eecId,
        aud: [SOUTH.fqdn],
        scope: 'eees-easdiscovery',
        cnf: { jkt: sha256Base64url('the key of the EEC') },
        jti: 'a-token',
        iat: seconds,
        exp: seconds + 600,
      })
      for (const caller of REGISTERED) {
        if (caller !== SOUTH) assert.deepEqual(await introspectToken(ecs, caller, { token }), INACTIVE, caller.eesId)
      }
    }
    const token = await eecTokenFor(ecs, 'eec-1')
    now = (seconds + 600) * 1000
    assert.deepEqual(await introspectToken(ecs, SOUTH, { token }), INACTIVE)
  })

  test('an EES ends no token of an EEC that has its name', async () => {
    const ecs = anEcs()
    const token = await eecTokenFor(ecs, NORTH.fqdn)
    for (const caller of REGISTERED) await revokeToken(ecs, caller, { token })
    assert.equal(ecs.revoked.size, 0)
  })

  const endings = [
    ['the token is revoked', { revoked: true, certificate: 'issued', registration: 'live' }],
    ['the certificate is revoked', { revoked: false, certificate: 'revoked', registration: 'live' }],
    ['the certificate was never issued', { revoked: false, certificate: 'intended', registration: 'live' }],
    ['the certificate is unknown', { revoked: false, certificate: undefined, registration: 'live' }],
    ['the registration expired', { revoked: false, certificate: 'issued', registration: 'expired' }],
    ['the EES deregistered', { revoked: false, certificate: 'issued', registration: 'deregistered' }],
    ['the registration was revoked', { revoked: false, certificate: 'issued', registration: 'revoked' }],
    ['the registration is unknown', { revoked: false, certificate: 'issued', registration: undefined }],
  ] as const
  for (const [title, standing] of endings) {
    test(`ON-11: ${title}: inactive, and nothing else is said`, async () => {
      const ecs = anEcs({ standing })
      for (const caller of [NORTH, SOUTH]) {
        assert.deepEqual(await introspectToken(ecs, caller, { token: await tokenFor(ecs) }), INACTIVE)
      }
    })
  }

  test('active to the last millisecond before exp', async () => {
    let now = NOW
    const ecs = anEcs({ now: () => now })
    const token = await tokenFor(ecs)
    const exp = Number(claimsOf(token)['exp']) * 1000
    now = exp - 1
    assert.equal((await introspectToken(ecs, SOUTH, { token })).active, true)
    now = exp
    assert.deepEqual(await introspectToken(ecs, SOUTH, { token }), INACTIVE)
  })

  test('TK-06: what is no access token of this ECS is inactive, even for those that it names', async () => {
    const ecs = anEcs()
    const token = await tokenFor(ecs)
    const claims = claimsOf(token)
    const ours = ecs.signer()
    const [header = '', payload = '', signature = ''] = token.split('.')
    const tokens = [
      '',
      'x',
      '..',
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${token}.${signature}`,
      'a'.repeat(9_000),
      await signJws(TOKEN_TYPES.access, claims, aSigner()),
      await signJws(TOKEN_TYPES.onboarding, claims, ours),
      await signJws(TOKEN_TYPES.forwarding, claims, ours),
      await signJws(TOKEN_TYPES.access, { ...claims, iss: 'https://ecs2.edge.example.com' }, ours),
      await signJws(TOKEN_TYPES.access, { ...claims, aud: [SOUTH.fqdn, WEST.fqdn] }, ours),
      await signJws(TOKEN_TYPES.access, { ...claims, aud: [] }, ours),
      await signJws(TOKEN_TYPES.access, { ...claims, aud: { fqdn: SOUTH.fqdn } }, ours),
      await signJws(TOKEN_TYPES.access, { ...claims, aud: [SOUTH.fqdn.toUpperCase()] }, ours),
      await signJws(TOKEN_TYPES.access, { ...claims, client_id: WEST.fqdn }, ours),
    ]
    for (const forged of tokens) {
      for (const caller of [NORTH, SOUTH, WEST]) {
        assert.deepEqual(await introspectToken(ecs, caller, { token: forged }), INACTIVE)
      }
    }
    assert.equal((await introspectToken(ecs, SOUTH, { token })).active, true)
  })

  test('a store that does not answer is no inactive token', async () => {
    const ecs = anEcs({ tokenStanding: () => Promise.reject(new Error('no store')) })
    await assert.rejects(introspectToken(ecs, SOUTH, { token: await tokenFor(ecs) }), { message: 'no store' })
  })
})

describe('token revocation: RFC 7009, D-31', () => {
  test('the client ends its token: from then on it is inactive, and no other token is', async () => {
    const ecs = anEcs()
    const [token, other] = [await tokenFor(ecs), await tokenFor(ecs)]
    await revokeToken(ecs, NORTH, { token })
    const { jti, exp } = claimsOf(token)
    assert.deepEqual([...ecs.revoked], [[jti, Number(exp) * 1000]])
    assert.deepEqual(await introspectToken(ecs, SOUTH, { token }), INACTIVE)
    assert.equal((await introspectToken(ecs, SOUTH, { token: other })).active, true)
  })

  test('nobody else does, the audience included; the answer is the same', async () => {
    const ecs = anEcs()
    const token = await tokenFor(ecs)
    for (const stranger of [SOUTH, WEST, EAST, BADSOUTH]) {
      assert.equal(await revokeToken(ecs, stranger, { token }), undefined)
    }
    assert.equal(ecs.revoked.size, 0)
    assert.equal((await introspectToken(ecs, SOUTH, { token })).active, true)
  })

  test('what is no token, or one no more, is no error: RFC 7009 2.2', async () => {
    let now = NOW
    const ecs = anEcs({ now: () => now })
    const token = await tokenFor(ecs)
    now = NOW + 301_000
    for (const nothing of ['', 'x', 'a.b.c', token]) await revokeToken(ecs, NORTH, { token: nothing })
    assert.equal(ecs.revoked.size, 0)
  })

  test('a revocation that was not stored is an error', async () => {
    const ecs = anEcs({ revokeToken: () => Promise.reject(new Error('no store')) })
    await assert.rejects(revokeToken(ecs, NORTH, { token: await tokenForEcs(ecs) }), { message: 'no store' })
  })
})
