import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  checkEntitlement,
  type EntitlementAttempt,
  issueEntitlementToken,
  parseEntitlementToken,
  readEntitlementToken,
} from '../../src/tokens/entitlement-token.ts'
import { parseJws } from '../../src/tokens/jws.ts'
import { type KeySource, keySetOf } from '../../src/tokens/key-set.ts'
import { edgeScope, parseEdgeScope } from '../../src/tokens/scope.ts'
import { TOKEN_TYPES } from '../../src/tokens/token-types.ts'
import { aParty, ECS, EEC, ENT, forge, fqdn, NOW, refused, SECONDS, STRANGER, scope } from './parties.ts'

const EES = fqdn('ees1.edge.example.com')
const issuance = { signer: ENT.signer, now: NOW, jti: 'jti-1' }
const grant = {
  iss: ENT.iss,
  eecId: EEC.id,
  aud: ECS,
  scope: edgeScope(ECS),
  gpsi: EEC.gpsi,
  jkt: EEC.kid,
  certificateThumbprint: ENT.certificateThumbprint,
}
const issuers = new Map([[ENT.iss, keySetOf([ENT.publicKey])]])
const read = (token: string, audience = ECS) => readEntitlementToken(token, { issuers, audience, now: NOW })
const attempt = (changes: Partial<EntitlementAttempt> = {}): EntitlementAttempt => {
  return { jkt: EEC.kid, unbound: 'refused', scope: edgeScope(ECS), now: NOW, ...changes }
}
const header = { alg: 'ES256', typ: 'edge-entitlement+jwt', kid: ENT.kid, 'x5t#S256': ENT.certificateThumbprint }

describe('entitlement tokens: TR 33.739 6.25.2, D-13', () => {
  test('what is granted is what is verified', async () => {
    const token = await issueEntitlementToken(grant, issuance)
    assert.deepEqual(parseJws(token, TOKEN_TYPES.entitlement).header, header)
    assert.equal(parseEntitlementToken(token).iss, ENT.iss)
    const claims = await read(token)
    assert.deepEqual(claims, {
      iss: ENT.iss,
      sub: EEC.id,
      client_id: EEC.id,
      gpsi: EEC.gpsi,
      aud: [ECS],
      scope: `edge:${ECS}`,
      cnf: { jkt: EEC.kid },
      nbf: SECONDS,
      jti: 'jti-1',
      iat: SECONDS,
      exp: SECONDS + 600,
    })
    checkEntitlement(claims, attempt())
  })

  test('the GPSI and the key are left out where there is none', async () => {
    const { gpsi: _, jkt: __, ...bare } = grant
    const claims = await read(await issueEntitlementToken(bare, issuance))
    assert.ok(!('gpsi' in claims) && !('cnf' in claims))
  })

  test('EN-02: a token for one server is refused by every other, and no server covers another', async () => {
    const servers = [ECS, EES, fqdn('ecs2.edge.example.com'), fqdn('edge.example.com'), fqdn('x.ecs.edge.example.com')]
    for (const aud of servers) {
      const token = await issueEntitlementToken({ ...grant, aud, scope: edgeScope(aud) }, issuance)
      for (const server of servers) {
        if (server === aud) await read(token, server)
        else await refused(read(token, server), 'TOKEN_INVALID', /another audience/, `${aud} at ${server}`)
      }
    }
  })

  test('EN-02: no token is for two servers, whatever its scope or audience say', async () => {
    const claims = { ...(await read(await issueEntitlementToken(grant, issuance))) }
    const wrong = [
      { aud: [ECS, EES] },
      { aud: [ECS, ECS] },
      { scope: `edge:${ECS} edge:${EES}` },
      { scope: `edge:${EES}` },
      { scope: 'edge:*' },
      { scope: 'edge:edge.example.com' },
      { scope: `edge:${ECS} ` },
      { scope: `Edge:${ECS}` },
      { scope: `edge:${ECS.toUpperCase()}` },
      { scope: ECS },
      { scope: `edge:edge:${ECS}` },
    ]
    for (const change of wrong) {
      const token = forge(header, { ...claims, ...change }, ENT.privateKey)
      await refused(read(token), 'TOKEN_INVALID', /audience/, JSON.stringify(change))
    }
  })

  test('EN-01: sub is an EEC ID and gpsi a GPSI; neither is dropped because it cannot be read', async () => {
    const claims = { ...(await read(await issueEntitlementToken(grant, issuance))) }
    for (const eec of ['../eec', 'eec 1', '', 'x'.repeat(129)]) {
      const token = forge(header, { ...claims, sub: eec, client_id: eec }, ENT.privateKey)
      await refused(read(token), 'TOKEN_INVALID', /sub/, eec)
    }
    for (const gpsi of ['491701234567', 'imsi-001010000000001', '', null, ['msisdn-491701234567'], 'msisdn-1'])
      await refused(read(forge(header, { ...claims, gpsi }, ENT.privateKey)), 'TOKEN_INVALID', /gpsi/, gpsi)
  })

  test('EN-07: keys overlap, then the old one is gone; a false issuer has neither', async () => {
    const next = aParty()
    const old = await issueEntitlementToken(grant, issuance)
    const fresh = await issueEntitlementToken(grant, { ...issuance, signer: next.signer })
    const withKeys = (...keys: (typeof ENT.publicKey)[]) => {
      const reader = { issuers: new Map([[ENT.iss, keySetOf(keys)]]), audience: ECS, now: NOW }
      return (token: string) => readEntitlementToken(token, reader)
    }
    for (const token of [old, fresh]) await withKeys(next.publicKey, ENT.publicKey)(token)
    await withKeys(next.publicKey)(fresh)
    await refused(withKeys(next.publicKey)(old), 'TOKEN_INVALID', /no key of its issuer/)
    const falseIssuer = await issueEntitlementToken(grant, { ...issuance, signer: STRANGER.signer })
    await refused(withKeys(ENT.publicKey)(falseIssuer), 'TOKEN_INVALID', /no key of its issuer/)
    const disguised = forge(header, { ...(await read(old)) }, STRANGER.privateKey)
    await refused(withKeys(ENT.publicKey)(disguised), 'TOKEN_INVALID', /signature is not valid/)
  })

  test('D-14: the key is asked for by kid and by the certificate that the header names', async () => {
    const asked: unknown[] = []
    const source: KeySource = {
      get(...name) {
        asked.push(name)
        return ENT.publicKey
      },
    }
    const token = await issueEntitlementToken(grant, issuance)
    await readEntitlementToken(token, { issuers: new Map([[ENT.iss, source]]), audience: ECS, now: NOW })
    assert.deepEqual(asked, [[ENT.kid, ENT.certificateThumbprint]])
  })

  test('an issuer cannot make a token that no verifier takes', async () => {
    const wrong = [
      { scope: edgeScope(EES) },
      { scope: scope('eees-easdiscovery') },
      { scope: new Set([`edge:${ECS}`, `edge:${EES}`]) },
      { scope: new Set<string>() },
      { gpsi: 'imsi-001010000000001' },
      { jkt: '' },
      { jkt: `${EEC.kid}=` },
      { certificateThumbprint: 'x' },
      { certificateThumbprint: '' },
    ]
    for (const change of wrong)
      await assert.rejects(issueEntitlementToken({ ...grant, ...change }, issuance), RangeError, JSON.stringify(change))
    for (const lifetime of [0, -1, 1.5, 3601, Number.NaN])
      await assert.rejects(issueEntitlementToken(grant, { ...issuance, lifetime }), RangeError)
  })
})

