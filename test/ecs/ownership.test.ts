import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Message, Response } from '../../src/http/client.ts'
import { parseRegistrationId } from '../../src/spec/identifiers.ts'
import { notLetIn, oauthErrorOf, problemOf, refusedWith, withoutTrace } from './refusals.ts'
import {
  bodyOf,
  csrOf,
  newEesKey,
  onboard,
  onboardingMessage,
  profileOf,
  REGISTRATIONS,
  type RunningEcs,
  type RunningEes,
  runEcs,
} from './running-ecs.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'
const JSON_CONTENT = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** Every operation on a registration, as its own EES would send it. */
function operationsOn(path: string, eesProf: object): Message[] {
  return [
    { method: 'GET', path },
    { method: 'PUT', path, headers: JSON_CONTENT, body: JSON.stringify({ eesProf }) },
    { method: 'PUT', path, headers: { ...JSON_CONTENT, 'if-match': '*' }, body: JSON.stringify({ eesProf }) },
    { method: 'PATCH', path, headers: { 'content-type': 'application/merge-patch+json' }, body: '{}' },
    { method: 'DELETE', path },
  ]
}

describe('whose a registration is: D-9, TR 33.839 6.Y.2', () => {
  let ecs: RunningEcs
  let victim: RunningEes
  let others: RunningEes[]
  before(async () => {
    ecs = await runEcs()
    victim = await onboard(ecs, { eesId: 'ees-victim', fqdn: 'victim.example.com' })
    others = [
      await onboard(ecs, { eesId: 'ees-other', fqdn: 'other.example.com' }),
      // One whose names begin and end like the victim's, and one that is named like its registration.
      await onboard(ecs, { eesId: 'ees-victim2', fqdn: 'sub.victim.example.com' }),
      await onboard(ecs, { eesId: victim.registrationId, fqdn: 'uuid.example.com' }),
    ]
  })
  after(() => ecs.close())

  test('ON-08: no operation on a registration is done for another EES, and the refusal is that of one that never was', async () => {
    for (const other of others) {
      const own = `${REGISTRATIONS}/${victim.registrationId}`
      const never = operationsOn(`${REGISTRATIONS}/${NOBODY}`, victim.answer.eesProf)
      for (const [n, attack] of operationsOn(own, victim.answer.eesProf).entries()) {
        const refused = refusedWith(await withoutTrace(ecs, () => other.request(attack)), 'REGISTRATION_NOT_FOUND')
        const unknown = problemOf(await other.request(never[n] ?? assert.fail()))
        assert.deepEqual({ ...refused, instance: '' }, { ...unknown, instance: '' })
      }
    }
    for (const honest of operationsOn(`${REGISTRATIONS}/${victim.registrationId}`, victim.answer.eesProf).slice(
      0,
      -1,
    )) {
      assert.equal((await victim.request(honest)).status, 200)
    }
  })

  test('ON-08: nobody renews a certificate for another name, or into another registration', async () => {
    const names = ['victim.example.com', 'ecs1.example.com', '*.example.com', 'evil.victim.example.com']
    for (const other of others) {
      for (const name of names) {
        const attack = reenrolment(await csrOf(newEesKey(), name))
        refusedWith(await withoutTrace(ecs, () => other.request(attack)), 'EES_NOT_ENTITLED')
      }
    }
    const renewed = await victim.request(reenrolment(await csrOf(newEesKey(), 'victim.example.com')))
    assert.equal(renewed.status, 200)
  })

  test('ON-08: a name or an identity that is registered cannot be registered by another, with a token of its own', async () => {
    for (const taken of [
      { eesId: 'ees-victim', fqdn: 'new.example.com' },
      { eesId: 'ees-new', fqdn: 'victim.example.com' },
    ]) {
      const message = await onboardingMessage(await ecs.invite(taken), newEesKey())
      refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(message)), 'EES_ALREADY_REGISTERED')
    }
    await onboard(ecs, { eesId: 'ees-new', fqdn: 'new.example.com' })
  })

  test('ON-08: an EES ID that reads like a registration identifier does not stand in for it', async () => {
    const { eesId } = await ecs.operator.show(victim.registrationId)
    assert.equal(eesId, 'ees-victim')
  })

  test('ON-09: the identifier is random, and worth nothing without the credential, on any route of any listener', async () => {
    const { registrationId } = victim
    assert.ok(parseRegistrationId(registrationId))
    assert.equal(new Set([victim, ...others].map((ees) => ees.registrationId.slice(0, 8))).size, 4)
    const path = `${REGISTRATIONS}/${registrationId}`
    const attacks = operationsOn(path, victim.answer.eesProf)
    await withoutTrace(ecs, async () => {
      for (const attack of attacks) {
        // The listener without client certificates has no such resource, whatever token comes along.
        for (const authorization of [undefined, `Bearer ${victim.accessToken}`, `Bearer ${registrationId}`]) {
          const headers = { ...attack.headers, ...(authorization && { authorization }) }
          refusedWith(await ecs.anybody().request({ ...attack, headers }), 'RESOURCE_URI_STRUCTURE_NOT_FOUND')
        }
        for (const listener of ['mtls', 'admin'] as const) {
          const { port } = new URL(ecs.serving.listeners[listener])
          await notLetIn(ecs.withoutCertificate(Number(port)).request(attack))
        }
        for (const other of others) refusedWith(await other.request(attack), 'REGISTRATION_NOT_FOUND')
      }
    })
    assert.equal((await victim.request({ method: 'GET' })).status, 200)
  })

  test('ON-09: what is no identifier is no resource either', async () => {
    const ids = [
      ...['', '.', '..', '%2e%2e', '..%2f..%2fetc%2fpasswd', '%00', '%0d%0aset-cookie:a', '%1b[31m', '*', '%', '%zz'],
      ...[victim.registrationId.toUpperCase(), `${victim.registrationId}/`, `${victim.registrationId}%00`],
      ...[
        `${victim.registrationId};x`,
        `urn:uuid:${victim.registrationId}`,
        '__proto__',
        'constructor',
        '1'.repeat(8_192),
      ],
    ]
    for (const id of ids) {
      const answer = await withoutTrace(ecs, () => victim.request({ method: 'GET', path: `${REGISTRATIONS}/${id}` }))
      const { status } = problemOf(answer)
      assert.ok(status === 404 || status === 400, `${id}: ${status}`)
    }
    assert.equal((await victim.request({ method: 'GET' })).status, 200)
  })

  test('TK-14: the token of one EES reads nothing of another, at the API, at introspection or at the token endpoint', async () => {
    for (const other of others) {
      const read = { method: 'GET', path: `${REGISTRATIONS}/${victim.registrationId}` } as const
      const refused = await withoutTrace(ecs, () => other.request(read))
      refusedWith(refused, 'REGISTRATION_NOT_FOUND')
      for (const secret of ['victim', 'ees-victim', 'eas-1']) {
        assert.ok(!refused.body.toString('utf8').replaceAll(victim.registrationId, '').includes(secret))
      }
      const introspection = await other.request(form('/oauth2/introspect', { token: victim.accessToken }))
      assert.deepEqual(bodyOf(introspection), { active: false })
      assert.equal((await other.request(form('/oauth2/revoke', { token: victim.accessToken }))).status, 200)
      const scope = 'eecs-eesregistration'
      const asVictim = { grant_type: 'client_credentials', scope, client_id: 'victim.example.com' }
      assert.equal(
        oauthErrorOf(await withoutTrace(ecs, () => other.request(form('/oauth2/token', asVictim)))),
        'invalid_client',
      )
    }
    assert.equal((await victim.request({ method: 'GET' })).status, 200)
    const own = await victim.request(form('/oauth2/introspect', { token: victim.accessToken }))
    assert.equal(bodyOf<{ active: boolean }>(own).active, true)
  })

  test('HT-12: every way to be refused ends in a row of the table and a sentence of ours, with nothing of the inside', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-ht12', fqdn: 'ht12.example.com' })
    const good = await onboardingMessage(bundle, newEesKey())
    const [anybody, ees] = [ecs.anybody(), victim]
    const attempts: (() => Promise<Response>)[] = [
      () => anybody.request({ method: 'GET', path: '/' }),
      () => anybody.request({ method: 'GET', path: '/.git/config' }),
      () => anybody.request({ method: 'GET', path: '/operator/v1/ees' }),
      () => anybody.request({ method: 'GET', path: `${REGISTRATIONS}?a=1&a=2` }),
      () => anybody.request({ method: 'DELETE', path: REGISTRATIONS }),
      () => anybody.request({ method: 'GET', path: '/crl/../ecs.yaml' }),
      () => anybody.request({ method: 'GET', path: '/crl/root.key' }),
      () => anybody.request({ ...good, headers: {} }),
      () => anybody.request({ ...good, headers: { ...good.headers, authorization: 'Basic YTpi' } }),
      () => anybody.request({ ...good, headers: { ...good.headers, authorization: 'Bearer a.b.c' } }),
      () => anybody.request({ ...good, headers: { ...good.headers, 'content-type': 'text/plain' } }),
      () => anybody.request({ ...good, headers: { ...good.headers, 'content-encoding': 'gzip' } }),
      () => anybody.request({ ...good, headers: { ...good.headers, host: 'evil.example' } }),
      () => anybody.request({ ...good, body: '{"eesProf"' }),
      () => anybody.request({ ...good, body: Buffer.of(0x22, 0xff, 0x22) }),
      () => anybody.request({ ...good, body: '['.repeat(100_000) }),
      () => anybody.request({ ...good, body: `{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}` }),
      () => anybody.request({ ...good, body: '{"eesProf":{"__proto__":{"eesId":"x"}}}' }),
      () => anybody.request({ ...good, body: JSON.stringify({ eesProf: profileOf(bundle) }) }),
      () =>
        anybody.request({
          ...good,
          body: JSON.stringify({ eesProf: 1, onboardingInformation: { csr: "'; drop table" } }),
        }),
      () => ees.request({ method: 'GET', headers: { authorization: 'Bearer x' } }),
      () => ees.request({ method: 'GET', headers: { authorization: 'Bearer' } }),
      () => ees.request({ method: 'POST' }),
      () => ees.request(reenrolment('MIIB')),
      () => ees.request(reenrolment('\0\0\0')),
    ]
    const inside = /\/(tmp|home|root|work|src)\b|node_modules|\.ts\b|sqlite|select |stack|at \w+ \(|undefined|\[object/i
    await withoutTrace(ecs, async () => {
      for (const attempt of attempts) {
        const answer = await attempt()
        const { instance, ...problem } = problemOf(answer)
        assert.ok(problem.status >= 400 && problem.status < 500, `${problem.status} ${problem.cause}`)
        assert.doesNotMatch(JSON.stringify(problem), inside, instance)
        assert.ok(answer.body.length < 1_000)
      }
    })
    assert.equal((await anybody.request(good)).status, 201)
  })
})

function reenrolment(csr: string): Message {
  const headers = { 'content-type': 'application/pkcs10' }
  return { method: 'POST', path: '/.well-known/est/simplereenroll', headers, body: csr }
}

function form(path: string, parameters: Record<string, string>): Message {
  return { method: 'POST', path, headers: FORM, body: new URLSearchParams(parameters).toString() }
}
