import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  clientCredentialsGrantRequest,
  customFetch,
  discoveryRequest,
  processClientCredentialsResponse,
  processDiscoveryResponse,
  TlsClientAuth,
} from 'oauth4webapi'
import type { Peer } from '../../src/http/client.ts'
import { bodyOf, onboard, REGISTRATIONS, type RunningEcs, type RunningEes, runEcs } from '../ecs/running-ecs.ts'

/** TR 33.839 6.4: EES and ECS authenticate each other by certificates, and the ECS authorizes what is asked. */
describe('P3, authentication and authorization between EES and ECS: TR 33.839 6.4', () => {
  let ecs: RunningEcs
  let ees: RunningEes
  before(async () => {
    ecs = await runEcs()
    ees = await onboard(ecs)
  })
  after(() => ecs.close())

  const setPolicy = async (change: (policy: string) => string) => {
    const file = join(ecs.folder, 'policy.yaml')
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    await ecs.operator.reloadPolicy()
  }
  const withoutToken = () => ees.peer.request({ method: 'GET', path: `${REGISTRATIONS}/${ees.registrationId}` })

  test('TS 33.501 13.1.0: TLS with certificates on both sides; a client without one gets no connection', async () => {
    const { port } = new URL(ecs.serving.listeners.mtls)
    const stranger = ecs.withoutCertificate(Number(port))
    await assert.rejects(stranger.request({ method: 'GET', path: '/oauth2/jwks' }), { name: 'PeerUnavailable' })
    assert.equal((await ees.request({ method: 'GET' })).status, 200)
  })

  test('TS 33.501 13.3.0, static: the local policy decides, keyed by the certificate', async () => {
    await setPolicy((policy) => policy.replace('eecs-eesregistration: token+static', 'eecs-eesregistration: static'))
    assert.equal((await withoutToken()).status, 200)
    await setPolicy((policy) => policy.replace('GetIndEESReg, ', ''))
    const refused = await withoutToken()
    assert.equal(refused.status, 403)
    assert.equal(bodyOf<{ cause: string }>(refused).cause, 'POLICY_DENIED')
    const { decision } = await ecs.operator.explainPolicy({ ees: 'ees-1', operation: 'GetIndEESReg' })
    assert.deepEqual([decision.allowed, decision.rule], [false, 'default'])
  })

  test('TS 33.501 13.4.1, token: the token decides, and the policy was applied when it was issued', async () => {
    await setPolicy((policy) => policy.replace('eecs-eesregistration: static', 'eecs-eesregistration: token'))
    assert.equal((await withoutToken()).status, 401)
    assert.equal((await ees.request({ method: 'GET' })).status, 200)
  })

  test('both: token+static, the default, wants the token and the rule', async () => {
    await setPolicy((policy) => policy.replace('eecs-eesregistration: token', 'eecs-eesregistration: token+static'))
    assert.equal((await withoutToken()).status, 401)
    assert.equal((await ees.request({ method: 'GET' })).status, 403)
    await setPolicy((policy) => policy.replace('UpdateIndEESReg, ', 'GetIndEESReg, UpdateIndEESReg, '))
    assert.equal((await ees.request({ method: 'GET' })).status, 200)
  })

  test('13.4.1.1.2 step 1 as oauth4webapi, which shares no code with us, asks for it over mutual TLS', async () => {
    const issuer = new URL(ees.answer.onboardingInformation?.authInfo.issuer ?? '')
    const discovered = await discoveryRequest(issuer, { algorithm: 'oauth2', [customFetch]: over(ecs.anybody()) })
    const server = await processDiscoveryResponse(issuer, discovered)
    assert.equal(server.tls_client_certificate_bound_access_tokens, true)
    const client = { client_id: 'ees1.example.com' }
    const asked = await clientCredentialsGrantRequest(
      server,
      client,
      TlsClientAuth(),
      { scope: 'eecs-eesregistration' },
      { [customFetch]: over(ees.peer) },
    )
    const granted = await processClientCredentialsResponse(server, client, asked)
    assert.equal(granted.token_type, 'bearer')
    const used = await ees.peer.request({
      method: 'GET',
      path: `${REGISTRATIONS}/${ees.registrationId}`,
      headers: { authorization: `Bearer ${granted.access_token}` },
    })
    assert.equal(used.status, 200)
  })
})

/** fetch, as oauth4webapi calls it, over a connection of ours. */
function over(peer: Peer) {
  return async (
    url: string,
    { method, headers, body }: { method: string; headers: Record<string, string>; body?: unknown },
  ) => {
    const { pathname, search } = new URL(url)
    const sent = body === undefined || body === null ? {} : { body: String(body) }
    const response = await peer.request({ method: method as 'GET' | 'POST', path: pathname + search, headers, ...sent })
    const type = String(response.headers['content-type'])
    return new Response(response.body, { status: response.status, headers: { 'content-type': type } })
  }
}