describe('what is due at each request: RFC 9449 7.1', () => {
  const thrown = (code: string, detail: RegExp) => ({ name: 'Refusal', code, detail })

  test('TK-05: a token in the hands of another key, or of none, is refused', async () => {
    const claims = await read(await issueEntitlementToken(grant, issuance))
    for (const jkt of [STRANGER.kid, undefined, '', EEC.kid.toLowerCase()])
      assert.throws(() => checkEntitlement(claims, attempt({ jkt })), thrown('TOKEN_INVALID', /another key/))
    // No policy turns a bound token into a bearer token.
    const unbound = attempt({ jkt: undefined, unbound: 'allowed' })
    assert.throws(() => checkEntitlement(claims, unbound), thrown('TOKEN_INVALID', /another key/))
  })

  test('D-13: a token that is bound to nothing is taken only if policy says so, and proves no key', async () => {
    const { jkt: _, ...bare } = grant
    const claims = await read(await issueEntitlementToken(bare, issuance))
    const without = { jkt: undefined, unbound: 'allowed' } as const
    checkEntitlement(claims, attempt(without))
    assert.throws(
      () => checkEntitlement(claims, attempt({ jkt: undefined })),
      thrown('TOKEN_INVALID', /not bound to a key/),
    )
    assert.throws(
      () => checkEntitlement(claims, attempt({ unbound: 'allowed' })),
      thrown('TOKEN_INVALID', /another key/),
    )
  })

  test('a token that is bound in a way unknown here is refused, with or without a key', async () => {
    const claims = { ...(await read(await issueEntitlementToken(grant, issuance))) }
    const wrong: readonly unknown[] = [
      {},
      null,
      [],
      'x',
      { jkt: null },
      { jkt: 'x' },
      { jkt: EEC.kid, 'x5t#S256': ENT.certificateThumbprint },
      { 'x5t#S256': ENT.certificateThumbprint },
      { jwk: EEC.publicKey.export({ format: 'jwk' }) },
    ]
    for (const cnf of wrong)
      await refused(
        read(forge(header, { ...claims, cnf }, ENT.privateKey)),
        'TOKEN_INVALID',
        /bound/,
        JSON.stringify(cnf),
      )
  })

  test('EN-06: a token that was remembered ends at its exp, to the millisecond', async () => {
    const claims = await read(await issueEntitlementToken(grant, issuance))
    checkEntitlement(claims, attempt({ now: claims.exp * 1000 - 1 }))
    assert.throws(
      () => checkEntitlement(claims, attempt({ now: claims.exp * 1000 })),
      thrown('TOKEN_INVALID', /expired/),
    )
  })

  test('TK-07: the scope of one server covers that server and nothing else', async () => {
    const claims = await read(await issueEntitlementToken(grant, issuance))
    for (const wanted of [edgeScope(EES), scope('eecs-serviceprovisioning'), new Set<string>(), new Set([ECS])])
      assert.throws(
        () => checkEntitlement(claims, attempt({ scope: wanted })),
        thrown('INSUFFICIENT_SCOPE', /does not cover/),
      )
  })
})

describe('the scope edge:<FQDN>: D-12', () => {
  test('is read only in the form that it is made in', () => {
    assert.equal(parseEdgeScope([...edgeScope(ECS)].join(' ')), ECS)
    for (const text of [
      '',
      'edge:',
      'edge',
      `edge:${ECS}.`,
      'edge:localhost',
      `edge:${ECS}:443`,
      `edge: ${ECS}`,
      'edge:192.0.2.1',
    ])
      assert.equal(parseEdgeScope(text), undefined, text)
  })
})
