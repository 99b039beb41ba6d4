import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import {
  type AccessAttempt,
  type AccessTokenReader,
  checkAccess,
  issueAccessToken,
  readAccessToken,
  verifyAccessToken,
} from '../../src/tokens/access-token.ts'
import { type KeySource, keySetOf, readJwkSet, toJwkSet } from '../../src/tokens/key-set.ts'
import { aParty, ECS, ECS1, ECS2, EES1, forge, fqdn, NOW, refused, SECONDS, scope } from './parties.ts'

const OTHER_THUMBPRINT = `${'B'.repeat(42)}A`
const EES2 = { fqdn: fqdn('ees2.edge.example.com'), certificateThumbprint: OTHER_THUMBPRINT }
const issuance = { signer: ECS1.signer, now: NOW, jti: 'jti-1' }
const grant = {
  iss: ECS1.iss,
  sub: EES1.fqdn,
  aud: ECS,
  scope: scope('eecs-eesregistration eecs-targeteesdiscovery'),
  certificateThumbprint: EES1.certificateThumbprint,
}

type Expected = AccessTokenReader & AccessAttempt

function expected(changes: Partial<Expected> = {}): Expected {
  return {
    issuers: new Map([[ECS1.iss, keySetOf([ECS1.publicKey])]]),
    audience: ECS,
    client: { fqdn: EES1.fqdn, certificateThumbprints: [EES1.certificateThumbprint] },
    scope: scope('eecs-eesregistration'),
    now: NOW,
    ...changes,
  }
}

const client = (name: Fqdn, ...certificateThumbprints: string[]) => ({ client: { fqdn: name, certificateThumbprints } })

describe('access tokens: TS 33.501 13.4.1.1.2 step 2, RFC 9068, RFC 8705', () => {
  test('what is granted is what is verified', async () => {
    const claims = await verifyAccessToken(await issueAccessToken(grant, issuance), expected())
    assert.deepEqual(claims, {
      iss: ECS1.iss,
      sub: EES1.fqdn,
      client_id: EES1.fqdn,
      aud: [ECS],
      scope: 'eecs-eesregistration eecs-targeteesdiscovery',
      cnf: { 'x5t#S256': EES1.certificateThumbprint },
      jti: 'jti-1',
      iat: SECONDS,
      exp: SECONDS + 600,
    })
  })

  test('D-17: the EEC and the ECS of the client are claims of their own, and neither is dropped because it is unreadable', async () => {
    const eecId = 'eec-1' as EecId
    const srcEcs = fqdn('ecs2.edge.example.com')
    const claims = await verifyAccessToken(await issueAccessToken({ ...grant, eecId, srcEcs }, issuance), expected())
    assert.deepEqual([claims.eecId, claims.srcEcs], [eecId, srcEcs])
    const wrong = [{ eecId: '' }, { eecId: 7 }, { eecId: ['eec-1'] }, { eecId: '../eec' }, { eecId: null }]
    const wrongEcs = ['', 'ecs2', 'ECS2.edge.example.com', '192.0.2.1', 7, null].map((name) => ({ srcEcs: name }))
    for (const change of [...wrong, ...wrongEcs]) {
      const honest = { ...claims, aud: ECS, ...change }
      const header = { alg: 'ES256', typ: 'at+jwt', kid: ECS1.kid }
      await refused(verifyAccessToken(forge(header, honest, ECS1.privateKey), expected()), 'TOKEN_INVALID')
    }
  })

  test('an issuer cannot make a token that no verifier takes', async () => {
    const thumbprints = ['', 'x', `${'B'.repeat(42)}B`, `${'B'.repeat(42)}=`, EES1.certificateThumbprint.slice(1)]
    for (const certificateThumbprint of thumbprints)
      await assert.rejects(issueAccessToken({ ...grant, certificateThumbprint }, issuance), RangeError)
    for (const names of [[], [''], ['a', ''], ['a,b'], ['*']])
      await assert.rejects(issueAccessToken({ ...grant, scope: new Set(names) }, issuance), RangeError)
    for (const lifetime of [0, -1, 1.5, 901, Number.NaN])
      await assert.rejects(issueAccessToken(grant, { ...issuance, lifetime }), RangeError)
    for (const jti of ['', 'a b', 'x'.repeat(129)])
      await assert.rejects(issueAccessToken(grant, { ...issuance, jti }), RangeError)
  })
})

