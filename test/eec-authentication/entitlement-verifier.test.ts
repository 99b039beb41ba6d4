import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  type EntitlementVerifierOptions,
  entitlementVerifier,
  type TrustedEnt,
} from '../../src/eec-authentication/adapters/entitlement-verifier.ts'
import { decodeBase64url } from '../../src/octets/base64url.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { anNf, anotherDomain, certified } from '../nf/a-network.ts'
import { EEC, eecId, forge, refused, STRANGER } from '../tokens/parties.ts'
import { type AnEnt, anEnt, ECS, EES, entKey, presenting } from './an-ent.ts'

let ent: AnEnt
let other: AnEnt
const opened: { close(): void }[] = []
const started = Date.now()
const second = 1000

function verifier(ents: readonly TrustedEnt[], change: Partial<EntitlementVerifierOptions> = {}) {
  const made = entitlementVerifier({
    fqdn: ECS,
    ents,
    resolve: new Map([ent, other].map(({ name }) => [name, '127.0.0.1'])),
    credential: () => ent.verifierCredential,
    ...change,
  })
  opened.push(made)
  return made
}

/** A clock that a test moves; it begins where the real one is, which certificates and tokens were made by. */
function aClock() {
  let passed = 0
  return {
    now: () => Date.now() + passed,
    monotonic: () => performance.now() + passed,
    pass: (milliseconds: number) => {
      passed += milliseconds
    },
  }
}

const claimsOf = (token: string) => JSON.parse(decodeBase64url(token.split('.')[1] ?? '')?.toString() ?? '')

before(async () => {
  ;[ent, other] = await Promise.all([anEnt(), anEnt('ent.rival.example')])
})

after(async () => {
  for (const each of opened) each.close()
  await Promise.all([ent.close(), other.close()])
})

