import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readCertificateList, x5tS256 } from '../../src/certificates/certificate.ts'
import { readCertsOnly } from '../../src/certificates/certs-only.ts'
import { writePem } from '../../src/certificates/pem.ts'
import type { Message, Response } from '../../src/http/client.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import { channelBinding } from '../../src/tls/connection.ts'
import { signJws } from '../../src/tokens/jws.ts'
import { createProof } from '../../src/tokens/proof-of-possession.ts'
import { TOKEN_TYPES } from '../../src/tokens/token-types.ts'
import { oauthErrorOf, refusedWith, withoutTrace } from './refusals.ts'
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

const MINUTE = 60_000
const DAY = 1_440 * MINUTE

/** The ECS lives some days ago, so that what it certifies after a day of its time is good on the wire today. */
let ahead = -3 * DAY
const clock = { now: () => Date.now() + ahead, monotonic: systemClock.monotonic }

describe('access tokens at the ECS itself: TS 33.501 13.4.1.1.2', () => {
  let ecs: RunningEcs
  let owner: RunningEes
  let other: RunningEes
  before(async () => {
    ecs = await runEcs('ecs1.example.com', { clock })
    owner = await onboard(ecs, { eesId: 'ees-owner', fqdn: 'owner.example.com' })
    other = await onboard(ecs, { eesId: 'ees-other', fqdn: 'other.example.com' })
  })
  after(() => ecs.close())

  const read = (ees: RunningEes, token: string) =>
    ees.request({ method: 'GET', headers: { authorization: `Bearer ${token}` } })

  const thumbprintOf = ({ certificateChain }: RunningEes) => {
    const [certificate] = readCertificateList(certificateChain)
    return x5tS256(certificate?.der ?? assert.fail('no certificate'))
  }

  /** Signed by the key of the ECS, whatever it says: how good the checks are that come after the signature. */
  function issued(change: object, signer: Signer = ecs.opened.tokenSigner()): Promise<string> {
    const iat = Math.floor(ecs.opened.clock.now() / 1000)
    const claims = {
      iss: `https://${ecs.fqdn}:${new URL(ecs.serving.listeners.server).port}`,
      sub: 'owner.example.com',
      client_id: 'owner.example.com',
      aud: [ecs.fqdn],
      scope: 'eecs-eesregistration',
      cnf: { 'x5t#S256': thumbprintOf(owner) },
      jti: `test-${Math.random()}`,
      iat,
      exp: iat + 600,
      ...change,
    }
    return signJws(TOKEN_TYPES.access, claims, signer)
  }

  async function newToken(ees: RunningEes): Promise<string> {
    const answer = await ees.request(
      form('/oauth2/token', { grant_type: 'client_credentials', scope: 'eecs-eesregistration' }),
    )
    assert.equal(answer.status, 200, answer.body.toString('utf8'))
    return bodyOf<{ access_token: string }>(answer).access_token
  }

  test('TK-03: a token is for this ECS by name, letter by letter, and for nobody else besides', async () => {
    const name = ecs.fqdn as string
    const near = [
      ...[
        `${name}.`,
        `.${name}`,
        ` ${name}`,
        `${name} `,
        `${name}\0`,
        `${name}\n`,
        `x${name}`,
        `${name}x`,
        name.slice(1),
      ],
      ...[name.slice(0, -1), name.toUpperCase(), 'Ecs1.example.com', 'ecs1', 'example.com', '*.example.com', '*', ''],
      ...[`https://${name}`, `https://${name}/`, `${name}:443`, `//${name}`, `urn:uuid:${owner.registrationId}`],
      ...[
        'ecs2.example.com',
        'owner.example.com',
        'ECS',
        'EES',
        'NRF',
        'ees-owner',
        `${name},${name}`,
        'ecs1%2eexample.com',
      ],
      ...['ｅcs1.example.com', 'ecs1.example.com\u200b'],
    ]
    const audiences = [
      ...near.flatMap((audience) => [audience, [audience]]),
      ...[[], null, 1, true, {}, { 0: name }, [[name]], [null], [name, name], [name, 'ecs2.example.com'], ['*', name]],
    ]
    assert.ok(audiences.length >= 40)
    for (const aud of audiences) {
      refusedWith(await withoutTrace(ecs, async () => read(owner, await issued({ aud }))), 'TOKEN_INVALID')
    }
    refusedWith(await read(owner, await issued({ aud: undefined })), 'TOKEN_INVALID')
    for (const aud of [name, [name]]) assert.equal((await read(owner, await issued({ aud }))).status, 200)
  })

  test('TK-05: a token belongs to one client and one certificate, both', async () => {
    for (const sub of ['owner.example.com', 'other.example.com']) {
      for (const ees of [owner, other]) {
        const token = await issued({ sub, client_id: sub, cnf: { 'x5t#S256': thumbprintOf(ees) } })
        for (const shows of [owner, other]) {
          const own = shows === ees && sub === shows.answer.eesProf.endPt.fqdn
          if (own) assert.equal((await read(shows, token)).status, 200)
          else refusedWith(await read(shows, token), 'TOKEN_INVALID')
        }
      }
    }
    for (const cnf of [
      undefined,
      {},
      { jkt: thumbprintOf(owner) },
      { 'x5t#S256': '' },
      { 'x5t#S256': [thumbprintOf(owner)] },
    ]) {
      refusedWith(await read(owner, await issued({ cnf })), 'TOKEN_INVALID')
    }
  })

  test('TK-05: a token does not pass to the renewed certificate: the EES asks for another one', async () => {
    const key = newEesKey()
    const headers = { 'content-type': 'application/pkcs10' }
    const path = '/.well-known/est/simplereenroll'
    const answer = await owner.request({ method: 'POST', path, headers, body: await csrOf(key, 'owner.example.com') })
    assert.equal(answer.status, 200)
    const [certificate] = readCertsOnly(Buffer.from(answer.body.toString('latin1'), 'base64'))
    const peer = ecs.withCertificate(writePem('CERTIFICATE', certificate ?? assert.fail('no certificate')), key)
    const request: RunningEes['request'] = ({ path = `${REGISTRATIONS}/${owner.registrationId}`, ...message }) =>
      peer.request({ ...message, path })
    const renewed = { ...owner, peer, request }
    refusedWith(await read(renewed, owner.accessToken), 'TOKEN_INVALID')
    assert.equal((await read(renewed, await newToken(renewed))).status, 200)
    assert.equal((await read(owner, owner.accessToken)).status, 200)
  })

  test('TK-06: of each type of token with each of its readers only the diagonal passes', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-tk06', fqdn: 'tk06.example.com' })
    const key = newEesKey()
    const peer = ecs.anybody()
    const exporter = channelBinding(await peer.socket()) ?? assert.fail('no TLS 1.3')
    const eesProf = profileOf(bundle)
    const { onboardingToken } = bundle
    const proven = await createProof({ ecs: ecs.fqdn, onboardingToken, exporter, eesProf }, signerOf(key))
    const iat = Math.floor(ecs.opened.clock.now() / 1000)
    const alike = { iss: 'owner.example.com', sub: 'owner.example.com', aud: ecs.fqdn, iat, exp: iat + 60, jti: 'a' }
    const types: Record<string, string> = {
      onboarding: onboardingToken,
      access: owner.accessToken,
      proof: proven.proof,
      // Types that this ECS has never made, by keys that it knows well.
      'client assertion': await signJws({ typ: 'client-authentication+jwt' }, alike, signerOf(owner.key)),
      'plain JWT': await signJws({ typ: 'JWT' }, alike, ecs.opened.tokenSigner()),
    }
    const onboard = async (token: string, proof: string) => {
      const message = await onboardingMessage(bundle, key, { onboardingInformation: { ...proven, proof } })
      return peer.request({ ...message, headers: { ...message.headers, authorization: `Bearer ${token}` } })
    }
    const readers: Record<string, (token: string) => Promise<Response>> = {
      access: (token) => read(owner, token),
      proof: (token) => onboard(onboardingToken, token),
      onboarding: (token) => onboard(token, proven.proof),
    }
    const refusals = {
      access: 'TOKEN_INVALID',
      proof: 'PROOF_OF_POSSESSION_FAILED',
      onboarding: 'ONBOARDING_TOKEN_INVALID',
    } as const
    for (const [type, token] of Object.entries(types)) {
      for (const reader of ['access', 'proof', 'onboarding'] as const) {
        if (reader === type) continue
        refusedWith(
          await withoutTrace(ecs, async () => (await readers[reader]?.(token)) ?? assert.fail()),
          refusals[reader],
        )
      }
      const introspection = bodyOf<{ active: boolean }>(await owner.request(form('/oauth2/introspect', { token })))
      assert.equal(introspection.active, type === 'access', type)
      const asGrant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token, scope: 'est' }
      assert.equal(oauthErrorOf(await owner.request(form('/oauth2/token', asGrant))), 'unsupported_grant_type')
    }
    assert.equal((await read(owner, owner.accessToken)).status, 200)
    assert.equal((await onboard(onboardingToken, proven.proof)).status, 201)
  })

  test('TK-13: ten rotations at once are one; the next key is published before it signs', async () => {
    const before = await publishedKeys()
    const answers = await Promise.all(Array.from({ length: 10 }, () => ecs.operator.rotateSigningKeys()))
    const published = await publishedKeys()
    assert.equal(published.length, before.length + 1)
    assert.deepEqual(
      new Set(answers.map((answer) => [...answer.published].sort().join())),
      new Set([published.sort().join()]),
    )
    assert.ok(before.includes(kidOf(await newToken(owner))))
    assert.equal((await keyFiles()).length, 2)
    await restart()
    assert.deepEqual((await publishedKeys()).sort(), published.sort())
  })

  test('TK-13: a token outlives a restart and the change of the key; the old key is gone when the last token has ended', async () => {
    ahead += DAY - MINUTE
    const old = ecs.opened.tokenSigner()
    const last = await newToken(owner)
    await restart()
    assert.equal((await read(owner, last)).status, 200)

    ahead += 2 * MINUTE
    await ecs.opened.keepKeys()
    const first = await newToken(owner)
    assert.notEqual(kidOf(first), kidOf(last))
    assert.equal((await keyFiles()).length, 1)
    await restart()
    for (const token of [last, first]) assert.equal((await read(owner, token)).status, 200)
    assert.ok((await publishedKeys()).includes(kidOf(last)))

    ahead += 8 * MINUTE
    refusedWith(await read(owner, last), 'TOKEN_INVALID')
    assert.equal((await read(owner, first)).status, 200)
    // Who has the old key can sign with it as long as it is published; then it is worth nothing.
    assert.equal((await read(owner, await issued({}, old))).status, 200)
    ahead += 8 * MINUTE
    await ecs.opened.keepKeys()
    assert.ok(!(await publishedKeys()).includes(kidOf(last)))
    refusedWith(await read(owner, await issued({}, old)), 'TOKEN_INVALID')
    assert.equal((await read(owner, await newToken(owner))).status, 200)
  })

  const kidOf = (token: string): string =>
    JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid

  async function publishedKeys(): Promise<string[]> {
    const answer = await ecs.anybody().request({ method: 'GET', path: '/oauth2/jwks' })
    return bodyOf<{ keys: { kid: string }[] }>(answer).keys.map(({ kid }) => kid)
  }

  const keyFiles = async () => (await readdir(join(ecs.folder, 'keys'))).filter((file) => file.startsWith('token-'))

  /** The ECS and the connections of its EESs begin anew. */
  async function restart(): Promise<void> {
    await ecs.restart()
    const reconnected = (ees: RunningEes): RunningEes => {
      const peer = ecs.withCertificate(ees.certificateChain, ees.key)
      const path = `${REGISTRATIONS}/${ees.registrationId}`
      return { ...ees, peer, request: (message) => peer.request({ path, ...message }) }
    }
    ;[owner, other] = [reconnected(owner), reconnected(other)]
  }
})

function form(path: string, parameters: Record<string, string>): Message {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path, headers, body: new URLSearchParams(parameters).toString() }
}
