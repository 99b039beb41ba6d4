import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { readCertificateList, x5tS256 } from '../../../src/certificates/certificate.ts'
import { freePorts } from '../../../src/http/free-ports.ts'
import { signerOf } from '../../../src/ports/signer.ts'
import type { Fqdn } from '../../../src/spec/identifiers.ts'
import type { EecId } from '../../../src/spec/subscriber-identifiers.ts'
import { type AccessGrant, issueAccessToken } from '../../../src/tokens/access-token.ts'
import type { Issuance } from '../../../src/tokens/claims.ts'
import type { RunningEes } from '../running-ecs.ts'
import {
  anEes,
  ecsName,
  eesName,
  errorOf,
  granted,
  type Member,
  requestToken,
  SCOPE,
  startMember,
  trust,
} from './a-federation.ts'
import { type HostileAnswer, HostilePeer } from './a-hostile-peer.ts'

const OTHER = `${'B'.repeat(42)}A`

describe('a trusted peer that answers something else: THREATS FW-05, FW-06', () => {
  let a: Member
  let b: Member
  let hostile: HostilePeer
  let client: RunningEes
  let honest: AccessGrant
  let now: number

  before(async () => {
    const [port = 0] = await freePorts('127.0.0.1', 1)
    a = await startMember('a', ['a', 'b'])
    b = await startMember('b', ['a', 'b'], {}, `mtlsRoot: https://${ecsName('b')}:${port}\n`)
    await trust(a, b)
    client = await anEes(a)
    hostile = await HostilePeer.inPlaceOf(b, [a.ecs.opened.ca.root()], port)
    const [certificate] = readCertificateList(client.certificateChain)
    honest = {
      iss: `https://${ecsName('b')}:${new URL(b.ecs.serving.listeners.server).port}`,
      sub: eesName('a') as Fqdn,
      aud: eesName('b') as Fqdn,
      scope: new Set([SCOPE]),
      certificateThumbprint: x5tS256(certificate?.der ?? assert.fail()),
      eecId: 'eec-1' as EecId,
      srcEcs: ecsName('a') as Fqdn,
    }
  })
  after(async () => {
    await hostile.close()
    await Promise.all([a, b].map(({ ecs }) => ecs.close()))
  })

  const tokenOf = (change: Partial<AccessGrant> = {}, issuance: Partial<Issuance> = {}) =>
    issueAccessToken(
      { ...honest, ...change },
      { signer: b.ecs.opened.tokenSigner(), now, jti: 'jti-1', lifetime: 300, ...issuance },
    )
  const saying = (body: unknown, status = 200, type = 'application/json'): HostileAnswer => ({
    status,
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const giving = (access_token: string, change: object = {}) =>
    saying({ access_token, token_type: 'Bearer', expires_in: 300, scope: SCOPE, ...change })
  const ask = () => requestToken(client, eesName('b'), { eecId: 'eec-1' })

  test('FW-06: of an honest token and 26 substituted answers only the honest one is passed on', async () => {
    now = Date.now()
    const stranger = signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const token = await tokenOf()
    const [header, claims, signature] = token.split('.')
    const { eecId: _, ...withoutEec } = honest
    const { srcEcs: __, ...withoutSource } = honest
    const by = { signer: b.ecs.opened.tokenSigner(), now, jti: 'jti-1', lifetime: 300 }
    hostile.answer = giving(token)
    assert.equal(granted(await ask()).access_token, token)
    const answers: HostileAnswer[] = [
      giving(await tokenOf({ aud: eesName('a') as Fqdn })),
      giving(await tokenOf({ aud: ecsName('a') as Fqdn })),
      giving(await tokenOf({ sub: 'ees2.a.example.com' as Fqdn })),
      giving(await tokenOf({ sub: eesName('b') as Fqdn })),
      giving(await tokenOf({ certificateThumbprint: OTHER })),
      giving(await tokenOf({ scope: new Set([SCOPE, 'eees-easdiscovery']) })),
      giving(await tokenOf({ scope: new Set(['eees-easdiscovery']) })),
      giving(await tokenOf({ iss: `https://${ecsName('a')}` })),
      giving(await tokenOf({ iss: ecsName('b') })),
      giving(await tokenOf({ eecId: 'eec-2' as EecId })),
      giving(await issueAccessToken(withoutEec, by)),
      giving(await issueAccessToken(withoutSource, by)),
      giving(await tokenOf({ srcEcs: ecsName('b') as Fqdn })),
      giving(await tokenOf({}, { lifetime: 301 })),
      giving(await tokenOf({}, { now: now - 600_000 })),
      giving(await tokenOf({}, { now: now + 3_600_000 })),
      giving(await tokenOf({}, { signer: stranger })),
      giving(await tokenOf({}, { signer: b.ecs.opened.forwardingSigner })),
      giving(`${header}.${claims}.${signature?.split('').reverse().join('')}`),
      giving(`${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${claims}.`),
      giving(client.accessToken),
      giving(token, { token_type: 'mac' }),
      saying({ token_type: 'Bearer' }),
      saying('<html>', 200, 'text/html'),
      saying(`${JSON.stringify({ access_token: token, token_type: 'Bearer' })} `, 200, 'text/plain'),
      saying({ access_token: token, token_type: 'Bearer' }, 201),
    ]
    assert.ok(answers.length >= 20)
    for (const [index, answer] of answers.entries()) {
      hostile.answer = answer
      const response = await ask()
      assert.deepEqual([response.status, errorOf(response)], [502, 'server_error'], `answer ${index}`)
      assert.ok(!response.body.includes('ey'), `answer ${index} has something of the token`)
    }
  })

  test('FW-05: no redirect, no other address and no long answer of a peer leads anywhere', async () => {
    const seen: string[] = []
    const canary = createServer((socket) => {
      seen.push('connected')
      socket.destroy()
    })
    await new Promise<void>((listening) => canary.listen(0, '127.0.0.1', listening))
    const address = canary.address()
    const location = `https://${ecsName('b')}:${typeof address === 'object' ? address?.port : 0}/oauth2/token`
    for (const status of [301, 302, 303, 307, 308]) {
      hostile.answer = { status, headers: { location, 'alt-svc': `h2="${location}"`, link: `<${location}>` } }
      const response = await ask()
      assert.deepEqual([response.status, errorOf(response)], [502, 'server_error'])
    }
    const port = typeof address === 'object' ? address?.port : 0
    for (const [name, value] of Object.entries({
      '3gpp-sbi-target-apiroot': `https://127.0.0.1:${port}`,
      'x-forwarded-host': `127.0.0.1:${port}`,
      forwarded: `host=127.0.0.1:${port}`,
    })) {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        scope: SCOPE,
        resource: `https://${eesName('b')}`,
      })
      form.set('targetApiRoot', `https://127.0.0.1:${port}`)
      const headers = { 'content-type': 'application/x-www-form-urlencoded', [name]: value }
      await client.peer.request({ method: 'POST', path: '/oauth2/token', headers, body: form.toString() })
    }
    hostile.answer = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Buffer.alloc(1_000_000, ' '),
    }
    const response = await ask()
    assert.deepEqual([response.status, errorOf(response)], [503, 'temporarily_unavailable'])
    assert.deepEqual(seen, [])
    await new Promise((closed) => canary.close(closed))
  })

  test('what a peer says of its reasons does not reach the client', async () => {
    const problem = { status: 403, title: 'x', cause: 'POLICY_DENIED', detail: 'canary-of-the-peer' }
    for (const [cause, status, error] of [
      ['POLICY_DENIED', 400, 'invalid_scope'],
      ['FORWARDING_INVALID', 400, 'invalid_scope'],
      ['FORWARDING_LOOP', 400, 'invalid_request'],
    ] as const) {
      hostile.answer = saying({ ...problem, cause }, 403, 'application/problem+json')
      const response = await ask()
      assert.deepEqual([response.status, errorOf(response)], [status, error])
      assert.ok(!response.body.includes('canary'))
    }
  })

  test('FW-02: from a client that is unknown, not allowed or mistaken the peer receives no octet', async () => {
    const asked = hostile.asked.length
    const stranger = await anEes(b)
    const forms = [
      { client_id: 'ees2.a.example.com' },
      { requesterFqdn: 'ees2.a.example.com' },
      { nfInstanceId: '00000000-0000-4000-8000-000000000000' },
      { scope: 'eees-cea' },
      { scope: '*' },
      { grant_type: 'password' },
      { audience: eesName('b') },
      { hnrfAccessTokenUri: `https://${ecsName('b')}/` },
      { eecId: '../eec' },
    ]
    for (const form of forms) assert.ok((await requestToken(client, eesName('b'), form)).status >= 400)
    // An EES of the other ECS has no registration here, and no connection.
    const foreign = a.ecs.withCertificate(stranger.certificateChain, stranger.key)
    await assert.rejects(requestToken({ ...stranger, peer: foreign }, eesName('b')))
    await a.ecs.operator.revoke('ees1-a')
    await requestToken(client, eesName('b')).catch(() => undefined)
    assert.equal(hostile.asked.length, asked)
  })
})