describe('(1) and (2) issuer and signature', () => {
  const claimsOf = (iss: string) => ({
    iss,
    sub: EES1.fqdn,
    client_id: EES1.fqdn,
    aud: ECS,
    scope: 'eecs-eesregistration',
    cnf: { 'x5t#S256': EES1.certificateThumbprint },
    jti: 'x',
    iat: SECONDS,
    exp: SECONDS + 60,
  })
  const signed = (iss: string, by: { privateKey: typeof ECS1.privateKey }, kid: string) =>
    forge({ alg: 'ES256', typ: 'at+jwt', kid }, claimsOf(iss), by.privateKey)
  const both = expected({
    issuers: new Map([
      [ECS1.iss, keySetOf([ECS1.publicKey])],
      [ECS2.iss, keySetOf([ECS2.publicKey])],
    ]),
  })

  test('TK-04: of two allowed issuers, each speaks for itself', async () => {
    await verifyAccessToken(signed(ECS1.iss, ECS1, ECS1.kid), both)
    await verifyAccessToken(signed(ECS2.iss, ECS2, ECS2.kid), both)
    const keyOfOther = signed(ECS1.iss, ECS2, ECS2.kid)
    await refused(verifyAccessToken(keyOfOther, both), 'TOKEN_INVALID', /no key of its issuer/)
    const kidOfNamed = signed(ECS1.iss, ECS2, ECS1.kid)
    await refused(verifyAccessToken(kidOfNamed, both), 'TOKEN_INVALID', /signature is not valid/)
  })

  test('TK-04: one kid in both key sets makes no difference', async () => {
    const sources: ReadonlyMap<string, KeySource> = new Map([
      [ECS1.iss, new Map([['1', ECS1.publicKey]])],
      [ECS2.iss, new Map([['1', ECS2.publicKey]])],
    ])
    const sameKid = expected({ issuers: sources })
    await verifyAccessToken(signed(ECS1.iss, ECS1, '1'), sameKid)
    await refused(verifyAccessToken(signed(ECS1.iss, ECS2, '1'), sameKid), 'TOKEN_INVALID', /signature is not valid/)
    await refused(verifyAccessToken(signed(ECS2.iss, ECS1, '1'), sameKid), 'TOKEN_INVALID', /signature is not valid/)
  })

  test('TK-04: swapped JWKSs refuse both, and a JWKS under foreign kids is no JWKS', async () => {
    const swapped = expected({
      issuers: new Map([
        [ECS1.iss, keySetOf([ECS2.publicKey])],
        [ECS2.iss, keySetOf([ECS1.publicKey])],
      ]),
    })
    await refused(verifyAccessToken(signed(ECS1.iss, ECS1, ECS1.kid), swapped), 'TOKEN_INVALID')
    await refused(verifyAccessToken(signed(ECS2.iss, ECS2, ECS2.kid), swapped), 'TOKEN_INVALID')
    const { keys } = toJwkSet(keySetOf([ECS2.publicKey]))
    const disguised = { keys: keys.map((jwk) => ({ ...jwk, kid: ECS1.kid })) }
    assert.throws(() => readJwkSet(Buffer.from(JSON.stringify(disguised))), TypeError)
  })

  test('TK-04: an issuer that is not allowed here, or nearly has the name of one that is', async () => {
    const names = [
      '',
      'ECS1.edge.example.com',
      `${ECS1.iss}.`,
      `https://${ECS1.iss}`,
      `${ECS1.iss} `,
      'edge.example.com',
    ]
    for (const iss of [...names, ECS2.iss, '__proto__', 'constructor', 'size'])
      await refused(verifyAccessToken(signed(iss, ECS1, ECS1.kid), expected()), 'TOKEN_INVALID', /iss/, iss)
    const nobody = expected({ issuers: new Map() })
    await refused(verifyAccessToken(signed(ECS1.iss, ECS1, ECS1.kid), nobody), 'TOKEN_INVALID', /not allowed here/)
  })

  test('TK-13: two keys overlap, then the old one is gone', async () => {
    const next = aParty()
    const old = signed(ECS1.iss, ECS1, ECS1.kid)
    const fresh = signed(ECS1.iss, next, next.kid)
    const withKeys = (...keys: (typeof ECS1.publicKey)[]) =>
      expected({ issuers: new Map([[ECS1.iss, keySetOf(keys)]]) })
    for (const token of [old, fresh]) await verifyAccessToken(token, withKeys(next.publicKey, ECS1.publicKey))
    await verifyAccessToken(fresh, withKeys(next.publicKey))
    await refused(verifyAccessToken(old, withKeys(next.publicKey)), 'TOKEN_INVALID', /no key of its issuer/)
  })

  test('a key may come from a source that has to ask for it', async () => {
    const asked: string[] = []
    const source: KeySource = {
      get: async (kid) => {
        asked.push(kid)
        return kid === ECS1.kid ? ECS1.publicKey : undefined
      },
    }
    const remote = expected({ issuers: new Map([[ECS1.iss, source]]) })
    await verifyAccessToken(signed(ECS1.iss, ECS1, ECS1.kid), remote)
    await refused(verifyAccessToken(signed(ECS1.iss, ECS1, 'unknown'), remote), 'TOKEN_INVALID')
    await refused(verifyAccessToken(signed(ECS2.iss, ECS1, 'not asked for'), remote), 'TOKEN_INVALID')
    assert.deepEqual(asked, [ECS1.kid, 'unknown'])
  })
})

