import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { readCertificate, x5tS256 } from '../../src/certificates/certificate.ts'
import { readCrl } from '../../src/certificates/crl.ts'
import { type ClientAuthority, Guard } from '../../src/ees/guard/guard.ts'
import { refusalAnswer } from '../../src/ees/guard/refusal-answer.ts'
import { watchRevocation } from '../../src/ees/guard/revocation-watch.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { issueAccessToken } from '../../src/tokens/access-token.ts'
import { type KeySource, keySetOf } from '../../src/tokens/key-set.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { forge, scope } from '../tokens/parties.ts'
import { aClock, NOW } from './a-registration.ts'
import { anEcs, firstPem } from './an-ecs.ts'

const SCOPE = 'edgeward-whoami'
const T_EES = fqdn('ees2.ecsp.example')
const A = fqdn('ees1.ecsp.example')
const B = fqdn('ees3.ecsp.example')

const domain = await aDomain({ now: NOW })
const clock = aClock()
const ecs = await anEcs({ now: clock.now, domain })
const ecs2 = await anEcs({ now: clock.now, domain })
const certificateOf = async (name: Fqdn) => readCertificate(firstPem((await ecs.credentialFor(name)).certificateChain))
const [ofA, ofARenewed, ofB] = [await certificateOf(A), await certificateOf(A), await certificateOf(B)]
const authority = domain.issuers.ees.certificate
const ownKeys = keySetOf([ecs.tokenSigner.publicKey])

function aGuard({
  crl = undefined as (() => ReturnType<typeof readCrl> | undefined) | undefined,
  time = clock,
  keys = ownKeys as KeySource,
  authorities = [{ certificate: authority, ...(crl && { crl }) }] as readonly ClientAuthority[],
} = {}) {
  return new Guard({
    issuers: new Map([[ecs.origins.server, keys]]),
    audience: T_EES,
    authorities: () => authorities,
    clock: time,
  })
}

interface Attempt {
  readonly token?: string
  readonly certificate?: Buffer | undefined
  readonly connection?: object
  readonly wanted?: string
  readonly authorization?: string
}

const honest = await ecs.token(ofA.der, { aud: T_EES, names: SCOPE, lifetime: 300 })

function authorize(guard: Guard, attempt: Attempt = {}) {
  const { token = honest, connection = {}, wanted = SCOPE, authorization = `Bearer ${token}` } = attempt
  const certificate = () => ('certificate' in attempt ? attempt.certificate : ofA.der)
  return guard.authorize({ connection, certificate, authorization, scope: wanted })
}

