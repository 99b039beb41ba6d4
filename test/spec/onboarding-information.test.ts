import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  EESRegistrationReq,
  EESRegistrationResp,
  MEMBERS_OF_THE_ECS,
  OnboardingInformation,
  OnboardingResult,
} from '../../src/spec/messages/onboarding-information.ts'
import { ourValidator } from './validators.ts'

const acceptsRequest = ourValidator(EESRegistrationReq)
const acceptsResponse = ourValidator(EESRegistrationResp)
const acceptsInformation = ourValidator(OnboardingInformation)
const acceptsResult = ourValidator(OnboardingResult)

const eesProf = { eesId: 'ees-1', endPt: { fqdn: 'ees-1.example.com' }, eecRegConf: false }

const der = Buffer.alloc(300, 7).toString('base64')
const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
const proof = 'e30.e30.AAAA'
const publicKeyOn = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' })
const publicKey = publicKeyOn('P-256')

const authInfo = {
  apiRoot: 'https://ecs.example.com:8443',
  issuer: 'ecs.example.com',
  jwksUri: 'https://ecs.example.com/jwks.json',
  estUrl: 'https://ecs.example.com:8443/.well-known/est',
  crlUrl: 'https://ecs.example.com/ca.crl',
  renewAfter: '2026-12-11T00:00:00+01:00',
}
const withoutToken = {
  registrationId: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  eesCertificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  authInfo,
}
const token = { accessToken: 'e30.e30.AAAA', tokenType: 'Bearer', expiresIn: 900 }

describe('onboardingInformation of a request: D-3, D-4', () => {
  test('a registration without it is the one of TS 29.558', () => {
    assert.ok(acceptsRequest({ eesProf }))
    assert.ok(acceptsRequest({ eesProf, onboardingInformation: { csr: pem } }))
  })

  test('the certification request is PEM or base64 of its DER', () => {
    for (const csr of [pem, pem.replaceAll('\n', '\r\n'), pem.trimEnd(), der])
      assert.ok(acceptsInformation({ csr }), csr)
    for (const csr of ['', 'not base64!', `${pem}x\u0000`, 7, null, 'A'.repeat(24_577)])
      assert.ok(!acceptsInformation({ csr }), String(csr))
  })

  test('the bare key comes with its proof, or without for the profile `literal`', () => {
    assert.ok(acceptsInformation({ publicKey, proof }))
    assert.ok(acceptsInformation({ publicKey: publicKeyOn('P-384'), proof }))
    assert.ok(acceptsInformation({ publicKey }))
    for (const wrong of ['', 'e30.e30', 'e30.e30.AA=='])
      assert.ok(!acceptsInformation({ publicKey, proof: wrong }), wrong)
  })

  test('ON-03: there is one key: a request and a key, a proof of nothing, or neither are refused', () => {
    for (const wrong of [{}, { csr: der, publicKey }, { csr: der, publicKey, proof }, { csr: der, proof }, { proof }])
      assert.ok(!acceptsInformation(wrong), Object.keys(wrong).join())
  })

  test('ON-06: a key of another kind is refused, and so is a private one', () => {
    const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const others = [
      publicKeyOn('P-521'),
      publicKeyOn('secp256k1'),
      generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }),
    ]
    for (const key of [privateKey, ...others, { ...publicKey, x: 'AAAA' }, { ...publicKey, use: 'enc' }])
      assert.ok(!acceptsInformation({ publicKey: key, proof }), JSON.stringify(key))
  })
})

describe('onboardingInformation of a response: D-4', () => {
  test('TR 33.839 6.Y.2 step 5: registration ID and certificate, and a token or none', () => {
    assert.ok(acceptsResult(withoutToken))
    assert.ok(acceptsResult({ ...withoutToken, ...token }))
    assert.ok(acceptsResponse({ eesProf, onboardingInformation: { ...withoutToken, ...token } }))
  })

  test('the parts of a token come together', () => {
    for (const name of Object.keys(token))
      assert.ok(!acceptsResult({ ...withoutToken, ...token, [name]: undefined }), `without ${name}`)
  })

  test('what the EES cannot do without is there', () => {
    for (const name of Object.keys(withoutToken))
      assert.ok(!acceptsResult({ ...withoutToken, [name]: undefined }), name)
    for (const name of Object.keys(authInfo))
      assert.ok(!acceptsResult({ ...withoutToken, authInfo: { ...authInfo, [name]: undefined } }), name)
  })

  test('every address in it is https', () => {
    for (const name of ['apiRoot', 'jwksUri', 'estUrl', 'crlUrl', 'tokenEndpoint'])
      for (const uri of ['http://ecs.example.com', 'ecs.example.com', 'https://', 'https://ecs.example.com/\n'])
        assert.ok(!acceptsResult({ ...withoutToken, authInfo: { ...authInfo, [name]: uri } }), `${name} ${uri}`)
  })

  test('ON-13: MEMBERS_OF_THE_ECS lists all that the ECS sets, and nothing that the EES does', () => {
    assert.deepEqual([...MEMBERS_OF_THE_ECS].sort(), Object.keys({ ...withoutToken, ...token }).sort())
    for (const name of MEMBERS_OF_THE_ECS) assert.ok(!['csr', 'publicKey', 'proof'].includes(name))
  })
})
