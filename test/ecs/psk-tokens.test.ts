import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Peer, Response } from '../../src/http/client.ts'
import type { ECSServProvRespWithTokens } from '../../src/spec/messages/ees-tokens.ts'
import { featuresOf } from '../../src/spec/supported-features.ts'
import { readEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { runEcsWithKeyServices } from './a-key-service.ts'
import { type AnEec, anEec, authenticated, provision } from './an-eec.ts'
import { anEntitledEec, proof } from './an-ent.ts'
import { oauthErrorOf, problemOf } from './refusals.ts'
import { bodyOf, onboard } from './running-ecs.ts'

const GPSI = 'msisdn-491710000001'
const PROVISIONING = '/eecs-serviceprovisioning/v1/request'

describe('tokens for an EEC that has authenticated with a key of its network: TS 33.558 6.2', () => {
  let running: Awaited<ReturnType<typeof runEcsWithKeyServices>>
  let eec: AnEec
  let peer: Peer
  /** the key that the tokens are bound to; the network knows nothing of it */
  const own = anEntitledEec()
  before(async () => {
    running = await runEcsWithKeyServices('ecs1.example.com')
    await onboard(running.ecs)
    eec = anEec(running.ecs, running.ausf, { gpsi: GPSI })
    peer = await authenticated(running.ecs, eec)
  })
  after(async () => {
    peer.close()
    await running.close()
  })

  const verified = (token: string) => {
    const { fqdn: name, serving, opened } = running.ecs
    const issuer = `https://${name}:${new URL(serving.listeners.server).port}`
    const issuers = new Map([[issuer, opened.verificationKeys()]])
    return readEecAccessToken(token, { issuers, audience: fqdn('ees1.example.com'), now: Date.now() })
  }
  const proven = (path: string) => proof(running.ecs, own.signer, { path, listener: 'psk' })
  const request = (form: Record<string, string>, dpop: string | undefined): Promise<Response> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...(dpop !== undefined && { dpop }) }
    return peer.request({ method: 'POST', path: '/oauth2/token', headers, body: new URLSearchParams(form).toString() })
  }
  const FORM = { grant_type: 'client_credentials', scope: 'eees-easdiscovery', audience: 'ees-1' }

  test('RFC 6749 4.4: the connection is the client authentication, the proof names the key of the token', async () => {
    const response = await request(FORM, await proven('/oauth2/token'))
    assert.equal(response.status, 200, response.body.toString())
    const claims = await verified(bodyOf<{ access_token: string }>(response).access_token)
    assert.deepEqual([claims.sub, claims.gpsi, claims.cnf], [eec.eecId, GPSI, { jkt: own.jkt }])
    assert.equal(response.headers['edge-auth-methods'], 'offered="TLS_KEDGE"; chosen="TLS_KEDGE"')
  })

  test('TK-05: without a proof, with one that was used, or for another place, there is no token', async () => {
    const used = await proven('/oauth2/token')
    assert.equal((await request(FORM, used)).status, 200)
    const elsewhere = await proof(running.ecs, own.signer, { path: '/oauth2/token', listener: 'server' })
    assert.equal(oauthErrorOf(await request(FORM, undefined)), 'invalid_client')
    for (const dpop of [used, elsewhere, await proven('/oauth2/tokens'), 'none']) {
      assert.equal(oauthErrorOf(await request(FORM, dpop)), 'invalid_dpop_proof')
    }
    assert.equal(
      oauthErrorOf(await request({ ...FORM, client_id: 'eec-2' }, await proven('/oauth2/token'))),
      'invalid_client',
    )
    const jwt = { ...FORM, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'e30.e30.e30' }
    assert.equal(oauthErrorOf(await request(jwt, await proven('/oauth2/token'))), 'unsupported_grant_type')
  })

  test('D-12: eesTokens come with the provisioning of an EEC that proves a key and asks for them, and else not', async () => {
    const ask = async (suppFeat: string | undefined, dpop: string | undefined) => {
      const headers = { 'content-type': 'application/json', ...(dpop !== undefined && { dpop }) }
      const body = JSON.stringify({ eecId: eec.eecId, ...(suppFeat !== undefined && { suppFeat }) })
      return peer.request({ method: 'POST', path: PROVISIONING, headers, body })
    }
    const tokensOf = (response: Response) => bodyOf<ECSServProvRespWithTokens>(response).eesTokens ?? []
    const [token] = tokensOf(await ask(featuresOf([64]), await proven(PROVISIONING)))
    assert.deepEqual((await verified(token?.accessToken ?? '')).cnf, { jkt: own.jkt })
    assert.deepEqual(tokensOf(await ask(featuresOf([1, 63]), await proven(PROVISIONING))), [])
    assert.deepEqual(tokensOf(await ask(featuresOf([64]), undefined)), [])
    assert.deepEqual(tokensOf(await provision(peer, eec.eecId)), [])
    assert.equal(problemOf(await ask(featuresOf([64]), 'none')).cause, 'DPOP_PROOF_INVALID')
  })
})