describe('the checks of the producer: TS 33.501 13.4.1.1.2 step 2', () => {
  test('the honest request passes, and the caller is who its certificate and its token say', async () => {
    const { fqdn: name, claims } = await authorize(aGuard())
    assert.equal(name, A)
    assert.deepEqual([claims.sub, claims.aud, claims.iss, claims.scope], [A, [T_EES], ecs.origins.server, SCOPE])
  })

  const issue = (changes: object, signer = ecs.tokenSigner) => {
    const thumbprint = x5tS256(ofA.der)
    const grant = {
      iss: ecs.origins.server,
      sub: A,
      aud: T_EES,
      scope: scope(SCOPE),
      certificateThumbprint: thumbprint,
    }
    return issueAccessToken({ ...grant, ...changes }, { signer, now: NOW, jti: randomUUID(), lifetime: 300 })
  }
  const alone = (changes: Attempt) => () => authorize(aGuard(), changes)
  const withToken = (token: () => Promise<string>) => async () => authorize(aGuard(), { token: await token() })

  const refused: Record<string, readonly [code: string, detail: RegExp, attempt: () => Promise<unknown>]> = {
    'TK-04: (1) an issuer that is not ours': [
      'TOKEN_INVALID',
      /issuer is not allowed/,
      withToken(() => issue({ iss: ecs2.origins.server.replace('8443', '9443') }, ecs2.tokenSigner)),
    ],
    'TK-04: (2) our issuer by the key of another ECS': [
      'TOKEN_INVALID',
      /no key of its issuer/,
      withToken(() => issue({ iss: ecs.origins.server }, ecs2.tokenSigner)),
    ],
    'TK-01: (2) no signature': [
      'TOKEN_INVALID',
      /signature/,
      withToken(async () => `${honest.slice(0, honest.lastIndexOf('.'))}.`),
    ],
    'TK-05: (3) the token of another EES': [
      'TOKEN_INVALID',
      /belongs to another client/,
      alone({ certificate: ofB.der }),
    ],
    'TK-05: (3) a token for its name, bound to another certificate': [
      'TOKEN_INVALID',
      /bound to another certificate/,
      alone({ certificate: ofARenewed.der }),
    ],
    'RS-04: (4) a token for another EES': ['TOKEN_INVALID', /another audience/, withToken(() => issue({ aud: B }))],
    'TK-03: (4) a token for the ECS': [
      'TOKEN_INVALID',
      /another audience/,
      withToken(() => issue({ aud: 'ecs1.ecsp.example' })),
    ],
    'TK-07: (5) another operation': ['INSUFFICIENT_SCOPE', /does not cover/, alone({ wanted: 'eees-eeccontextreloc' })],
    'TK-07: (5) one operation more': [
      'INSUFFICIENT_SCOPE',
      /does not cover/,
      alone({ wanted: `${SCOPE} eees-eeccontextreloc` }),
    ],
    'TK-07: (5) the beginning of a scope': [
      'INSUFFICIENT_SCOPE',
      /does not cover/,
      alone({ wanted: SCOPE.slice(0, -1) }),
    ],
    'no client certificate (THREATS R3)': [
      'CREDENTIAL_MISSING',
      /certificate is required/,
      alone({ certificate: undefined }),
    ],
    'no token': ['CREDENTIAL_MISSING', /token is required/, alone({ authorization: '' })],
    'another scheme': ['CREDENTIAL_MISSING', /token is required/, alone({ authorization: `Basic ${honest}` })],
    'two tokens': [
      'CREDENTIAL_MISSING',
      /token is required/,
      alone({ authorization: `Bearer ${honest}, Bearer ${honest}` }),
    ],
    'TK-10: a token with a blank in it': [
      'CREDENTIAL_MISSING',
      /token is required/,
      alone({ authorization: `Bearer ${honest} x` }),
    ],
  }
  for (const [name, [code, detail, attempt]] of Object.entries(refused)) {
    test(`${name}: refused`, async () => {
      await assert.rejects(attempt(), { name: 'Refusal', code, detail })
    })
  }

  const [head = '', claims = ''] = honest.split('.')
  const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())

  test('TK-06: a token of another type by the same key is none', async () => {
    for (const typ of ['JWT', 'edge-onboarding+jwt', 'edge-entitlement+jwt', 'edge-forwarding+jwt', 'edge-pop+jwt']) {
      const token = forge({ ...json(head), typ }, json(claims), ecs.tokenKey)
      await assert.rejects(authorize(aGuard(), { token }), { code: 'TOKEN_INVALID' }, typ)
    }
    await authorize(aGuard(), { token: forge(json(head), json(claims), ecs.tokenKey) })
  })

  test('TK-01, TK-02: a header says neither how nor with what a token is checked', async () => {
    for (const changes of [
      { jku: 'https://evil.example' },
      { jwk: {} },
      { crit: [] },
      { alg: 'none' },
      { alg: 'HS256' },
    ]) {
      const token = forge({ ...json(head), ...changes }, json(claims), ecs.tokenKey)
      await assert.rejects(authorize(aGuard(), { token }), { code: 'TOKEN_INVALID' }, JSON.stringify(changes))
    }
  })

  test('TK-09: (7) at exp it is over, also for a token that was seen before', async () => {
    const time = aClock()
    const guard = aGuard({ time })
    await authorize(guard)
    time.pass(299_999)
    await authorize(guard)
    time.pass(1)
    await assert.rejects(authorize(guard), { code: 'TOKEN_INVALID' })
    await assert.rejects(authorize(aGuard({ time })), { code: 'TOKEN_INVALID' })
  })
})

