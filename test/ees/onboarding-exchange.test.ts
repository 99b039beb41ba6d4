import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { onboardingRequest, processOnboardingResponse } from '../../src/ees/onboarding/onboarding-exchange.ts'
import type { Response } from '../../src/http/client.ts'
import { findInvalidParam } from '../../src/http/schema.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { parseRegistrationId } from '../../src/spec/identifiers.ts'
import { EESRegistrationReq } from '../../src/spec/messages/onboarding-information.ts'
import { EDGEWARD_ONBOARDING, hasFeature } from '../../src/spec/supported-features.ts'
import { aDomain, aSigner, fqdn, spkiOf } from '../certificates/a-domain.ts'
import { aPrivateKey } from './a-store.ts'
import { anEcs, ECS_FQDN, EES_ID, json, ONBOARDING_TOKEN, PROFILE, plain, problem } from './an-ecs.ts'

const ecs = await anEcs()
const bundle = ecs.bundle()
const signer = signerOf(createPrivateKey(aPrivateKey()))
const onboarding = { bundle, registration: { eesProf: PROFILE }, signer }
const channelBinding = randomBytes(32)
const message = await onboardingRequest(onboarding, channelBinding)
const honest = await ecs.handle({ origin: ecs.origins.server, message, channelBinding, certificate: undefined })

describe('onboarding request: TR 33.839 6.Y.2 step 3', () => {
  test('is an EESRegistration with a certification request of the key, in the agreed extension', () => {
    const body = JSON.parse(String(message.body))
    assert.equal(findInvalidParam(EESRegistrationReq, body), undefined)
    assert.deepEqual(body.eesProf, PROFILE)
    assert.ok(hasFeature(body.suppFeat, EDGEWARD_ONBOARDING))
    const csr = readCertificationRequest(body.onboardingInformation.csr)
    assert.ok(csr.publicKey.equals(signer.publicKey))
    assert.deepEqual(csr.subjectAltNames.dnsNames, [bundle.fqdn])
  })

  test('ON-03: the certification request names the connection that it goes on', () => {
    const { csr } = JSON.parse(String(message.body)).onboardingInformation
    assert.equal(readCertificationRequest(csr).challengePassword, channelBinding.toString('base64url'))
  })

  test('ON-16: the onboarding token is in the Authorization header, not in body or path', () => {
    assert.equal(message.headers?.['authorization'], `Bearer ${ONBOARDING_TOKEN}`)
    assert.ok(!`${message.path}${message.body}`.includes(ONBOARDING_TOKEN))
  })
})

const bodyOf = () => JSON.parse(honest.body.toString())
const answerWith = (changes: object, headers: Record<string, string> = {}): Response => ({
  ...json(201, { ...bodyOf(), ...changes }),
  headers: { ...honest.headers, ...headers },
})
const issuedWith = (changes: object) =>
  answerWith({ onboardingInformation: { ...bodyOf().onboardingInformation, ...changes } })
const authInfoWith = (changes: object) => issuedWith({ authInfo: { ...ecs.authInfo(), ...changes } })
const withoutHeader = (name: string): Response => {
  const { [name]: _, ...headers } = honest.headers
  return { ...honest, headers }
}

const spki = spkiOf(signer)
const elsewhere = await aDomain()
const ourselves = { role: 'ees', fqdn: bundle.fqdn, registrationId: ecs.registrationId } as const
const foreign = await elsewhere.issue(ourselves, { spki })
const foreignChain = pems(foreign.der, elsewhere.issuers.ees.certificate.der)
const otherId = parseRegistrationId(randomUUID())
assert.ok(otherId)
const [own = '', intermediate = ''] = await ecs.certify(spki)
const ofTheEcs = await ecs.domain.issue({ role: 'ecs', fqdn: bundle.fqdn }, { spki })

const substituted: Record<string, readonly [because: RegExp, answer: Response]> = {
  'a certificate for another key': [
    /for another key/,
    issuedWith({ eesCertificate: (await ecs.certify(spkiOf(aSigner()))).join('') }),
  ],
  'a certificate for another FQDN': [
    /for another FQDN/,
    issuedWith({
      eesCertificate: (await ecs.certify(spki, fqdn('ees2.ecsp.example'))).join(''),
    }),
  ],
  'a certificate for a name below ours': [
    /for another FQDN/,
    issuedWith({
      eesCertificate: (await ecs.certify(spki, fqdn(`a.${bundle.fqdn}`))).join(''),
    }),
  ],
  'a certificate for another registration': [
    /for another registration/,
    issuedWith({
      eesCertificate: (await ecs.certify(spki, bundle.fqdn, otherId)).join(''),
    }),
  ],
  'a certificate under another root': [/no valid path/, issuedWith({ eesCertificate: foreignChain })],
  'a certificate under another root, with ours beside it': [
    /no valid path/,
    issuedWith({ eesCertificate: foreignChain + ecs.rootPem }),
  ],
  'a certificate without its issuer': [/no valid path/, issuedWith({ eesCertificate: own })],
  'the issuer before the certificate': [/for another key/, issuedWith({ eesCertificate: intermediate + own })],
  'the root as certificate': [/for another key/, issuedWith({ eesCertificate: ecs.rootPem })],
  'the certificate of an ECS': [
    /for another registration/,
    issuedWith({
      eesCertificate: pems(ofTheEcs.der, ecs.domain.issuers.ecs.certificate.der),
    }),
  ],
  'text for a certificate': [/not a PEM text/, issuedWith({ eesCertificate: 'certificate' })],
  'another registration ID than the certificate': [
    /for another registration/,
    {
      ...issuedWith({ registrationId: otherId }),
      headers: { ...honest.headers, location: `/eecs-eesregistration/v1/registrations/${otherId}` },
    },
  ],
  'a registration ID that is a path': [/registrationId/, issuedWith({ registrationId: '../../oauth2/token' })],
  'another registration in Location': [
    /Location/,
    answerWith({}, { location: `/eecs-eesregistration/v1/registrations/${otherId}` }),
  ],
  'a Location elsewhere': [
    /Location/,
    answerWith({}, { location: `https://evil.example/eecs-eesregistration/v1/registrations/${ecs.registrationId}` }),
  ],
  'no Location': [/Location/, withoutHeader('location')],
  'another EES in the profile': [/another EES/, answerWith({ eesProf: { ...PROFILE, eesId: 'ees-2' } })],
  'no onboarding information': [/not onboarded/, answerWith({ onboardingInformation: undefined })],
  'a token of another kind': [/tokenType/, issuedWith({ tokenType: 'DPoP' })],
  'a body of another type': [
    /application\/json/,
    { ...honest, headers: { ...honest.headers, 'content-type': 'text/html' } },
  ],
  'a body that is no JSON': [/cannot be read/, { ...honest, body: Buffer.from('{') }],
  'a body with a prototype': [/cannot be read/, { ...honest, body: Buffer.from(`{"__proto__":${honest.body}}`) }],
  '200 for 201': [/200, not 201/, { ...honest, status: 200 }],
  'a redirect': [
    /307, not 201/,
    { status: 307, headers: { location: 'https://evil.example/' }, body: Buffer.alloc(0) },
  ],
}