describe('an entitlement token by the certificate of its issuer: TR 33.739 6.25.2 step 2, D-14', () => {
  test('the EEC is the one of the token, with the key that it has proven', async () => {
    const token = await ent.token({ gpsi: EEC.gpsi })
    const identity = await verifier([ent.trusted()]).verify(await presenting(token))
    const { claims, ...rest } = identity
    assert.deepEqual(rest, { eecId: EEC.id, gpsi: EEC.gpsi, method: 'ENTITLEMENT_TOKEN', jkt: EEC.kid })
    assert.equal(claims.iss, ent.issuer)
  })

  test('one token serves many requests, each with a proof of its own, and its certificates are fetched once', async () => {
    const { verify } = verifier([ent.trusted()])
    const token = await ent.token()
    const before = ent.state.fetched
    for (let request = 0; request < 5; request++) await verify(await presenting(token))
    await Promise.all(Array.from({ length: 20 }, async () => verify(await presenting(await ent.token()))))
    assert.equal(ent.state.fetched - before, 1)
  })

  test('EN-02: the token for an ECS is refused by an EES and by another ECS', async () => {
    const token = await ent.token()
    for (const fqdn of [EES, 'ecs2.edge.example.com' as Fqdn, 'edge.example.com' as Fqdn])
      await refused(verifier([ent.trusted()], { fqdn }).verify(await presenting(token)), 'TOKEN_INVALID', /audience/)
  })

  test('EN-07: a false issuer: another ENT with its own certificate, under either name', async () => {
    const both = verifier([ent.trusted(), other.trusted()])
    await both.verify(await presenting(await ent.token()))
    await both.verify(await presenting(await other.token()))
    // Its key is good at its own name and nowhere else.
    const posing = await other.token({ iss: ent.issuer })
    await refused(both.verify(await presenting(posing)), 'TOKEN_INVALID', /no key of its issuer/)
    const alone = verifier([ent.trusted()])
    await refused(alone.verify(await presenting(await other.token())), 'TOKEN_INVALID', /issuer is not allowed/)
    for (const iss of [`${ent.issuer}/`, ent.issuer.toUpperCase(), ent.name, `${ent.issuer}:443`, '__proto__'])
      await refused(alone.verify(await presenting(await ent.token({ iss }))), 'TOKEN_INVALID', /issuer/, iss)
  })

  test('EN-07: rotation with overlap: no token of either key is refused while both are shown', async () => {
    const clock = aClock()
    const { verify } = verifier([ent.trusted()], { clock })
    const next = await ent.newKey()
    const old = await ent.token()
    await verify(await presenting(old))
    // The new key is shown before it signs, as long as verifiers keep what they have fetched.
    ent.state.shown = [ent.key.jwk, next.jwk]
    clock.pass(31 * second)
    const requests = Array.from({ length: 40 }, async (_, n) => {
      const token = await ent.token({}, n % 2 === 0 ? ent.key : next, clock.now())
      return verify(await presenting(token, { now: clock.now() }))
    })
    assert.equal((await Promise.all(requests)).length, 40)
    // The old key is withdrawn: nobody takes what it signs from now on.
    ent.state.shown = [next.jwk]
    clock.pass(15 * 60 * second)
    await verify(await presenting(await ent.token({}, next, clock.now()), { now: clock.now() }))
    const late = await presenting(await ent.token({}, ent.key, clock.now()), { now: clock.now() })
    await refused(verify(late), 'TOKEN_INVALID', /no key of its issuer/)
    ent.state.shown = [ent.key.jwk]
  })

  test('TK-12: random kids cost one fetch, however many there are, and honest tokens nothing', async () => {
    const { verify } = verifier([ent.trusted()])
    await verify(await presenting(await ent.token()))
    const before = ent.state.fetched
    const claims = claimsOf(await ent.token())
    const request = await presenting('a.b.c')
    const count = process.env['EDGEWARD_DEEP'] ? 10_000 : 500
    for (let attempt = 0; attempt < count; attempt++) {
      const kid = randomBytes(32).toString('base64url')
      const header = { alg: 'ES256', typ: 'edge-entitlement+jwt', kid, 'x5t#S256': ent.key.certificateThumbprint }
      const token = forge(header, claims, STRANGER.privateKey)
      const shown =
        attempt === 0 ? await presenting(token) : { ...request, headers: { authorization: `Bearer ${token}` } }
      await refused(verify(shown), 'TOKEN_INVALID', /no key of its issuer/)
    }
    assert.ok(ent.state.fetched - before <= 1, `${ent.state.fetched - before} fetches`)
    await verify(await presenting(await ent.token()))
  })

  test('D-14: the header names the certificate of the key: another thumbprint is another certificate', async () => {
    const { verify } = verifier([ent.trusted()])
    const certificateThumbprint = `${'B'.repeat(42)}A`
    const token = await ent.token({}, { ...ent.key, certificateThumbprint })
    await refused(verify(await presenting(token)), 'TOKEN_INVALID', /no key of its issuer/)
  })

  test('D-14: a key whose certificate is for another host, of another root, or of another key is none', async () => {
    const rival = await anotherDomain('operator.example', 'nf-issuer')
    const cases = {
      'another host': await ent.newKey('ausf.operator.example'),
      'another root': entKey(await certified(rival.issuers['nf-issuer'], anNf(ent.name, 'AF'))),
      'another key': { ...ent.key, jwk: { ...(await ent.newKey()).jwk, x5c: (ent.key.jwk as { x5c: string[] }).x5c } },
    }
    for (const [name, key] of Object.entries(cases)) {
      const failures: unknown[] = []
      ent.state.shown = [key.jwk]
      const { verify } = verifier([ent.trusted()], { failed: (error) => failures.push(error) })
      const verdict = verify(await presenting(await ent.token({}, key)))
      await refused(verdict, 'TOKEN_INVALID', /no key of its issuer/, name)
      assert.equal(failures.length, 1, name)
    }
    ent.state.shown = [ent.key.jwk]
  })

  test('fails closed: no certificates, or none that can be read, are nobody', async () => {
    const request = await presenting(await ent.token())
    for (const shown of [[{ kty: 'oct', k: 'AAAA' }], [{}], [null as unknown as object]]) {
      ent.state.shown = shown
      await refused(verifier([ent.trusted()]).verify(request), 'NF_CONGESTION', /cannot be had/)
    }
    ent.state.shown = [ent.key.jwk]
    const nobody = verifier([ent.trusted({ apiRoot: `${ent.issuer}:9` })])
    await refused(nobody.verify(request), 'NF_CONGESTION', /cannot be had/)
    // The connection itself trusts the roots of this ENT alone.
    const foreign = verifier([ent.trusted({ anchors: other.trusted().anchors })])
    await refused(foreign.verify(request), 'NF_CONGESTION', /cannot be had/)
  })
})

