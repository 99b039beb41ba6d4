import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { readCrl } from '../../src/certificates/crl.ts'
import { type Message, PeerUnavailable, type Response } from '../../src/http/client.ts'
import type { EESProfile, EESRegistration } from '../../src/spec/messages/ees-registration.ts'
import { refusedWith } from './refusals.ts'
import {
  bodyOf,
  csrOf,
  newEesKey,
  onboard,
  profileOf,
  REGISTRATIONS,
  type RunningEcs,
  type RunningEes,
  runEcs,
} from './running-ecs.ts'

describe('the life of a registration: TS 29.558 8.1, TR 33.839 6.Y.2', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs()
  })
  after(() => ecs.close())

  let count = 0
  const newcomer = () => {
    count += 1
    return onboard(ecs, { eesId: `ees-life-${count}`, fqdn: `life${count}.example.com` })
  }

  /** Everything that an EES could still try is refused, on the open connection and on new ones (THREATS CA-06). */
  async function isShutOut(ees: RunningEes): Promise<void> {
    const socket = await ees.peer.socket()
    const closed = new Promise<void>((resolve) =>
      socket.destroyed ? resolve() : socket.once('close', () => resolve()),
    )
    const attempts: Message[] = [
      { method: 'GET', path: `${REGISTRATIONS}/${ees.registrationId}` },
      tokenRequest(),
      reenrolment(await csrOf(ees.key)),
    ]
    for (const attempt of attempts) {
      const outcome = await ees.request(attempt).catch((error: unknown) => error)
      if (outcome instanceof PeerUnavailable) continue
      assert.equal((outcome as Response).status, 401, attempt.path)
    }
    await Promise.race([closed, delay(5_000, undefined, { ref: false }).then(() => assert.fail('it is still open'))])
    const again = ecs.withCertificate(ees.certificateChain, ees.key)
    for (const attempt of attempts) {
      const headers = { ...attempt.headers, authorization: `Bearer ${ees.accessToken}` }
      assert.equal((await again.request({ ...attempt, headers })).status, 401, attempt.path)
    }
    refusedWith(await again.request(attempts[0] ?? assert.fail()), 'CERTIFICATE_REVOKED')
  }

  async function isRevoked(eesId: string, state: string): Promise<void> {
    const shown = await ecs.operator.show(eesId)
    assert.equal(shown.state, state)
    const crl = readCrl((await ecs.anybody().request({ method: 'GET', path: '/crl/ees-issuer.crl' })).body)
    for (const { serial, state: was } of shown.certificates) {
      assert.equal(was, 'revoked')
      assert.ok(crl.revoked.has(serial))
    }
  }

  test('ON-11: after DELETE nothing of the EES is served any more, and its certificate is on the list', async () => {
    const [leaving, staying] = [await newcomer(), await newcomer()]
    assert.equal((await leaving.request({ method: 'DELETE' })).status, 204)
    await isShutOut(leaving)
    await isRevoked(leaving.answer.eesProf.eesId, 'deregistered')
    assert.equal((await staying.request({ method: 'GET' })).status, 200)
    assert.equal((await staying.request(tokenRequest())).status, 200)
  })

  test('ON-11: after its expiration time an EES that did not update is shut out; one that did is not', async () => {
    const [late, punctual] = [await newcomer(), await newcomer()]
    const until = (seconds: number) => new Date(ecs.opened.clock.now() + seconds * 1000).toISOString()
    for (const ees of [late, punctual]) assert.equal((await update(ees, { expTime: until(60) })).status, 200)
    assert.equal((await update(punctual, { expTime: until(3_600) })).status, 200)
    ecs.advance(60_000)
    await isShutOut(late)
    await isRevoked(late.answer.eesProf.eesId, 'expired')
    assert.equal((await punctual.request({ method: 'GET' })).status, 200)
    assert.equal((await punctual.request(tokenRequest())).status, 200)
  })

  test('ON-12: of 50 updates at once without If-Match none is lost and none fails; with If-Match one is made', async () => {
    const ees = await newcomer()
    const at = (n: number) => ({ expTime: new Date(ecs.opened.clock.now() + n * 60_000).toISOString() })
    const all = await Promise.all(Array.from({ length: 50 }, (_, n) => update(ees, at(n + 1))))
    assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]))
    assert.equal(new Set(all.map(({ headers }) => headers.etag)).size, 50)
    const { headers } = await ees.request({ method: 'GET' })
    const ifMatch = { 'if-match': headers.etag ?? '' }
    const raced = await Promise.all(Array.from({ length: 10 }, (_, n) => update(ees, at(n + 1), ifMatch)))
    assert.deepEqual(raced.map(({ status }) => status).sort(), [200, ...Array(9).fill(412)])
    for (const answer of raced) if (answer.status !== 200) refusedWith(answer, 'PRECONDITION_FAILED')
  })

  test('ON-12: whatever comes at once, what is answered is what a sequence of these would have answered', async () => {
    const moment = fc.integer({ min: 0, max: 12 })
    const condition = fc.constantFrom('none', 'first', 'any' as const)
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('put', 'patch' as const), condition, at: moment }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('renew', 'get' as const), at: moment }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'revoke' as const), at: moment }) },
    )
    const numRuns = process.env['EDGEWARD_DEEP'] ? 1_000 : 30
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 2, maxLength: 8 }), async (operations) => {
        await isSequential(await interleave(operations))
      }),
      { numRuns },
    )
  })

  interface Operation {
    readonly kind: 'put' | 'patch' | 'renew' | 'get' | 'delete' | 'revoke'
    readonly condition?: 'none' | 'first' | 'any'
    /** milliseconds */
    readonly at: number
  }

  interface Done {
    readonly operation: Operation
    readonly index: number
    /** undefined: the connection was cut before the answer, or there is none to give */
    readonly response: Response | undefined
  }

  interface History {
    readonly ees: RunningEes
    readonly profile: EESProfile
    readonly etag: string
    readonly done: readonly Done[]
  }

  async function interleave(operations: readonly Operation[]): Promise<History> {
    const ees = await newcomer()
    const first = await ees.request({ method: 'GET' })
    const profile = bodyOf<EESRegistration>(first).eesProf
    const etag = first.headers.etag ?? assert.fail('no ETag')
    const run = async (operation: Operation, index: number): Promise<Done> => {
      await delay(operation.at)
      if (operation.kind === 'revoke') {
        await ecs.operator.revoke(ees.registrationId)
        return { operation, index, response: undefined }
      }
      const response = await ees.request(await messageOf(operation, index, profile, etag)).catch((error: unknown) => {
        assert.ok(error instanceof PeerUnavailable, String(error))
        return undefined
      })
      return { operation, index, response }
    }
    return { ees, profile, etag, done: await Promise.all(operations.map(run)) }
  }

  async function isSequential({ ees, profile, etag, done }: History): Promise<void> {
    const kinds = new Set(done.map(({ operation }) => operation.kind))
    const mayEnd = kinds.has('delete') || kinds.has('revoke')
    for (const { operation, response } of done) {
      const { kind, condition } = operation
      const expected = [kind === 'delete' ? 204 : 200]
      if (condition === 'first') expected.push(412)
      if (mayEnd) expected.push(401, 404)
      if (response === undefined) assert.ok(mayEnd, `${kind} was cut off`)
      else assert.ok(expected.includes(response.status), `${kind} answered ${response.status}`)
    }

    // The answers in the order of their versions, each made from the one before.
    const answers = done.filter(({ operation, response }) => operation.kind !== 'renew' && response?.status === 200)
    const versions = answers.map(({ response }) => versionOf(response)).sort((a, b) => a - b)
    const updates = answers.filter(({ operation }) => operation.kind !== 'get')
    const updated = updates.map(({ response }) => versionOf(response))
    assert.equal(new Set(updated).size, updated.length, 'two updates made the same version')
    let [model, version] = [profile, Number(/-(\d+)"$/.exec(etag)?.[1])]
    for (const next of new Set(versions)) {
      const update = updates.find(({ response }) => versionOf(response) === next)
      if (update) {
        if (update.operation.condition === 'first') assert.equal(version, versionOf({ headers: { etag } }))
        model = afterUpdate(model, update)
      }
      for (const { response } of answers.filter((answer) => versionOf(answer.response) === next)) {
        assert.deepEqual(bodyOf<EESRegistration>(response ?? assert.fail()).eesProf, model)
      }
      version = next
    }

    const { state, eesProf, certificates } = await ecs.operator.show(ees.registrationId)
    const ended = kinds.has('revoke') || done.some(({ response }) => response?.status === 204)
    // A DELETE that was cut off by a revocation may have been first.
    if (ended) assert.match(state, kinds.has('revoke') ? /^(revoked|deregistered)$/ : /^deregistered$/)
    else assert.equal(state, 'live')
    const cut = done.some(({ operation, response }) => operation.kind !== 'revoke' && response === undefined)
    if (!cut) assert.deepEqual(eesProf, model)
    const renewed = done.filter(({ operation, response }) => operation.kind === 'renew' && response?.status === 200)
    assert.ok(certificates.length > renewed.length)
    for (const certificate of certificates) assert.equal(certificate.state, ended ? 'revoked' : 'issued')
  }
})