describe('a token that was seen before', () => {
  test('TK-10: one octet changed anywhere makes it another token', async () => {
    const guard = aGuard()
    await authorize(guard)
    for (let at = 0; at < honest.length; at += 7) {
      if (honest[at] === '.') continue
      const token = `${honest.slice(0, at)}${honest[at] === 'A' ? 'B' : 'A'}${honest.slice(at + 1)}`
      await assert.rejects(authorize(guard, { token }), { code: 'TOKEN_INVALID' }, `octet ${at}`)
    }
    await authorize(guard)
  })

  test('TK-05, TK-07: is still bound to its certificate and its scope', async () => {
    const guard = aGuard()
    await authorize(guard)
    await assert.rejects(authorize(guard, { certificate: ofB.der }), { code: 'TOKEN_INVALID' })
    await assert.rejects(authorize(guard, { certificate: ofARenewed.der }), { code: 'TOKEN_INVALID' })
    await assert.rejects(authorize(guard, { wanted: 'eees-cea' }), { code: 'INSUFFICIENT_SCOPE' })
  })

  test('is verified once: for the same token no key is asked for again', async () => {
    const asked: string[] = []
    const keys: KeySource = {
      get(kid) {
        asked.push(kid)
        return ownKeys.get(kid)
      },
    }
    const guard = aGuard({ keys })
    for (const connection of [{}, {}, {}]) await authorize(guard, { connection })
    assert.equal(asked.length, 1)
    await authorize(guard, { token: await ecs.token(ofA.der, { aud: T_EES, names: SCOPE, lifetime: 300 }) })
    assert.equal(asked.length, 2)
    const unsigned = `${honest.slice(0, honest.lastIndexOf('.'))}.${'A'.repeat(86)}`
    for (const sight of [3, 4]) {
      await assert.rejects(authorize(guard, { token: unsigned }), { code: 'TOKEN_INVALID' })
      assert.equal(asked.length, sight)
    }
  })
})