describe('onboarding response: TR 33.839 6.Y.2 step 5', () => {
  const judge = (response: Response, now = Date.now()) => processOnboardingResponse(response, onboarding, now)

  test('the honest answer is taken: registration ID, certificate, addresses, token', () => {
    const { record, certificateChain, accessToken } = judge(honest)
    assert.equal(record.registrationId, ecs.registrationId)
    assert.equal(record.eesId, EES_ID)
    assert.equal(record.etag, '"1"')
    assert.deepEqual(plain(record.registration.eesProf), PROFILE)
    assert.ok(record.registration.expTime)
    assert.equal(certificateChain.match(/BEGIN CERTIFICATE/g)?.length, 2)
    assert.equal(accessToken?.scope, 'eecs-eesregistration')
    assert.ok(!('onboardingInformation' in record.registration))
  })

  test('the token is left out where the ECS authorizes by policy alone (D-10)', () => {
    const { accessToken: _, tokenType: __, expiresIn: ___, ...issued } = bodyOf().onboardingInformation
    const { tokenEndpoint: _endpoint, scope: _scope, ...authInfo } = ecs.authInfo()
    const answer = judge(answerWith({ onboardingInformation: { ...issued, authInfo } }))
    assert.equal(answer.accessToken, undefined)
    assert.equal(answer.record.authInfo.tokenEndpoint, undefined)
  })

  for (const [name, [because, response]] of Object.entries(substituted)) {
    test(`ON-07: refuses ${name}`, () => {
      assert.throws(() => judge(response), { name: 'AnswerNotAccepted', message: because })
    })
  }

  for (const member of ['apiRoot', 'jwksUri', 'estUrl', 'crlUrl', 'tokenEndpoint', 'issuer'] as const) {
    test(`HT-06: refuses an authInfo.${member} that is not the ECS's own`, () => {
      const suffix = member === 'apiRoot' || member === 'issuer' ? '' : '/x'
      for (const origin of [
        `http://${ECS_FQDN}:8444`,
        'https://evil.example:8444',
        `https://${ECS_FQDN}@evil.example:8444`,
        `https://${ECS_FQDN}.evil.example:8444`,
        'https://127.0.0.1:8444',
      ]) {
        const response = authInfoWith({ [member]: `${origin}${suffix}` })
        assert.throws(() => judge(response), { name: 'AnswerNotAccepted' }, `${origin}${suffix}`)
      }
    })
  }

  test('TK-05: refuses a token endpoint or renewal where the certificate would not be asked for', () => {
    for (const member of ['estUrl', 'tokenEndpoint']) {
      const response = authInfoWith({ [member]: `${ecs.origins.server}/x` })
      assert.throws(() => judge(response), { name: 'AnswerNotAccepted', message: /mutual TLS/ })
    }
  })

  test('CA-08: refuses a certificate that is not valid now', () => {
    const { notAfter } = readCertificate(own)
    assert.throws(() => judge(honest, notAfter + 60_000), { name: 'AnswerNotAccepted' })
    assert.throws(() => judge(honest, Date.now() - 3_600_000), { name: 'AnswerNotAccepted' })
  })

  test('what the ECS refuses comes with its cause, and nothing unprintable', () => {
    const refused = problem(403, 'EES_NOT_ENTITLED', { 'retry-after': '3' })
    assert.throws(() => judge(refused), {
      name: 'RefusedByServer',
      status: 403,
      code: 'EES_NOT_ENTITLED',
      retryAfter: 3,
    })
    const body = Buffer.from(JSON.stringify({ cause: 'X', detail: `\u001b[31m${'a'.repeat(9_999)}` }))
    assert.throws(
      () => judge({ ...refused, body }),
      ({ message }: Error) => {
        assert.ok(message.length < 300 && /^[\x20-\x7e]+$/.test(message), message)
        return true
      },
    )
    assert.throws(() => judge({ status: 502, headers: {}, body: Buffer.from('<html>') }), {
      name: 'RefusedByServer',
      code: '502',
    })
  })
})

function pems(...ders: readonly Buffer[]): string {
  return ders.map((der) => writePem('CERTIFICATE', der)).join('')
}