function versionOf(response: Pick<Response, 'headers'> | undefined): number {
  return Number(/-(\d+)"$/.exec(response?.headers.etag ?? '')?.[1])
}

interface Update {
  readonly operation: { readonly kind: string }
  readonly index: number
}

/** PUT replaces the profile, PATCH adds a member to what is there: an update that is lost is seen. */
function afterUpdate(profile: EESProfile, { operation, index }: Update): EESProfile {
  const { eesId, endPt, eecRegConf } = profile
  return operation.kind === 'put'
    ? { eesId, endPt, eecRegConf, easIds: [`eas-${index}`] }
    : { ...profile, provId: `ecsp-${index}` }
}

async function messageOf(
  { kind, condition }: { readonly kind: string; readonly condition?: string },
  index: number,
  profile: EESProfile,
  etag: string,
): Promise<Omit<Message, 'path'> & { path?: string }> {
  const matches = { first: { 'if-match': etag }, any: { 'if-match': '*' } }[condition ?? 'none'] ?? {}
  const { eesId, endPt, eecRegConf } = profile
  switch (kind) {
    case 'put': {
      const body = { eesProf: afterUpdate(profile, { operation: { kind }, index }) }
      return json('PUT', 'application/json', body, matches)
    }
    case 'patch':
      return json('PATCH', MERGE_PATCH, { eesProf: { eesId, endPt, eecRegConf, provId: `ecsp-${index}` } }, matches)
    case 'renew':
      return reenrolment(await csrOf(newEesKey(), endPt.fqdn))
    default:
      return { method: kind === 'delete' ? 'DELETE' : 'GET' }
  }
}

const MERGE_PATCH = 'application/merge-patch+json'

function json(method: 'PUT' | 'PATCH', mediaType: string, body: object, headers: Message['headers'] = {}) {
  return { method, headers: { 'content-type': mediaType, ...headers }, body: JSON.stringify(body) }
}

function update(ees: RunningEes, change: object, headers: Message['headers'] = {}): Promise<Response> {
  const { eesId, endPt } = ees.answer.eesProf
  const eesProf = profileOf({ eesId, fqdn: endPt.fqdn ?? '' })
  return ees.request(json('PUT', 'application/json', { eesProf, ...change }, headers))
}

function tokenRequest(): Message {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return {
    method: 'POST',
    path: '/oauth2/token',
    headers,
    body: 'grant_type=client_credentials&scope=eecs-eesregistration',
  }
}

function reenrolment(csr: string): Message {
  const headers = { 'content-type': 'application/pkcs10' }
  return { method: 'POST', path: '/.well-known/est/simplereenroll', headers, body: csr }
}
