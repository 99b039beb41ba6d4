import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PeerUnavailable } from '../../src/http/client.ts'
import { aRegistration } from './a-registration.ts'
import { json, lostAnswer, PROFILE, plain, problem } from './an-ecs.ts'

const TOKEN = 'POST /oauth2/token'
const EES2 = 'https://ees2.ecsp.example:9443'

describe('the life of a registration, the side of the EES: TR 33.839 6.Y.2, TS 29.558 9.1', () => {
  test('D-11: everything goes to the listener for mutual TLS, with our certificate and a token', async () => {
    const { ecs, registration, opened } = await aRegistration()
    const shown = await registration.show()
    assert.deepEqual(plain(shown.eesProf), PROFILE)
    assert.deepEqual(ecs.paths(), [TOKEN, `GET /eecs-eesregistration/v1/registrations/${ecs.registrationId}`])
    for (const { origin, certificate } of ecs.asked) {
      assert.equal(origin, ecs.origins.mtls)
      assert.deepEqual(certificate, registration.certificate.der)
    }
    assert.match(ecs.asked[1]?.message.headers?.['authorization'] ?? '', /^Bearer ey/)
    assert.deepEqual(opened, [{ origin: ecs.origins.mtls, root: ecs.rootPem, closed: false }])
  })

  test('ON-12: an update says which version it replaces, and what came back is kept', async () => {
    const { ecs, registration, kept } = await aRegistration()
    await registration.update({ eesProf: { ...PROFILE, easIds: ['eas-1'] } })
    const put = ecs.asked.at(-1)?.message
    assert.equal(put?.headers?.['if-match'], '"1"')
    assert.deepEqual(kept()?.record.registration.eesProf.easIds, ['eas-1'])
    assert.equal(kept()?.record.etag, '"2"')
    await registration.update({ eesProf: { ...PROFILE, easIds: ['eas-2'] } })
    assert.equal(ecs.asked.at(-1)?.message.headers?.['if-match'], '"2"')
  })

  test('ON-12: a change that was made elsewhere is not undone', async () => {
    const { open, registration, kept } = await aRegistration()
    await open().update({ eesProf: { ...PROFILE, easIds: ['eas-1'] } })
    await assert.rejects(registration.update({ eesProf: PROFILE }), { status: 412, code: 'PRECONDITION_FAILED' })
    assert.deepEqual(kept()?.record.registration.eesProf.easIds, ['eas-1'])
    await registration.show()
    await registration.update({ eesProf: PROFILE })
  })

  test('a merge patch changes what it names, whatever else changed', async () => {
    const { ecs, registration } = await aRegistration()
    const { expTime } = await registration.modify({ expTime: '2026-11-22T12:00:00Z' })
    assert.equal(expTime, '2026-11-22T12:00:00Z')
    const { headers, body } = ecs.asked.at(-1)?.message ?? {}
    assert.equal(headers?.['content-type'], 'application/merge-patch+json')
    assert.equal(headers?.['if-match'], undefined)
    assert.equal(String(body), '{"expTime":"2026-11-22T12:00:00Z"}')
  })

  test('an answer without content (204) is followed by a look', async () => {
    const { ecs, registration } = await aRegistration()
    const path = `/eecs-eesregistration/v1/registrations/${ecs.registrationId}`
    ecs.answers[`PUT ${path}`] = async (_call, honest) => ({ ...(await honest()), status: 204, body: Buffer.alloc(0) })
    await registration.update({ eesProf: { ...PROFILE, easIds: ['eas-1'] } })
    assert.equal(ecs.paths().at(-1), `GET ${path}`)
    assert.deepEqual(registration.record.registration.eesProf.easIds, ['eas-1'])
  })

  test('ON-08: the registration of another EES is not taken for ours', async () => {
    const { ecs, registration, did } = await aRegistration()
    const get = `GET /eecs-eesregistration/v1/registrations/${ecs.registrationId}`
    ecs.answers[get] = () => json(200, { eesProf: { ...PROFILE, eesId: 'ees-2' } })
    await assert.rejects(registration.show(), { name: 'AnswerNotAccepted' })
    assert.deepEqual(did, [])
  })

  test('deregistration removes what is kept, also if the answer to an earlier one was lost', async () => {
    for (const answer of [undefined, problem(404, 'REGISTRATION_NOT_FOUND'), problem(401, 'CERTIFICATE_REVOKED')]) {
      const { ecs, registration, kept, opened } = await aRegistration()
      const name = `DELETE /eecs-eesregistration/v1/registrations/${ecs.registrationId}`
      if (answer !== undefined) ecs.answers[name] = () => answer
      await registration.deregister()
      assert.equal(kept(), undefined)
      assert.ok(opened.every(({ closed }) => closed))
    }
  })

  test('ON-11: of a registration that has ended there is no token, and what is kept is removed all the same', async () => {
    const { ecs, registration, kept } = await aRegistration()
    ecs.answers[TOKEN] = () => json(401, { error: 'invalid_client' })
    const name = `DELETE /eecs-eesregistration/v1/registrations/${ecs.registrationId}`
    ecs.answers[name] = () => problem(401, 'CERTIFICATE_REVOKED')
    await registration.deregister()
    assert.deepEqual(ecs.paths(), [TOKEN, name])
    assert.equal(kept(), undefined)
  })

  test('deregistration that may not have happened keeps everything', async () => {
    for (const answer of [lostAnswer, () => problem(503, 'NF_CONGESTION'), () => problem(403, 'POLICY_DENIED')]) {
      const { ecs, registration, kept } = await aRegistration()
      ecs.answers[`DELETE /eecs-eesregistration/v1/registrations/${ecs.registrationId}`] = answer
      await assert.rejects(registration.deregister())
      assert.ok(kept())
    }
  })
})

