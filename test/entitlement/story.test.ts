import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { sha256Base64url } from '../../src/octets/digest.ts'
import { ENTITLEMENT } from '../../src/spec/entitlement-operations.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import {
  acquisition,
  anEecKey,
  authenticate,
  ECS,
  ENT,
  type RunningEntitlement,
  runEntitlement,
  SUPI,
  TERMINAL,
} from './an-entitlement-server.ts'

const ISSUER = `https://${ENT}`

describe('a token of the entitlement server: TR 33.739 6.25.2, GSMA TS.43', () => {
  let ent: RunningEntitlement
  const shown = async (path: string) => {
    const { status, headers, body } = await ent.device.peer.request({ method: 'GET', path })
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], 'public, max-age=300')
    return JSON.parse(body.toString('utf8')) as JSONWebKeySet & Record<string, unknown>
  }
  before(async () => {
    ent = await runEntitlement()
    await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1', gpsi: 'msisdn-491700000001' })
  })
  after(() => ent.close())

  test('step 1: EAP-AKA, then a token for one server, bound to the key of the EEC; step 2: verified in both ways', async () => {
    const signer = anEecKey()
    const answer = await authenticate(ent.device, acquisition(), { headers: await ent.device.proof(signer) })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const { OperatorToken: token = '', OperatorTokenExpiry = '', ...others } = answer.body.ap2015
    const { port } = new URL(ent.server.listeners.mtls)
    assert.deepEqual(others, {
      OperatorTokenAuthURL: `https://${ENT}:${port}/`,
      ClientID: 'eec-1',
      OperationResult: '1',
    })

    // By certificate: another library verifies the signature, OpenSSL the chain.
    const certificates = await shown(ENTITLEMENT.GetCertificates.path)
    const expected = { issuer: ISSUER, audience: ECS, typ: 'edge-entitlement+jwt', algorithms: ['ES256'] }
    const { payload } = await jwtVerify(token, createLocalJWKSet(certificates), expected)
    const { kid, x5t } = { ...decodeProtectedHeader(token), x5t: decodeProtectedHeader(token)['x5t#S256'] }
    const [leaf, issuer] =
      certificates.keys.find((key) => key.kid === kid)?.x5c?.map((der) => Buffer.from(der, 'base64')) ?? []
    assert.ok(leaf && issuer)
    assert.equal(sha256Base64url(leaf), x5t)
    const [certificate, authority] = [new X509Certificate(leaf), new X509Certificate(issuer)]
    const root = new X509Certificate(await readFile(join(ent.folder, 'ca', 'root.crt')))
    assert.ok(certificate.verify(authority.publicKey) && authority.verify(root.publicKey))
    assert.equal(certificate.checkHost(ENT, { subject: 'never' }), ENT)
    assert.equal(jwkThumbprint(certificate.publicKey), kid)
    const { iat = 0, exp = 0, jti, nbf, ...claims } = payload
    assert.deepEqual(claims, {
      iss: ISSUER,
      sub: 'eec-1',
      client_id: 'eec-1',
      gpsi: 'msisdn-491700000001',
      aud: [ECS],
      scope: `edge:${ECS}`,
      cnf: { jkt: jwkThumbprint(signer.publicKey) },
    })
    assert.equal(exp - iat, 600)
    assert.equal(nbf, iat)
    assert.equal(new Date(exp * 1000).toISOString(), OperatorTokenExpiry)
    assert.ok(!Buffer.from(token.split('.')[1] ?? '', 'base64url').includes('001010000000001'))

    // By asking: the audience learns all of it, in either form.
    const ecs = await ent.verifier()
    const said = await ecs.introspect(token)
    assert.deepEqual(said.body, { active: true, token_type: 'DPoP', ...claims, iat, exp, jti, nbf })
    const question = { requestor_id: ECS, app: 'ap2015', operation: 'ValidateOperatorToken', operator_token: token }
    const validated = await ecs.validate({ ...question, client_id: 'eec-1' })
    assert.deepEqual(validated.body['ap2015'], {
      OperatorTokenValidity: '1',
      OperatorTokenValidatedParams: 'client_id',
      OperationResult: '1',
    })
    const other = await ecs.validate({ ...question, client_id: 'eec-2' })
    assert.deepEqual(other.body['ap2015'], { OperatorTokenValidity: '0', OperationResult: '1' })
  })

  test('a temporary token stands for the operations that it was asked for: TS.43 2.8.6', async () => {
    const asked = { operation: 'AcquireTemporaryToken', operation_targets: 'AcquireOperatorToken' }
    const { body } = await authenticate(ent.device, asked)
    const { TemporaryToken: token, OperationTargets } = body.ap2015
    assert.equal(OperationTargets, 'AcquireOperatorToken')
    const headers = await ent.device.proof()
    const told = await ent.device.post({ ...TERMINAL, temporary_token: token, ...acquisition() }, headers)
    assert.ok(told.body.ap2015['OperatorToken'])
    assert.equal(told.body.Token, undefined)
  })

  test('metadata says where keys are and where to ask: RFC 8414', async () => {
    const metadata = await shown(ENTITLEMENT.GetMetadata.path)
    assert.equal(metadata['issuer'], ISSUER)
    assert.equal(
      metadata['introspection_endpoint'],
      `https://${ENT}:${new URL(ent.server.listeners.mtls).port}/oauth2/introspect`,
    )
    const { keys } = await shown(ENTITLEMENT.GetKeySet.path)
    const certificates = await shown(ENTITLEMENT.GetCertificates.path)
    assert.deepEqual(
      keys,
      certificates.keys.map(({ x5c, ...key }) => key),
    )
  })

  test('fast authentication: the token of an answer takes the place of EAP, also after a restart', async () => {
    const first = await authenticate(ent.device)
    const token = first.body.Token?.token ?? ''
    await ent.restart()
    const again = await ent.device.post({ ...TERMINAL, token, ...acquisition() }, await ent.device.proof())
    assert.equal(again.status, 200)
    assert.ok(again.body.ap2015['OperatorToken'])
    assert.equal(again.body.Token?.token, token)
    ent.advance(1_900_000)
    const renewed = await ent.device.post({ ...TERMINAL, token })
    assert.notEqual(renewed.body.Token?.token, token)
    ent.advance(1_800_000)
    const ended = await ent.device.post({ ...TERMINAL, token })
    assert.deepEqual([ended.status, ended.body.cause], [511, 'AUTHENTICATION_REQUIRED'])
    assert.equal((await ent.device.post({ ...TERMINAL, token: renewed.body.Token?.token })).status, 200)
  })
})