describe('proof of possession with each request: RFC 9449 7', () => {
  test('TK-05: a token from another device, which has another key or none, is refused', async () => {
    const { verify } = verifier([ent.trusted()])
    const token = await ent.token()
    await refused(verify(await presenting(token, { signer: STRANGER.signer })), 'TOKEN_INVALID', /another key/)
    const { method, uri } = await presenting(token)
    const bearer = { method, uri, headers: { authorization: `Bearer ${token}` } }
    await refused(verify(bearer), 'TOKEN_INVALID', /another key/)
    await refused(verify({ method, uri, headers: { authorization: `DPoP ${token}` } }), 'DPOP_PROOF_INVALID', /missing/)
    await refused(verify({ method, uri, headers: {} }), 'CREDENTIAL_MISSING')
  })

  test('D-14: a request is taken once: the same proof again is a replay, also at the same moment', async () => {
    const { verify } = verifier([ent.trusted()])
    const request = await presenting(await ent.token())
    const verdicts = await Promise.allSettled(Array.from({ length: 10 }, () => verify(request)))
    assert.equal(verdicts.filter(({ status }) => status === 'fulfilled').length, 1)
    await refused(verify(request), 'DPOP_PROOF_INVALID', /used before/)
  })

  test('a proof for another request does not serve: method, URI, token', async () => {
    const { verify } = verifier([ent.trusted()])
    const token = await ent.token()
    const wrong = [{ method: 'GET' }, { uri: 'https://ees1.edge.example.com/x' }, { token: await ent.token() }]
    for (const change of wrong)
      await refused(verify(await presenting(token, change)), 'DPOP_PROOF_INVALID', /another/, JSON.stringify(change))
    const old = await presenting(token, { now: Date.now() - 61 * second })
    await refused(verify(old), 'DPOP_PROOF_INVALID', /not of this minute/)
  })

  test('what was made before the server started may have been used then', async () => {
    const { verify } = verifier([ent.trusted()])
    const early = await presenting(await ent.token(), { now: started - 30 * second })
    await refused(verify(early), 'DPOP_PROOF_INVALID', /before this server started/)
  })

  test('a proof that comes with a bad token is not used up, and takes no room', async () => {
    const { verify } = verifier([ent.trusted()])
    const foreign = await other.token()
    const request = await presenting(foreign)
    await refused(verify(request), 'TOKEN_INVALID')
    await refused(verify(request), 'TOKEN_INVALID')
  })

  test('one EEC cannot use up what is there for all', async () => {
    const { verify } = verifier([ent.trusted()], { rate: { perSecond: 0.01, burst: 3 } })
    const token = await ent.token()
    for (let request = 0; request < 3; request++) await verify(await presenting(token))
    await refused(verify(await presenting(token)), 'TOO_MANY_REQUESTS')
    await verify(await presenting(await ent.token({ eecId: eecId('eec-2') })))
  })

  test('D-13: a token bound to nothing is taken where policy says so, and once', async () => {
    const token = await ent.unboundToken()
    const { method, uri } = await presenting(token)
    const request = { method, uri, headers: { authorization: `Bearer ${token}` } }
    await refused(verifier([ent.trusted()]).verify(request), 'TOKEN_INVALID', /not bound/)
    const lenient = verifier([ent.trusted({ unbound: 'allowed' })])
    const identity = await lenient.verify(request)
    assert.ok(!('jkt' in identity))
    await refused(lenient.verify(request), 'TOKEN_INVALID', /used before/)
    // The policy is one of each ENT.
    const mixed = verifier([ent.trusted(), other.trusted({ unbound: 'allowed' })])
    await refused(mixed.verify(request), 'TOKEN_INVALID', /not bound/)
  })
})

