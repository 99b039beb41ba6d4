import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Peer, Response } from '../../src/http/client.ts'
import type { ECSServProvRespWithTokens } from '../../src/spec/messages/ees-tokens.ts'
import { featuresOf } from '../../src/spec/supported-features.ts'
import { checkEecAccess, readEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { type AnEnt, anEnt, anEntitledEec, proof, provisionBy, runEcsWithEnts } from './an-ent.ts'
import { oauthErrorOf, refusedWith } from './refusals.ts'
import { bodyOf, onboard, type RunningEcs } from './running-ecs.ts'

const GPSI = 'msisdn-491710000001'
const WITH_TOKENS = { suppFeat: featuresOf([64]) }

describe('EEC authentication by entitlement token at the ECS: TR 33.739 6.25.2', () => {
  let ent: AnEnt
  let ecs: RunningEcs
  let peer: Peer
  before(async () => {
    ent = await anEnt()
    ecs = await runEcsWithEnts([ent], () => ({ eecPolicy: { ees: { 'ees-2': ['ENTITLEMENT_TOKEN'] } } }))
    for (const n of ['1', '2', '3']) await onboard(ecs, { eesId: `ees-${n}`, fqdn: `ees${n}.example.com` })
    peer = ecs.anybody()
  })
  after(async () => {
    peer.close()
    await ecs.close()
    await ent.close()
  })

  const answered = <Body>(response: Response, status = 200): Body => {
    assert.equal(response.status, status, response.body.toString())
    return bodyOf<Body>(response)
  }

  test('provisioning: the EESs, and how to authenticate at each (D-15); no tokens unless they are asked for', async () => {
    const answer = answered<ECSServProvRespWithTokens>(await provisionBy({ ecs, ent, peer }, anEntitledEec()))
    const methods = answer.ednCnfgInfo.flatMap(({ eess }) =>
      eess.map(({ eesId, eesAuthMethods }) => [eesId, eesAuthMethods]),
    )
    assert.deepEqual(methods, [
      ['ees-1', ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN']],
      ['ees-2', ['ENTITLEMENT_TOKEN']],
      ['ees-3', ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN']],
    ])
    assert.equal('eesTokens' in answer, false)
  })

  test('TS 33.558 6.2: eesTokens has a separate token for each EES that takes tokens, bound to the EEC’s key', async () => {
    const eec = anEntitledEec('eec-1', GPSI)
    const answer = answered<ECSServProvRespWithTokens>(await provisionBy({ ecs, ent, peer }, eec, WITH_TOKENS))
    const { eesTokens = [] } = answer
    assert.deepEqual(
      eesTokens.map(({ audience }) => audience),
      ['ees1.example.com', 'ees3.example.com'],
    )
    for (const { accessToken, audience, scope, tokenType, expiresIn } of eesTokens) {
      assert.deepEqual([tokenType, expiresIn, scope], ['DPoP', 600, 'eees-eecregistration eees-easdiscovery'])
      const claims = await verified(accessToken, audience)
      assert.deepEqual([claims.sub, claims.gpsi, claims.cnf], [eec.eecId, GPSI, { jkt: eec.jkt }])
      const services = new Set(['eees-easdiscovery'])
      checkEecAccess(claims, { jkt: eec.jkt, scope: services, now: Date.now() })
      const another = audience === 'ees1.example.com' ? 'ees3.example.com' : 'ees1.example.com'
      await assert.rejects(verified(accessToken, another), { code: 'TOKEN_INVALID' })
    }
  })

  const verified = (token: string, audience: string) => {
    const issuers = new Map([[issuerOf(ecs), ecs.opened.verificationKeys()]])
    return readEecAccessToken(token, { issuers, audience: fqdn(audience), now: Date.now() })
  }

  const request = async (form: Record<string, string>, dpop?: string): Promise<Response> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...(dpop !== undefined && { dpop }) }
    return peer.request({ method: 'POST', path: '/oauth2/token', headers, body: new URLSearchParams(form).toString() })
  }
  const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

  test('RFC 7523 2.1: an entitlement token is the grant for a token at one EES, by its FQDN or its identifier', async () => {
    const eec = anEntitledEec('eec-1', GPSI)
    const scope = 'eees-easdiscovery'
    for (const audience of ['ees1.example.com', 'ees-1']) {
      const assertion = await ent.token(ecs.fqdn, eec)
      const dpop = await proof(ecs, eec.signer, { path: '/oauth2/token' })
      const response = await request({ grant_type: JWT_BEARER, assertion, scope, audience }, dpop)
      const { access_token, ...rest } = answered<{ access_token: string }>(response)
      assert.deepEqual(rest, { token_type: 'DPoP', expires_in: 600, scope })
      const claims = await verified(access_token, 'ees1.example.com')
      assert.deepEqual([claims.sub, claims.gpsi, claims.cnf.jkt, claims.scope], [eec.eecId, GPSI, eec.jkt, scope])
      assert.equal(response.headers['edge-auth-methods'], 'offered="ENTITLEMENT_TOKEN"; chosen="ENTITLEMENT_TOKEN"')
    }
  })

  test('RFC 6749 5.2: no token for an EES that takes none, for one that is not there, or for another service', async () => {
    const eec = anEntitledEec()
    const table: readonly [change: Record<string, string>, error: string][] = [
      [{ audience: 'ees-2' }, 'invalid_scope'],
      [{ audience: 'ees-9' }, 'invalid_scope'],
      [{ audience: 'ees2.example.com' }, 'invalid_scope'],
      [{ audience: ecs.fqdn }, 'invalid_scope'],
      [{ scope: 'eees-eeccontextreloc' }, 'invalid_scope'],
      [{ scope: 'eees-easdiscovery eecs-eesregistration' }, 'invalid_scope'],
      [{ scope: '' }, 'invalid_request'],
      [{ audience: '' }, 'invalid_request'],
      [{ client_id: 'eec-2' }, 'invalid_client'],
      [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    ]
    for (const [change, error] of table) {
      const assertion = await ent.token(ecs.fqdn, eec)
      const form = { grant_type: JWT_BEARER, assertion, scope: 'eees-easdiscovery', audience: 'ees-1', ...change }
      const response = await request(form, await proof(ecs, eec.signer, { path: '/oauth2/token' }))
      assert.equal(oauthErrorOf(response), error, JSON.stringify(change))
    }
  })

  test('TK-05: neither a token nor a grant is good with the key of somebody else', async () => {
    const [owner, thief] = [anEntitledEec('eec-1'), anEntitledEec('eec-1')]
    const stolen = { ...thief, jkt: owner.jkt }
    refusedWith(await provisionBy({ ecs, ent, peer }, stolen), 'TOKEN_INVALID')
    const assertion = await ent.token(ecs.fqdn, owner)
    const form = { grant_type: JWT_BEARER, assertion, scope: 'eees-easdiscovery', audience: 'ees-1' }
    const response = await request(form, await proof(ecs, thief.signer, { path: '/oauth2/token' }))
    assert.deepEqual([response.status, oauthErrorOf(response)], [401, 'invalid_client'])
  })

  test('D-16: the EEC ID and the UE of a request are those of the token', async () => {
    const eec = anEntitledEec('eec-1', GPSI)
    for (const body of [{ eecId: 'eec-2' }, { eecId: 'eec-1', ueId: 'msisdn-491710000002' }, { eecId: 'EEC-1' }]) {
      refusedWith(await provisionBy({ ecs, ent, peer }, eec, body), 'EEC_MISMATCH')
    }
    answered(await provisionBy({ ecs, ent, peer }, eec, { ueId: GPSI }))
  })

  test('NG-02: offer and choice stand in every answer to an EEC, and the offer in the metadata', async () => {
    const metadata = await peer.request({ method: 'GET', path: '/.well-known/oauth-authorization-server' })
    const offer = answered<Record<string, unknown>>(metadata)
    assert.deepEqual(offer['edge_eec_authentication_methods_supported'], ['ENTITLEMENT_TOKEN'])
    assert.equal(offer['edge_eec_token_endpoint'], `${issuerOf(ecs)}/oauth2/token`)
    const { headers } = await provisionBy({ ecs, ent, peer }, anEntitledEec())
    assert.equal(headers['edge-auth-methods'], 'offered="ENTITLEMENT_TOKEN"; chosen="ENTITLEMENT_TOKEN"')
  })
})

const issuerOf = ({ fqdn: name, serving }: RunningEcs) => `https://${name}:${new URL(serving.listeners.server).port}`