describe('(3) subject, and RFC 8705 3', () => {
  test('TK-05: the token of A over the valid certificate of B', async () => {
    const token = await issueAccessToken(grant, issuance)
    const asB = expected(client(EES2.fqdn, EES2.certificateThumbprint))
    await refused(verifyAccessToken(token, asB), 'TOKEN_INVALID', /belongs to another client/)
    const nameOfA = expected(client(EES1.fqdn, EES2.certificateThumbprint))
    await refused(verifyAccessToken(token, nameOfA), 'TOKEN_INVALID', /bound to another certificate/)
    const certificateOfA = expected(client(EES2.fqdn, EES1.certificateThumbprint))
    await refused(verifyAccessToken(token, certificateOfA), 'TOKEN_INVALID', /belongs to another client/)
  })

  test('TK-05: over a renewed certificate of A: refused, unless policy knows the one before', async () => {
    const token = await issueAccessToken(grant, issuance)
    const renewed = expected(client(EES1.fqdn, OTHER_THUMBPRINT))
    await refused(verifyAccessToken(token, renewed), 'TOKEN_INVALID', /bound to another certificate/)
    await verifyAccessToken(token, expected(client(EES1.fqdn, OTHER_THUMBPRINT, EES1.certificateThumbprint)))
    await refused(verifyAccessToken(token, expected(client(EES1.fqdn))), 'TOKEN_INVALID', /bound to another/)
  })

  test('TK-05: a token that is bound to nothing, or not to a certificate', async () => {
    const [, payload = ''] = (await issueAccessToken(grant, issuance)).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const digest = EES1.certificateThumbprint
    const unbound = [undefined, null, {}, [], digest, [digest], { jkt: digest }, { 'x5t#s256': digest }]
    for (const cnf of [...unbound, { 'x5t#S256': [digest] }, { 'x5t#S256': '' }, { 'x5t#S256': `${digest}=` }]) {
      const token = forge({ alg: 'ES256', typ: 'at+jwt', kid: ECS1.kid }, { ...claims, cnf }, ECS1.privateKey)
      await refused(verifyAccessToken(token, expected()), 'TOKEN_INVALID', /not bound/, JSON.stringify(cnf))
    }
  })
})