describe('an entitlement token by asking its issuer: RFC 7662, D-14', () => {
  const active = (token: string) => ({ active: true, token_type: 'DPoP', ...claimsOf(token) })

  for (const verify of ['introspection', 'both'] as const) {
    test(`${verify}: the issuer is asked at each request, by mutual TLS, and its word decides`, async () => {
      const server = verifier([ent.trusted({ verify })])
      const token = await ent.token()
      ent.state.asked.length = 0
      ent.state.says = active
      const { eecId: who, jkt } = await server.verify(await presenting(token))
      assert.deepEqual([who, jkt], [EEC.id, EEC.kid])
      assert.deepEqual(ent.state.asked, [{ token, by: ECS }])
      // EN-06: withdrawn at the issuer is withdrawn here, at the very next request.
      ent.state.says = () => ({ active: false })
      await refused(server.verify(await presenting(token)), 'TOKEN_INVALID', /not active/)
    })

    test(`${verify}: whatever is not a clear yes is a no`, async () => {
      const answers: readonly [object, string][] = [
        [{}, 'NF_CONGESTION'],
        [{ active: 'true' }, 'NF_CONGESTION'],
        [{ active: 1 }, 'NF_CONGESTION'],
        [{ status: 500, body: '' }, 'NF_CONGESTION'],
        [{ status: 401, body: { error: 'invalid_client' } }, 'NF_CONGESTION'],
        [{ status: 302, headers: { location: 'https://evil.example/' }, body: '' }, 'NF_CONGESTION'],
        [{ status: 200, headers: { 'content-type': 'text/html' }, body: '{"active":true}' }, 'NF_CONGESTION'],
        [{ active: true }, 'TOKEN_INVALID'],
      ]
      for (const [answer, code] of answers) {
        const token = await ent.token()
        ent.state.says = () => answer
        const verdict = verifier([ent.trusted({ verify })]).verify(await presenting(token))
        await refused(verdict, code as 'NF_CONGESTION', /./, JSON.stringify(answer))
      }
      const silent = verifier([ent.trusted({ verify, introspectionRoot: `${ent.issuer}:9` })])
      await refused(silent.verify(await presenting(await ent.token())), 'NF_CONGESTION', /cannot be asked/)
    })

    test(`${verify}: what the issuer says is checked like a token: audience, time, scope, key, issuer`, async () => {
      const wrong = [
        { aud: [EES] },
        { aud: [ECS, EES] },
        { exp: Math.floor(Date.now() / 1000) - 1 },
        { exp: Math.floor(Date.now() / 1000) + 100_000 },
        { scope: `edge:${EES}` },
        { cnf: { jkt: STRANGER.kid } },
        { cnf: undefined },
        { iss: other.issuer },
        { sub: 'eec-2' },
      ]
      for (const change of wrong) {
        const token = await ent.token()
        ent.state.says = () => ({ ...active(token), ...change })
        const verdict = verifier([ent.trusted({ verify })]).verify(await presenting(token))
        await refused(verdict, 'TOKEN_INVALID', /./, JSON.stringify(change))
      }
    })
  }

  test('both: a token that the issuer calls active, and did not sign, is refused', async () => {
    ent.state.says = active
    const server = verifier([ent.trusted({ verify: 'both' })])
    const forged = await ent.token({}, { ...ent.key, signer: STRANGER.signer })
    ent.state.asked.length = 0
    await refused(server.verify(await presenting(forged)), 'TOKEN_INVALID', /no key of its issuer/)
    assert.deepEqual(ent.state.asked, [])
  })

  test('an issuer is not asked again and again about what is not active', async () => {
    ent.state.says = () => ({ active: false })
    const server = verifier([ent.trusted({ verify: 'introspection' })])
    const token = await ent.token()
    ent.state.asked.length = 0
    for (let attempt = 0; attempt < 20; attempt++)
      await refused(server.verify(await presenting(token)), 'TOKEN_INVALID', /not active/)
    assert.equal(ent.state.asked.length, 1)
  })

  test('each issuer is verified in its own way', async () => {
    ent.state.says = () => ({ active: false })
    const server = verifier([ent.trusted({ verify: 'introspection' }), other.trusted()])
    await refused(server.verify(await presenting(await ent.token())), 'TOKEN_INVALID', /not active/)
    await server.verify(await presenting(await other.token()))
  })
})

describe('the configuration of a verifier', () => {
  test('NG-01: leaves no way to verify nothing: such a server does not start', () => {
    const wrong: readonly Partial<TrustedEnt>[] = [
      { issuer: 'http://ent.operator.example' },
      { issuer: 'ent.operator.example' },
      { issuer: 'https://ent.operator.example/' },
      { issuer: 'https://192.0.2.1' },
      { apiRoot: 'https://other.operator.example' },
      { introspectionRoot: 'https://other.operator.example' },
      { apiRoot: 'https://ent.operator.example:443/path' },
    ]
    for (const change of wrong) assert.throws(() => verifier([ent.trusted(change)]), TypeError, JSON.stringify(change))
    const { credential: _, ...without } = { fqdn: ECS, ents: [ent.trusted({ verify: 'both' })], credential: undefined }
    assert.throws(() => entitlementVerifier(without), /a credential is needed/)
  })
})
