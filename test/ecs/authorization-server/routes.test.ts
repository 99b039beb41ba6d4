import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { authorizationServerRoutes } from '../../../src/ecs/routes/authorization-server-routes.ts'
import type { Message } from '../../../src/http/client.ts'
import { isOfSchema } from '../../../src/http/schema.ts'
import { AccessTokenErr, AccessTokenRsp, RetrieveKeyRsp } from '../../../src/spec/messages/access-token.ts'
import { officialDocument, withoutOfficialFiles } from '../../spec/official.ts'
import { SPEAKS_AS, serve } from './a-listener.ts'
import { anEcs, ECS, ISSUER, known, NORTH, NOW, SOUTH, WEST } from './parties.ts'

const FORM = 'application/x-www-form-urlencoded'
const ecs = anEcs()
let server: Awaited<ReturnType<typeof serve>>
before(async () => {
  server = await serve(ecs)
})
after(() => server.close())

async function send(message: Message) {
  const { status, headers, body } = await server.request(message)
  return { status, headers, text: body.toString() }
}

const postForm = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  send({ method: 'POST', path, headers: { 'content-type': FORM, [SPEAKS_AS]: NORTH.eesId, ...headers }, body })

const HONEST = 'grant_type=client_credentials&scope=est'

describe('the routes', () => {
  test('ON-15: each declares its credential', () => {
    const table = authorizationServerRoutes(ecs).map(
      ({ operation: { method, path, id }, credential, refusals = 'problem' }) =>
        `${method} ${path} ${id} ${credential} ${refusals}`,
    )
    assert.deepEqual(table, [
      'POST /oauth2/token AccessTokenRequest certificate oauth',
      'POST /oauth2/introspect IntrospectToken certificate oauth',
      'POST /oauth2/revoke RevokeToken certificate oauth',
      'GET /.well-known/oauth-authorization-server GetAuthorizationServerMetadata public problem',
      'GET /oauth2/jwks GetKeySet public problem',
      'POST /oauth2/retrieve-key RetrieveKeyRequest public problem',
    ])
  })

  test('those of TS 29.510 are named and placed as there', { skip: withoutOfficialFiles }, () => {
    const { paths } = officialDocument('TS29510_Nnrf_AccessToken.yaml')
    const ours = new Map(authorizationServerRoutes(ecs).map(({ operation }) => [operation.path, operation.id]))
    for (const [path, { post }] of Object.entries(paths)) assert.equal(ours.get(path), known(post).operationId)
  })

  test('ON-15: without a client certificate there is no answer but invalid_client', async () => {
    for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']) {
      const { status, text } = await postForm(path, HONEST, { [SPEAKS_AS]: 'nobody' })
      assert.equal(status, 401)
      assert.equal(JSON.parse(text).error, 'invalid_client')
    }
  })

  test('tokens and what is said of them are not cached; metadata and keys are: RFC 6749 5.1, TS 29.510', async () => {
    const { headers, text } = await postForm('/oauth2/token', HONEST)
    const refusal = await postForm('/oauth2/token', 'grant_type=x&scope=est')
    const token = `token=${JSON.parse(text).access_token}`
    const introspection = await postForm('/oauth2/introspect', token)
    const revocation = await postForm('/oauth2/revoke', token)
    for (const answer of [headers, refusal.headers, introspection.headers, revocation.headers]) {
      assert.equal(answer['cache-control'], 'no-store')
      assert.equal(answer.pragma, 'no-cache')
    }
    for (const path of ['/oauth2/jwks', '/.well-known/oauth-authorization-server']) {
      assert.equal((await send({ method: 'GET', path })).headers['cache-control'], 'public, max-age=300')
    }
  })

  test('the answer is an AccessTokenRsp of TS 29.510', async () => {
    const { status, headers, text } = await postForm('/oauth2/token', HONEST)
    assert.equal(status, 200)
    assert.match(headers['content-type'] ?? '', /^application\/json(;|$)/)
    assert.ok(isOfSchema(AccessTokenRsp, JSON.parse(text)))
  })
})