describe('the certificate of the client: TS 33.501 13.1.0, TS 33.310 6.1.3c', () => {
  const elsewhere = aDomain({ now: NOW })
  const refusedAs = (guard: Guard, code: string, certificate = ofA.der, connection = {}) =>
    assert.rejects(authorize(guard, { certificate, connection }), { name: 'Refusal', code })

  test('R3, CA-11: of another authority, of another role, or expired, it is not accepted', async () => {
    const subject = { role: 'ees', fqdn: A, registrationId: ecs.registrationId } as const
    await refusedAs(aGuard(), 'CERTIFICATE_NOT_ACCEPTED', (await (await elsewhere).issue(subject)).der)
    const ofAnEcs = await domain.issue({ role: 'ecs', fqdn: A }, { now: NOW })
    await refusedAs(aGuard(), 'CERTIFICATE_NOT_ACCEPTED', ofAnEcs.der)
    await refusedAs(aGuard(), 'CERTIFICATE_NOT_ACCEPTED', Buffer.from('certificate'))
    const time = aClock(ofA.notAfter + 1)
    await refusedAs(aGuard({ time }), 'CERTIFICATE_NOT_ACCEPTED')
  })

  test('FW-03: a partner that names the authority of another as its own keeps nobody out, and lets nobody in', async () => {
    const of = (name: string, nameSpace: string) => ({
      certificate: authority,
      partner: { fqdn: name, nameSpace: [nameSpace] },
    })
    const [hostile, honestly] = [of('ecs.evil.example', 'evil.example'), of('ecs.ecsp.example', 'ecsp.example')]
    const token = await issueAccessToken(
      {
        iss: ecs.origins.server,
        sub: A,
        aud: T_EES,
        scope: scope(SCOPE),
        certificateThumbprint: x5tS256(ofA.der),
        srcEcs: fqdn('ecs.ecsp.example'),
      },
      { signer: ecs.tokenSigner, now: NOW, jti: randomUUID(), lifetime: 300 },
    )
    for (const authorities of [[honestly], [hostile, honestly], [honestly, hostile]])
      assert.equal((await authorize(aGuard({ authorities }), { token })).fqdn, A)
    for (const authorities of [[{ certificate: authority }], [hostile, { certificate: authority }]])
      assert.equal((await authorize(aGuard({ authorities }))).fqdn, A)
    await refusedAs(aGuard({ authorities: [hostile] }), 'CERTIFICATE_NOT_ACCEPTED')
  })

  test('CA-08: an open connection does not outlive its certificate', async () => {
    const time = aClock()
    const guard = aGuard({ time })
    const connection = {}
    await authorize(guard, { connection })
    time.set(ofA.notAfter + 1)
    await refusedAs(guard, 'CERTIFICATE_NOT_ACCEPTED', ofA.der, connection)
  })

  test('CA-06: revoked, it is refused at the next request on an open connection, and others are not', async () => {
    let crl = readCrl(await ecs.crl())
    const guard = aGuard({ crl: () => crl })
    const connection = {}
    await authorize(guard, { connection })
    assert.equal(guard.isRevoked({ connection, certificate: () => ofA.der }), false)
    ecs.revoke(ofA.serial)
    crl = readCrl(await ecs.crl())
    await refusedAs(guard, 'CERTIFICATE_REVOKED', ofA.der, connection)
    assert.equal(guard.isRevoked({ connection, certificate: () => ofA.der }), true)
    const token = await ecs.token(ofB.der, { aud: T_EES, names: SCOPE, lifetime: 300 })
    await authorize(guard, { certificate: ofB.der, token })
  })

  test('CA-07: without a list, with one that has run out, or one of another signer, nobody passes', async () => {
    await refusedAs(aGuard({ crl: () => undefined }), 'NF_CONGESTION')
    const time = aClock()
    const list = readCrl(await ecs2.crl(60_000))
    const guard = aGuard({ crl: () => list, time })
    const connection = {}
    await authorize(guard, { connection })
    time.pass(60_001)
    await refusedAs(guard, 'NF_CONGESTION', ofA.der, connection)
    const foreign = await anEcs({ now: clock.now, domain: await elsewhere })
    const theirs = readCrl(await foreign.crl())
    await refusedAs(aGuard({ crl: () => theirs }), 'CERTIFICATE_NOT_ACCEPTED')
  })

  test('CA-07: without a current list of a partner its EESs are put off, and those of another ECS are not', async () => {
    const { issuers, issue } = await elsewhere
    const partner = { fqdn: 'ecs.other.example', nameSpace: ['other.example'] }
    const name = fqdn('ees1.other.example')
    const { registrationId } = ecs
    const certificate = (await issue({ role: 'ees', fqdn: name, registrationId })).der
    const foreign = await anEcs({ now: clock.now, domain: await elsewhere })
    const [current, brief] = [readCrl(await foreign.crl()), readCrl(await foreign.crl(60_000))]
    const grant = { iss: ecs.origins.server, sub: name, aud: T_EES, scope: scope(SCOPE), srcEcs: fqdn(partner.fqdn) }
    const token = await issueAccessToken(
      { ...grant, certificateThumbprint: x5tS256(certificate) },
      { signer: ecs.tokenSigner, now: NOW, jti: randomUUID(), lifetime: 300 },
    )
    const guardWith = (crl: ClientAuthority['crl'], time = clock) => {
      const theirs = { certificate: issuers.ees.certificate, partner, ...(crl && { crl }) }
      return aGuard({ time, authorities: [{ certificate: authority }, theirs] })
    }
    assert.equal(
      (
        await authorize(
          guardWith(() => current),
          { certificate, token },
        )
      ).fqdn,
      name,
    )
    const later = aClock()
    const ranOut = guardWith(() => brief, later)
    const connection = {}
    await authorize(ranOut, { certificate, token, connection })
    later.pass(60_001)
    for (const guard of [guardWith(() => undefined), ranOut]) {
      await assert.rejects(authorize(guard, { certificate, token, connection }), { code: 'NF_CONGESTION' })
      assert.equal((await authorize(guard)).fqdn, A)
    }
  })
})