describe('access tokens, the side of the consumer: TS 33.501 13.4.1.1.2 step 1', () => {
  test('RFC 8707 2: a token is asked for with scope and target', async () => {
    const { ecs, registration } = await aRegistration()
    await registration.token({ scope: 'eees-eeccontextreloc', target: 'EES2.ecsp.example' })
    const form = new URLSearchParams(String(ecs.asked[0]?.message.body))
    assert.deepEqual(Object.fromEntries(form), {
      grant_type: 'client_credentials',
      scope: 'eees-eeccontextreloc',
      resource: 'https://ees2.ecsp.example',
    })
    await assert.rejects(registration.token({ scope: 'x', target: '../x' }), { name: 'NotUsable' })
  })

  test('TS 29.510 5.4.2.2.2: a redirect is followed to an ECS that our ECS has told of, and nowhere else: HT-06', async () => {
    const { ecs, registration } = await aRegistration()
    const partner = { fqdn: 'ecs2.ecsp.example', roots: [], issuers: [], nameSpace: ['far.example'] }
    const mtlsRoot = 'https://ecs2.ecsp.example:9444'
    ecs.answers['GET /.well-known/edge-federation/partners'] = () => json(200, { partners: [{ ...partner, mtlsRoot }] })
    let location = `${mtlsRoot}/oauth2/token`
    ecs.answers[TOKEN] = ({ origin }) =>
      origin === mtlsRoot
        ? json(200, { access_token: 'theirs', token_type: 'Bearer', expires_in: 60, scope: 'x' })
        : json(307, {}, { location })
    const ask = (target = 'ees.far.example') => registration.token({ scope: 'x', target })
    assert.equal((await ask()).accessToken, 'theirs')
    assert.deepEqual([ecs.asked.at(-1)?.origin, ecs.asked.at(-1)?.message.path], [mtlsRoot, '/oauth2/token'])

    const elsewhere = [
      'https://ecs3.ecsp.example:9444/oauth2/token',
      'https://ecs2.ecsp.example/oauth2/token',
      `${mtlsRoot}@evil.example/oauth2/token`,
      'http://ecs2.ecsp.example:9444/oauth2/token',
      '/oauth2/token',
      '',
    ]
    for (const [index, each] of elsewhere.entries()) {
      location = each
      await assert.rejects(ask(`ees${index}.far.example`), { name: 'AnswerNotAccepted' }, each)
    }
    location = `${mtlsRoot}/oauth2/token`
    await assert.rejects(ask('ees.near.example'), { name: 'AnswerNotAccepted' })
    ecs.answers[TOKEN] = () => json(308, {}, { location })
    await assert.rejects(ask('ees9.far.example'), { name: 'AnswerNotAccepted' })
  })

  test('TK-03, RS-04: a token goes to the server that is its audience, and nowhere else', async () => {
    const { ecs, registration } = await aRegistration()
    for (const origin of [EES2, 'https://ees3.ecsp.example']) {
      ecs.answers['GET /edgeward/v1/whoami'] = () => json(200, {})
      await registration.request(origin, { method: 'GET', path: '/edgeward/v1/whoami' }, { scope: 'edgeward-whoami' })
      const call = ecs.asked.at(-1)
      assert.equal(call?.origin, origin)
      const [, claims = ''] = (call?.message.headers?.['authorization'] ?? '').split('.')
      assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64url').toString()).aud, [new URL(origin).hostname])
    }
    for (const origin of ['http://ees2.ecsp.example', 'https://127.0.0.1', 'https://ees2.ecsp.example/path']) {
      await assert.rejects(registration.request(origin, { method: 'GET', path: '/' }, { scope: 'x' }), {
        name: 'NotUsable',
      })
    }
  })

  test('TK-13: a token that the server does not take is replaced once', async () => {
    const { ecs, registration } = await aRegistration()
    const challenge = { 'www-authenticate': 'Bearer realm="edgeward", error="invalid_token"' }
    let refusals = 1
    ecs.answers['GET /'] = () => (refusals-- > 0 ? problem(401, 'TOKEN_INVALID', challenge) : json(200, {}))
    const ask = () => registration.request(EES2, { method: 'GET', path: '/' }, { scope: 'x' })
    assert.equal((await ask()).status, 200)
    const partners = 'GET /.well-known/edge-federation/partners'
    assert.deepEqual(ecs.paths(), [partners, partners, TOKEN, 'GET /', TOKEN, 'GET /'])
    refusals = 9
    assert.equal((await ask()).status, 401)
    assert.deepEqual(ecs.paths().slice(6), ['GET /', TOKEN, 'GET /'])
  })

  test('CA-12: an EES of another ECS that shows a certificate under its next root is reached, once that root is told of', async () => {
    const { ecs, registration, opened, clock } = await aRegistration()
    const partner = { fqdn: 'ecs2.ecsp.example', issuers: [], nameSpace: ['ecsp.example'], mtlsRoot: 'https://x' }
    let roots = ['the old root']
    let shown = 'the old root'
    ecs.answers['GET /.well-known/edge-federation/partners'] = () => json(200, { partners: [{ ...partner, roots }] })
    ecs.answers['GET /'] = () => {
      if (opened.at(-1)?.root.includes(shown)) return json(200, {})
      throw new PeerUnavailable('connect', 'unable to get local issuer certificate')
    }
    const ask = () => registration.request(EES2, { method: 'GET', path: '/' }, { scope: 'x' })
    assert.equal((await ask()).status, 200)
    shown = 'the new root'
    clock.pass(3_000)
    await assert.rejects(ask(), { name: 'PeerUnavailable' })
    const connections = opened.length
    roots = ['the new root']
    clock.pass(3_000)
    assert.equal((await ask()).status, 200)
    assert.equal(opened.length, connections + 1)
    assert.deepEqual([opened.at(-1)?.origin, opened.at(-1)?.root.includes('the old root')], [EES2, false])
  })

  test('D-10: an ECS that authorizes by policy alone is asked without a token, before and after it says so', async () => {
    const { ecs, registration } = await aRegistration()
    ecs.answers[TOKEN] = () => json(400, { error: 'invalid_scope' })
    await registration.show()
    assert.equal(ecs.asked.at(-1)?.message.headers?.['authorization'], undefined)
    await assert.rejects(registration.token({ scope: 'x' }), { name: 'RefusedByServer', code: 'invalid_scope' })
    await assert.rejects(registration.request(EES2, { method: 'GET', path: '/' }, { scope: 'x' }), {
      code: 'invalid_scope',
    })
  })

  test('TK-07: an answer for more than was asked for, or of another type, is not accepted', async () => {
    const good = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 60 }
    const answers = [{ ...good, scope: 'x y' }, { ...good, token_type: 'mac' }, { ...good, access_token: 7 }, {}]
    for (const answer of answers) {
      const { ecs, registration } = await aRegistration()
      ecs.answers[TOKEN] = () => json(200, answer)
      await assert.rejects(registration.token({ scope: 'x' }), { name: 'AnswerNotAccepted' })
    }
  })

  test('HT-06: what the ECS tells everybody is fetched from the ECS alone', async () => {
    const { ecs, registration } = await aRegistration()
    await registration.fetch(`${ecs.origins.server}/oauth2/jwks`)
    assert.equal(ecs.asked[0]?.message.headers, undefined)
    await assert.rejects(registration.fetch('https://evil.example/oauth2/jwks'), { name: 'NotUsable' })
  })
})