describe('oauth4webapi as the client', () => {
  const client: oauth.Client = { client_id: NORTH.fqdn }
  const as = (ees: typeof NORTH) => ({
    [oauth.customFetch]: async (url: string, { method, headers, body }: oauth.CustomFetchOptions<string, unknown>) => {
      const { pathname } = new URL(url)
      const message = { path: pathname, headers: { ...headers, [SPEAKS_AS]: ees.eesId } }
      const content = body === undefined || body === null ? {} : { body: String(body) }
      const answer = await server.request({ method: method === 'POST' ? 'POST' : 'GET', ...message, ...content })
      const fields = Object.entries(answer.headers).filter(([name]) => !name.startsWith(':'))
      const init = {
        status: answer.status,
        headers: fields.map(([name, value]): [string, string] => [name, String(value)]),
      }
      return new Response(answer.body.length === 0 ? null : new Uint8Array(answer.body), init)
    },
  })

  async function discover(): Promise<oauth.AuthorizationServer> {
    const response = await oauth.discoveryRequest(new URL(ISSUER), { algorithm: 'oauth2', ...as(NORTH) })
    return oauth.processDiscoveryResponse(new URL(ISSUER), response)
  }

  async function token(parameters: Record<string, string>): Promise<oauth.TokenEndpointResponse> {
    const server = await discover()
    const auth = oauth.TlsClientAuth()
    const response = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, as(NORTH))
    return oauth.processClientCredentialsResponse(server, client, response)
  }

  test('discovers the server: RFC 8414', async () => {
    const mtls = 'https://ecs1.edge.example.com:8444'
    assert.deepEqual(await discover(), {
      issuer: ISSUER,
      token_endpoint: `${mtls}/oauth2/token`,
      introspection_endpoint: `${mtls}/oauth2/introspect`,
      revocation_endpoint: `${mtls}/oauth2/revoke`,
      jwks_uri: `${ISSUER}/oauth2/jwks`,
      scopes_supported: ['eecs-eesregistration', 'est'],
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['tls_client_auth'],
      introspection_endpoint_auth_methods_supported: ['tls_client_auth'],
      revocation_endpoint_auth_methods_supported: ['tls_client_auth'],
      tls_client_certificate_bound_access_tokens: true,
      edge_eec_authentication_methods_supported: ['TLS_KEDGE', 'ENTITLEMENT_TOKEN'],
      edge_eec_token_endpoint: `${ISSUER}/oauth2/token`,
      dpop_signing_alg_values_supported: ['ES256'],
    })
  })

  test('gets a token that jose verifies with the published keys: RFC 7517, RFC 9068', async () => {
    const { access_token, token_type, expires_in, scope } = await token({ scope: 'est eecs-eesregistration' })
    assert.deepEqual([token_type, expires_in, scope], ['bearer', 600, 'est eecs-eesregistration'])
    const jwks = JSON.parse((await send({ method: 'GET', path: '/oauth2/jwks' })).text)
    const { payload } = await jwtVerify(access_token, createLocalJWKSet(jwks), {
      issuer: ISSUER,
      audience: ECS,
      subject: NORTH.fqdn,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(NOW),
    })
    assert.deepEqual(payload['cnf'], { 'x5t#S256': NORTH.thumbprint })
  })

  test('gets one for another EES, which may ask about it until the client revokes it: RFC 8707, 7662, 7009', async () => {
    const metadata = await discover()
    const auth = oauth.TlsClientAuth()
    const { access_token } = await token({ scope: 'eees-eeccontextreloc', resource: `https://${SOUTH.fqdn}` })
    const introspect = async (ees: typeof NORTH) => {
      const caller = { client_id: ees.fqdn }
      const response = await oauth.introspectionRequest(metadata, caller, auth, access_token, as(ees))
      return oauth.processIntrospectionResponse(metadata, caller, response)
    }
    assert.equal((await introspect(SOUTH)).client_id, NORTH.fqdn)
    assert.deepEqual(await introspect(WEST), { active: false })
    const response = await oauth.revocationRequest(metadata, client, auth, access_token, as(NORTH))
    assert.equal(await oauth.processRevocationResponse(response), undefined)
    assert.deepEqual(await introspect(SOUTH), { active: false })
  })

  test('understands how it is refused: RFC 6749 5.2', async () => {
    await assert.rejects(token({ scope: 'eees-cea' }), { error: 'invalid_scope', status: 400 })
    await assert.rejects(token({ scope: 'est', targetNfType: 'AF' }), { error: 'invalid_request', status: 400 })
    await assert.rejects(token({ scope: 'est', requesterFqdn: SOUTH.fqdn }), { error: 'invalid_client', status: 401 })
  })
})