describe('(4) audience', () => {
  test('RS-04: a token captured at the T-EES is worth nothing at a third EES or at the ECS', async () => {
    const [target, third] = [fqdn('target.edge.example.com'), fqdn('third.edge.example.com')]
    const token = await issueAccessToken({ ...grant, aud: target }, issuance)
    await verifyAccessToken(token, expected({ audience: target }))
    for (const audience of [third, ECS, EES1.fqdn])
      await refused(verifyAccessToken(token, expected({ audience })), 'TOKEN_INVALID', /for another audience/)
  })

  test('RS-04: nor is it at its own audience, over the connection of who captured it', async () => {
    const target = fqdn('target.edge.example.com')
    const token = await issueAccessToken({ ...grant, aud: target }, issuance)
    const captor = expected({ audience: target, ...client(EES2.fqdn, EES2.certificateThumbprint) })
    await refused(verifyAccessToken(token, captor), 'TOKEN_INVALID', /belongs to another client/)
  })
})

describe('(5) scope', () => {
  test('covers the operation, or the refusal is of its own kind', async () => {
    const token = await issueAccessToken(grant, issuance)
    for (const wanted of ['eecs-eesregistration', 'eecs-targeteesdiscovery eecs-eesregistration'])
      await verifyAccessToken(token, expected({ scope: scope(wanted) }))
    for (const wanted of ['eecs', 'eecs-eesregistration:read', 'eecs-eesregistration eecs-ecsdiscovery'])
      await refused(verifyAccessToken(token, expected({ scope: scope(wanted) })), 'INSUFFICIENT_SCOPE', /./, wanted)
    await refused(verifyAccessToken(token, expected({ scope: new Set() })), 'INSUFFICIENT_SCOPE')
  })

  test('nothing is told about the scope of a token that is not good otherwise', async () => {
    const token = await issueAccessToken(grant, issuance)
    const wanted = { scope: scope('other') }
    await refused(verifyAccessToken(token, expected({ ...wanted, now: NOW + 600_000 })), 'TOKEN_INVALID')
    await refused(verifyAccessToken(token, expected({ ...wanted, audience: EES1.fqdn })), 'TOKEN_INVALID')
    await refused(verifyAccessToken(token, expected({ ...wanted, ...client(EES2.fqdn) })), 'TOKEN_INVALID')
  })

  test('a token with a malformed scope is no token', async () => {
    const [, payload = ''] = (await issueAccessToken(grant, issuance)).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    for (const text of [' ', 'a  b', '*', 'a,b', 'a\n']) {
      const forged = forge({ alg: 'ES256', typ: 'at+jwt', kid: ECS1.kid }, { ...claims, scope: text }, ECS1.privateKey)
      await refused(verifyAccessToken(forged, expected()), 'TOKEN_INVALID', /scope/, text)
    }
  })
})

describe('a token read once and used often', () => {
  test('reading needs no connection; each use is checked against its own', async () => {
    const token = await issueAccessToken(grant, issuance)
    const { issuers, audience, ...attempt } = expected()
    const claims = await readAccessToken(token, { issuers, audience, now: NOW })
    checkAccess(claims, attempt)
    const refusal = (code: string) => ({ name: 'Refusal', code })
    assert.throws(() => checkAccess(claims, { ...attempt, ...client(EES2.fqdn) }), refusal('TOKEN_INVALID'))
    assert.throws(() => checkAccess(claims, { ...attempt, ...client(EES1.fqdn) }), refusal('TOKEN_INVALID'))
    assert.throws(() => checkAccess(claims, { ...attempt, scope: scope('other') }), refusal('INSUFFICIENT_SCOPE'))
  })

  test('TK-09: what was read before still ends with exp, to the millisecond', async () => {
    const token = await issueAccessToken(grant, issuance)
    const { issuers, audience, ...attempt } = expected()
    const claims = await readAccessToken(token, { issuers, audience, now: NOW })
    checkAccess(claims, { ...attempt, now: NOW + 599_999 })
    const late = { ...attempt, now: NOW + 600_000 }
    assert.throws(() => checkAccess(claims, late), { code: 'TOKEN_INVALID', detail: 'the token has expired' })
  })
})
