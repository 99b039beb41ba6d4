import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { withoutListeners } from '../../src/ecs/server/context.ts'
import { eecAuthentication } from '../../src/ecs/server/eec-authentication.ts'
import { eecRoutes, openEecSide } from '../../src/ecs/server/eec-side.ts'
import type { Message, Peer, Response } from '../../src/http/client.ts'
import type { Operation } from '../../src/spec/operation.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { type AnEnt, type AnEntitledEec, anEnt, anEntitledEec, proof, runEcsWithEnts } from './an-ent.ts'
import { notLetIn, oauthErrorOf, problemOf, withoutTrace } from './refusals.ts'
import { onboard, type RunningEcs, type RunningEes, runEcs } from './running-ecs.ts'

const UUID = '00000000-0000-4000-8000-000000000000'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** What stands in the headers of a request, and in the place of a grant. */
interface Shown {
  readonly headers: Readonly<Record<string, string>>
  readonly assertion?: string
}

describe('routes for EECs, and who is none', () => {
  let ent: AnEnt
  let stranger: AnEnt
  let ecs: RunningEcs
  let bare: RunningEcs
  let ees: RunningEes
  let routes: Record<'server' | 'psk', Operation[]>
  before(async () => {
    ;[ent, stranger] = [await anEnt(), await anEnt('ent.stranger.example')]
    ecs = await runEcsWithEnts([ent])
    bare = await runEcs('ecs2.example.com')
    ees = await onboard(ecs)
    routes = await routesOf(ecs)
  })
  after(async () => {
    await Promise.all([ecs.close(), bare.close()])
    await Promise.all([ent.close(), stranger.close()])
  })

  async function routesOf({ opened }: RunningEcs) {
    const context = await withoutListeners(opened)
    const eecs = await eecAuthentication(context, 'https://nowhere.example', () => assert.fail('not asked for'))
    const side = await openEecSide(opened, () => assert.fail('not asked for'))
    const { server, psk } = eecRoutes(opened, context.urls(), { ...side, eecOf: eecs.peerOf })
    await side.close()
    return { server: server.map(({ operation }) => operation), psk: psk.map(({ operation }) => operation) }
  }

  /** A message that would change something, if it were of an EEC that may send it. */
  function messageFor({ method, path, api }: Operation, { headers, assertion = '' }: Shown): Message {
    const named = path.replaceAll(/\{\w+\}/g, UUID)
    if (method === 'DELETE') return { method, path: named, headers }
    if (api === 'oauth2') {
      const form = {
        grant_type: JWT_BEARER,
        assertion,
        scope: 'eees-easdiscovery',
        audience: 'ees-1',
        client_id: 'eec-1',
      }
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      return { method, path: named, headers: { ...headers, ...type }, body: new URLSearchParams(form).toString() }
    }
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const body = {
      eecId: 'eec-1',
      notificationDestination: 'https://cb.apps.example/',
      notificationSecret: '0123456789abcdef0123456789abcdef',
    }
    return { method, path: named, headers: { ...headers, 'content-type': type }, body: JSON.stringify(body) }
  }

  /** Everything that somebody without a good credential could show at one route. */
  async function strangers(operation: Operation, of: RunningEcs = ecs): Promise<Record<string, Shown>> {
    const [eec, thief] = [anEntitledEec(), anEntitledEec()]
    const path = operation.path.replaceAll(/\{\w+\}/g, UUID)
    const own = await ent.token(ecs.fqdn, eec)
    const isGrant = operation.api === 'oauth2'
    const shown = async (token: string, by: AnEntitledEec, change: object = {}): Promise<Shown> => {
      const bound = isGrant ? {} : { token }
      const dpop = await proof(of, by.signer, { method: operation.method, path, ...bound, ...change })
      return isGrant ? { headers: { dpop }, assertion: token } : { headers: { authorization: `DPoP ${token}`, dpop } }
    }
    const [header = '', claims = '', signature = ''] = own.split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'edge-entitlement+jwt' })).toString('base64url')
    const byHeader = (authorization: string, more: object = {}): Shown => ({ headers: { authorization, ...more } })
    const minuteAgo = Date.now() - 11 * 60_000
    return {
      nothing: { headers: {} },
      'an empty header': byHeader(''),
      'the word none': byHeader('none'),
      'a method that is no method': byHeader('DPoP none', { 'edge-auth-methods': 'offered="none"; chosen="none"' }),
      'a password': byHeader(`Basic ${Buffer.from('eec-1:eec-1').toString('base64')}`),
      'an EEC ID': byHeader('Bearer eec-1'),
      'names in headers': {
        headers: { 'x-eec-id': 'eec-1', 'x-ssl-client-s-dn': 'CN=eec-1', 'x-forwarded-user': 'eec-1' },
      },
      'a token without a proof': isGrant ? { headers: {}, assertion: own } : byHeader(`DPoP ${own}`),
      'a bound token as a bearer token': isGrant ? { headers: {}, assertion: own } : byHeader(`Bearer ${own}`),
      'a token with the key of another': await shown(own, thief),
      'a proof for another method': await shown(own, eec, { method: operation.method === 'POST' ? 'GET' : 'POST' }),
      'a proof for another path': await shown(own, eec, { path: '/elsewhere' }),
      'a proof for another token': await shown(own, eec, { token: `${own}x` }),
      'a proof alone': { headers: { dpop: await proof(of, eec.signer, { method: operation.method, path }) } },
      'a token of a stranger': await shown(await stranger.token(ecs.fqdn, eec), eec),
      'a token for another ECS': await shown(await ent.token(fqdn('ecs3.example.com'), eec), eec),
      'a token for an EES': await shown(await ent.token(fqdn('ees1.example.com'), eec), eec),
      'an expired token': await shown(await ent.token(ecs.fqdn, eec, minuteAgo), eec),
      'a token of tomorrow': await shown(await ent.token(ecs.fqdn, eec, Date.now() + 86_400_000), eec),
      'an unbound token': await shown(await ent.token(ecs.fqdn, { eecId: eec.eecId }), eec),
      'a token without signature': await shown(`${none}.${claims}.`, eec),
      'a token with another signature': await shown(`${header}.${claims}.${[...signature].reverse().join('')}`, eec),
      'the token of an EES': await shown(ees.accessToken, eec),
      'the bearer token of an EES': byHeader(`Bearer ${ees.accessToken}`),
      'an onboarding token': byHeader(
        `Bearer ${(await of.invite({ eesId: 'ees-new', fqdn: 'new.example.com' })).onboardingToken}`,
      ),
      'a digest': byHeader(`Bearer ${createHash('sha256').update(own).digest('hex')}`),
    }
  }

  /** @returns whether it is a refusal of the credential: 401, or RFC 9449 5 at the OAuth endpoint */
  function isRefused(response: Response, { api }: Operation): boolean {
    // Without a proof no token is taken, so none is asked for in another scheme (RFC 9449 7.1).
    const isAsked = /^DPoP realm="edgeward", (error="\w+", )?algs="ES256"$/.test(
      response.headers['www-authenticate'] ?? '',
    )
    if (api !== 'oauth2') return problemOf(response).status === 401 && isAsked
    const error = oauthErrorOf(response)
    return response.status === 401
      ? error === 'invalid_client' && isAsked
      : response.status === 400 && error === 'invalid_dpop_proof'
  }

  async function refuseStrangers(of: RunningEcs, listener: 'server' | 'mtls', connect: () => Peer): Promise<number> {
    let cells = 0
    for (const operation of routes.server) {
      const shown = await strangers(operation, of)
      const peer = connect()
      await withoutTrace(of, async () => {
        for (const [name, each] of Object.entries(shown)) {
          const response = await peer.request(messageFor(operation, each))
          assert.ok(
            isRefused(response, operation),
            `${listener} ${operation.id}: ${name}: ${response.status} ${response.body}`,
          )
          cells += 1
        }
      })
      peer.close()
    }
    return cells
  }

  test('NG-01: every route for EECs refuses whoever shows nothing, or anything else: 401, and nothing is stored', async () => {
    assert.deepEqual(
      routes.server.map(({ id }) => id),
      [...EDGE_4, 'EecAccessTokenRequest'],
    )
    assert.deepEqual(
      routes.psk.map(({ id }) => id),
      [...EDGE_4, 'EecAccessTokenRequest'],
    )
    assert.ok((await refuseStrangers(ecs, 'server', () => ecs.anybody())) >= 150)
    // A certificate on this listener adds nothing.
    await refuseStrangers(ecs, 'server', () => ecs.withCertificate(ees.certificateChain, ees.key, 'server'))
  })

  test('NG-01: an ECS without any method for EECs refuses them all, with good tokens of somebody as well', async () => {
    assert.ok((await refuseStrangers(bare, 'server', () => bare.anybody())) >= 150)
    const eec = anEntitledEec()
    const metadata = bare.anybody()
    const answer = await metadata.request({ method: 'GET', path: '/.well-known/oauth-authorization-server' })
    assert.deepEqual(JSON.parse(answer.body.toString()).edge_eec_authentication_methods_supported, [])
    for (const operation of routes.server) {
      const path = operation.path.replaceAll(/\{\w+\}/g, UUID)
      const token = await ent.token(bare.fqdn, eec)
      const isGrant = operation.api === 'oauth2'
      const dpop = await proof(bare, eec.signer, { method: operation.method, path, ...(!isGrant && { token }) })
      const shown = isGrant
        ? { headers: { dpop }, assertion: token }
        : { headers: { authorization: `DPoP ${token}`, dpop } }
      assert.ok(isRefused(await metadata.request(messageFor(operation, shown)), operation), operation.id)
    }
    metadata.close()
  })

  test('NG-05: what the metadata offer is what each listener takes; on the others there are no routes for EECs', async () => {
    const eec = anEntitledEec()
    const path = '/eecs-serviceprovisioning/v1/request'
    const token = await ent.token(ecs.fqdn, eec)
    const body = JSON.stringify({ eecId: eec.eecId })
    // The key of a network is not offered, so its listener lets nobody in.
    const psk = ecs.withoutCertificate(Number(new URL(ecs.serving.listeners.psk).port))
    await notLetIn(psk.request({ method: 'POST', path }))
    const mtls = ecs.withCertificate(ees.certificateChain, ees.key)
    const dpop = await proof(ecs, eec.signer, { path, token })
    const headers = { authorization: `DPoP ${token}`, dpop, 'content-type': 'application/json' }
    for (const { method, path: template, api } of routes.server.filter(({ api: name }) => name !== 'oauth2')) {
      const resource = template.replaceAll(/\{\w+\}/g, UUID)
      const response = await mtls.request({ method, path: resource, ...(method !== 'DELETE' && { headers, body }) })
      assert.equal(problemOf(response).status, 404, `${method} ${resource} of ${api}`)
    }
    // Another version, another spelling: the same route or none.
    const anybody = ecs.anybody()
    for (const other of [
      '/eecs-serviceprovisioning/v2/request',
      '/EECS-serviceprovisioning/v1/request',
      `${path}/`,
      `/${path}`,
    ]) {
      assert.equal(problemOf(await anybody.request({ method: 'POST', path: other, headers, body })).status, 404, other)
    }
    const good = await anybody.request({ method: 'POST', path, headers, body })
    assert.equal(good.status, 200, good.body.toString())
    const again = await anybody.request({ method: 'POST', path, headers, body })
    assert.equal(problemOf(again).cause, 'DPOP_PROOF_INVALID')
    for (const peer of [anybody, mtls]) peer.close()
  })
})

const EDGE_4 = [
  'RequestServProv',
  'CreateServProvSub',
  'UpdateIndServProvSub',
  'ModifyIndServProvSub',
  'DeleteIndServProvSub',
]