describe('key retrieval: TS 33.501 14.3.3, TS 29.510 RetrieveKeyRequest', () => {
  const retrieve = (request: unknown) =>
    send({
      method: 'POST',
      path: '/oauth2/retrieve-key',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    })
  const kid = () => known([...ecs.verificationKeys().keys()][0])

  test('gives the raw public key of a header', async () => {
    const { status, text } = await retrieve({ issuer: ISSUER, headerParameters: { alg: 'ES256', kid: kid() } })
    assert.equal(status, 200)
    const answer: unknown = JSON.parse(text)
    assert.ok(isOfSchema(RetrieveKeyRsp, answer))
    const key = createPublicKey({ key: Buffer.from(known(answer.rawPubKey), 'base64'), format: 'der', type: 'spki' })
    assert.ok(key.equals(ecs.signer().publicKey))
  })

  test('TK-02: of a header only kid names a key, and only by its whole text', async () => {
    const unknown = ['x', kid().slice(1), `../${kid()}`, "' or 1=1", 'constructor', '__proto__', 'toString']
    for (const name of unknown) {
      const { status, text } = await retrieve({ issuer: ISSUER, headerParameters: { kid: name } })
      assert.deepEqual([status, JSON.parse(text).cause], [404, 'SIGNING_KEY_NOT_FOUND'])
      assert.ok(!text.includes(name))
    }
    const without = await retrieve({ issuer: ISSUER, headerParameters: { jku: `https://${ECS}/oauth2/jwks` } })
    assert.deepEqual([without.status, JSON.parse(without.text).cause], [400, 'MANDATORY_IE_MISSING'])
  })

  test('TK-04: the keys of another issuer are not here', async () => {
    for (const issuer of ['https://ecs2.edge.example.com', ECS, `${ISSUER}/`, '']) {
      assert.equal((await retrieve({ issuer, headerParameters: { kid: kid() } })).status, 404)
    }
  })

  test('what is no RetrieveKeyReq is refused', async () => {
    for (const request of [null, [], {}, { issuer: ISSUER }, { issuer: ISSUER, headerParameters: {} }]) {
      assert.equal((await retrieve(request)).status, 400)
    }
    assert.equal((await retrieve({ issuer: ISSUER, headerParameters: { kid: [kid()] } })).status, 400)
  })
})