describe('the watch of a revocation list', () => {
  async function stage() {
    const list = await anEcs({ now: clock.now, domain })
    const state = { octets: await list.crl(), fails: false }
    const heard: string[] = []
    let tick = () => {}
    const watch = watchRevocation(
      {
        fetch: async () => {
          if (state.fails) throw new Error('the ECS is down')
          return state.octets
        },
        timers: {
          every: (_period, action) => {
            tick = action
            return () => heard.push('stopped')
          },
        },
        failed: (error) => heard.push(String(error)),
        changed: () => heard.push('changed'),
      },
      3_000,
    )
    return { list, state, heard, watch, tick: () => tick() }
  }

  test('a new list is taken, the same one changes nothing', async () => {
    const { list, state, heard, watch } = await stage()
    await watch.refresh()
    const first = watch.current()
    await watch.refresh()
    assert.equal(watch.current(), first)
    state.octets = await list.crl()
    await watch.refresh()
    assert.deepEqual(heard, ['changed', 'changed'])
    watch.stop()
    assert.equal(heard.at(-1), 'stopped')
  })

  test('CA-07: an older list, or what is none, does not replace a newer one', async () => {
    const { list, state, heard, watch } = await stage()
    const older = state.octets
    state.octets = await list.crl()
    await watch.refresh()
    const newer = watch.current()
    for (const octets of [older, Buffer.from('<html>'), Buffer.alloc(0)]) {
      state.octets = octets
      await watch.refresh()
      assert.equal(watch.current(), newer)
    }
    state.fails = true
    await watch.refresh()
    assert.equal(watch.current(), newer)
    assert.equal(heard.length, 5)
  })
})

describe('how a guard says no', () => {
  test('problem details with the challenge of RFC 6750 3, and without the query', () => {
    const { status, headers, body } = refusalAnswer(new Refusal('TOKEN_INVALID', 'the token has expired'), '/a?b=c')
    assert.equal(status, 401)
    assert.equal(headers['www-authenticate'], 'Bearer realm="edgeward", error="invalid_token"')
    assert.equal(headers['content-type'], 'application/problem+json')
    const { cause, instance } = JSON.parse(body)
    assert.deepEqual([cause, instance], ['TOKEN_INVALID', '/a'])
  })

  test('403 names the scope as the reason, 401 without a credential names none, 503 asks to come back', () => {
    const scoped = refusalAnswer(new Refusal('INSUFFICIENT_SCOPE', 'x'), '/')
    assert.equal(scoped.status, 403)
    assert.match(scoped.headers['www-authenticate'] ?? '', /error="insufficient_scope"$/)
    const missing = refusalAnswer(new Refusal('CREDENTIAL_MISSING', 'x'), '/')
    assert.deepEqual([missing.status, missing.headers['www-authenticate']], [401, 'Bearer realm="edgeward"'])
    const closed = refusalAnswer(new Refusal('NF_CONGESTION', 'x'), '/')
    assert.deepEqual([closed.status, closed.headers['retry-after']], [503, '1'])
    const busy = refusalAnswer(new Refusal('TOO_MANY_REQUESTS', 'x'), '/')
    assert.deepEqual([busy.status, busy.headers['retry-after']], [429, '1'])
  })
})