describe('tricks at the token endpoint', () => {
  const CANARY = 'canary7f3a'
  const HARMLESS = [
    `x=${CANARY}`,
    `toString=${CANARY}`,
    `hasOwnProperty=${CANARY}`,
    `scope[]=${CANARY}`,
    `scope[0]=${CANARY}`,
    `scope.length=${CANARY}`,
    `SCOPE=${CANARY}`,
    `%20scope=${CANARY}`,
    `nfType=${CANARY}`,
    `requesterSnssaiList=${encodeURIComponent(`[{"sst":1,"sd":"${CANARY}"}]`)}`,
    `=${CANARY}`,
    '',
    'client_secret=',
    'targetNfType=',
    'resource=',
    `client_id=${NORTH.fqdn}`,
  ]
  const HARMFUL = [
    'scope=est',
    'scope=',
    '%73cope=est',
    'grant_type=client_credentials',
    `constructor=${CANARY}`,
    `__proto__=${CANARY}`,
    `__proto__[scope]=${CANARY}&__proto__[scope]=${CANARY}`,
    `y=${CANARY}%00`,
    `z=${CANARY}%FF`,
    `nfInstanceId=${CANARY}`,
    `client_secret=${CANARY}`,
    `targetNfType=${CANARY}`,
    `targetNfInstanceId=${CANARY}`,
    `targetPlmn=${encodeURIComponent(`{"mcc":"${CANARY}"}`)}`,
    `audience=${CANARY}`,
    Array.from({ length: 33 }, (_, at) => `p${at}=${CANARY}`).join('&'),
  ]

  const post = (body: string | Buffer, headers?: Record<string, string>) => postForm('/oauth2/token', body, headers)

  function assertOauthError({ status, text }: Awaited<ReturnType<typeof post>>): void {
    assert.ok([400, 401, 413, 415].includes(status), `${status}: ${text}`)
    assert.ok(isOfSchema(AccessTokenErr, JSON.parse(text)), text)
    assert.ok(!text.includes(CANARY), text)
  }

  /** Sent at once, on one connection. */
  const tenOf = <One>(one: fc.Arbitrary<One>) => fc.array(one, { minLength: 10, maxLength: 10 })

  test('TK-11: 500 generated forms: granted if nothing is harmful in them, an OAuth error if something is, never a 5xx', async () => {
    const form = fc
      .tuple(fc.subarray(HARMLESS, { maxLength: 8 }), fc.subarray(HARMFUL, { maxLength: 2 }))
      .chain(([harmless, harmful]) => {
        const parts = ['grant_type=client_credentials', 'scope=est', ...harmless, ...harmful]
        const whole = { minLength: parts.length, maxLength: parts.length }
        return fc.shuffledSubarray(parts, whole).map((shuffled) => ({ body: shuffled.join('&'), harmful }))
      })
    const seen = { granted: 0, refused: 0 }
    const judge = async ({ body, harmful }: { readonly body: string; readonly harmful: readonly string[] }) => {
      const answer = await post(body)
      seen[harmful.length === 0 ? 'granted' : 'refused'] += 1
      if (harmful.length > 0) return assertOauthError(answer)
      assert.equal(answer.status, 200, answer.text)
      assert.ok(!answer.text.includes(CANARY))
    }
    const property = fc.asyncProperty(tenOf(form), async (forms) => void (await Promise.all(forms.map(judge))))
    await fc.assert(property, { numRuns: 50 })
    assert.ok(seen.granted > 50 && seen.refused > 50, JSON.stringify(seen))
  })

  test('TK-11: octets that are no form at all', async () => {
    const content = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.json())
    const judge = async (octets: Uint8Array | string) => assertOauthError(await post(Buffer.from(octets)))
    const property = fc.asyncProperty(tenOf(content), async (all) => void (await Promise.all(all.map(judge))))
    await fc.assert(property, { numRuns: 20 })
  })

  const JSON_BODY = JSON.stringify({ grant_type: 'client_credentials', scope: 'est' })
  const messages: readonly (readonly [title: string, headers: Record<string, string>, body: string, status: number])[] =
    [
      ['JSON', { 'content-type': 'application/json' }, JSON_BODY, 415],
      ['JSON that is called a form', {}, JSON_BODY, 400],
      ['a form that is called text', { 'content-type': 'text/plain' }, HONEST, 415],
      ['a form that is called multipart', { 'content-type': 'multipart/form-data; boundary=x' }, HONEST, 415],
      ['a media type that begins like that of a form', { 'content-type': `${FORM}x` }, HONEST, 415],
      ['a media type that is a list', { 'content-type': `${FORM}, ${FORM}` }, HONEST, 415],
      ['a content coding', { 'content-encoding': 'gzip' }, HONEST, 415],
      ['more than 8 KiB', {}, `${HONEST}&x=${'a'.repeat(8_192)}`, 413],
      ['nothing', {}, '', 400],
    ]
  for (const [title, headers, body, status] of messages) {
    test(`TK-11: ${title} is ${status}`, async () => {
      const answer = await post(body, headers)
      assertOauthError(answer)
      assert.equal(answer.status, status)
    })
  }

  test('TK-11: parameters in the query are no form', async () => {
    assertOauthError(await postForm(`/oauth2/token?${HONEST}`, 'x=y'))
    assert.equal((await send({ method: 'GET', path: `/oauth2/token?${HONEST}` })).status, 405)
  })

  test('the nearest honest requests', async () => {
    assert.equal((await post(HONEST)).status, 200)
    assert.equal((await post(HONEST, { 'content-type': `${FORM}; charset=UTF-8` })).status, 200)
    assert.equal((await post(HONEST.replaceAll('e', '%65'))).status, 200)
  })
})
