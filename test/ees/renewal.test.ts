import assert from 'node:assert/strict'
import { createPrivateKey, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { parseRegistrationId } from '../../src/spec/identifiers.ts'
import { aDomain, aSigner, fqdn, spkiOf } from '../certificates/a-domain.ts'
import { aRegistration, NOW } from './a-registration.ts'
import { certsOnly, EES_FQDN, firstPem, problem } from './an-ecs.ts'

const RENEW = 'POST /.well-known/est/simplereenroll'

const stranger = aSigner()
const otherId = parseRegistrationId(randomUUID())
const elsewhere = await aDomain({ now: NOW })
type Stage = Awaited<ReturnType<typeof aRegistration>>
type Certify = (stage: Stage, spki: Buffer) => Promise<string[]>
const substituted: Record<string, readonly [because: RegExp, certify: Certify]> = {
  'for another key': [/another key/, ({ ecs }) => ecs.certify(spkiOf(stranger))],
  'for another FQDN': [/another FQDN/, ({ ecs }, spki) => ecs.certify(spki, fqdn('ees2.ecsp.example'))],
  'for another registration': [/another registration/, ({ ecs }, spki) => ecs.certify(spki, EES_FQDN, otherId)],
  'without its issuer': [/no valid path/, async ({ ecs }, spki) => (await ecs.certify(spki)).slice(0, 1)],
  'under another root': [
    /no valid path/,
    async ({ clock, ecs }, spki) => {
      const { registrationId } = ecs
      const subject = { role: 'ees', fqdn: EES_FQDN, registrationId } as const
      const leaf = await elsewhere.issue(subject, { spki, now: clock.now() })
      return [leaf.der, elsewhere.issuers.ees.certificate.der].map((der) => writePem('CERTIFICATE', der))
    },
  ],
  'that ends before the present one': [
    /ends before/,
    async ({ ecs, clock }, spki) => {
      const subject = { role: 'ees', fqdn: EES_FQDN, registrationId: ecs.registrationId } as const
      const leaf = await ecs.domain.issue(subject, { spki, now: clock.now(), lifetime: 86_400_000 })
      return [leaf.der, ecs.domain.issuers.ees.certificate.der].map((der) => writePem('CERTIFICATE', der))
    },
  ],
}

describe('renewal, the side of the EES: RFC 7030 4.2.2 (D-7)', () => {
  test('CA-10: old and new key prove possession, on this very connection', async () => {
    for (const newKey of [false, true]) {
      const { ecs, registration, clock } = await aRegistration()
      const before = registration.certificate
      clock.pass(20 * 86_400_000)
      await registration.renew({ newKey })
      const [call] = ecs.asked
      assert.deepEqual(call?.certificate, before.der)
      assert.deepEqual(call?.message.headers, { 'content-type': 'application/pkcs10' })
      const csr = readCertificationRequest(Buffer.from(String(call?.message.body), 'base64'))
      assert.equal(csr.challengePassword, call?.channelBinding?.toString('base64url'))
      assert.equal(csr.publicKey.equals(before.publicKey), !newKey)
      assert.ok(registration.certificate.publicKey.equals(csr.publicKey))
      assert.ok(registration.certificate.notAfter > before.notAfter)
    }
  })

  test('the next certificate is kept, then used: connections, tokens, expiration time', async () => {
    const { ecs, registration, clock, did, kept, opened } = await aRegistration()
    const { accessToken } = await registration.token({ scope: 'eecs-eesregistration' })
    clock.pass(60_000)
    const heard: string[] = []
    registration.onRenewed(({ certificateChain }) => heard.push(certificateChain))
    const { expTime } = await registration.renew({ newKey: true })
    assert.deepEqual(did.slice(0, 2), ['saveCredential', 'saveRecord'])
    assert.deepEqual(kept()?.credential, registration.credential)
    assert.deepEqual(heard, [registration.credential.certificateChain])
    assert.equal(opened[0]?.closed, true)
    assert.deepEqual(ecs.asked.at(-1)?.certificate, registration.certificate.der)
    assert.notEqual((await registration.token({ scope: 'eecs-eesregistration' })).accessToken, accessToken)
    assert.equal(Date.parse(expTime ?? ''), registration.certificate.notAfter)
    const { notBefore, notAfter } = registration.certificate
    const renewAfter = Date.parse(kept()?.record.authInfo.renewAfter ?? '')
    assert.equal(renewAfter, Math.floor(notBefore + ((notAfter - notBefore) * 2) / 3))
  })

  test('RFC 7030 4.2.3: the order of the certificates in the answer means nothing', async () => {
    const { ecs, registration } = await aRegistration()
    ecs.answers[RENEW] = async ({ message }) => {
      const { spki } = readCertificationRequest(Buffer.from(String(message.body), 'base64'))
      const [leaf = '', issuer = ''] = await ecs.certify(spki)
      return certsOnly([ecs.rootPem, issuer, leaf])
    }
    await registration.renew({ newKey: true })
    const { certificateChain, privateKey } = registration.credential
    assert.equal(certificateChain.match(/BEGIN/g)?.length, 2)
    const leaf = readCertificate(firstPem(certificateChain))
    assert.ok(leaf.publicKey.equals(signerOf(createPrivateKey(privateKey)).publicKey))
  })

  for (const [name, [because, certify]] of Object.entries(substituted)) {
    test(`CA-10: a certificate ${name} is not accepted, and nothing changes`, async () => {
      const stage = await aRegistration()
      const { ecs, registration, did } = stage
      const before = registration.credential
      ecs.answers[RENEW] = async ({ message }) => {
        const { spki } = readCertificationRequest(Buffer.from(String(message.body), 'base64'))
        return certsOnly(await certify(stage, spki))
      }
      await assert.rejects(registration.renew({ newKey: true }), { name: 'AnswerNotAccepted', message: because })
      assert.deepEqual(registration.credential, before)
      assert.deepEqual(did, [])
    })
  }

  test('an answer of another type, a refusal, and one that is not ready yet change nothing', async () => {
    const answers = [
      { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('aGVsbG8=') },
      { status: 200, headers: { 'content-type': 'application/pkcs7-mime' }, body: Buffer.from('!') },
      { status: 200, headers: { 'content-type': 'application/pkcs7-mime' }, body: Buffer.from('aGVsbG8=') },
      { status: 202, headers: { 'retry-after': '60' }, body: Buffer.alloc(0) },
      problem(401, 'CERTIFICATE_REVOKED'),
    ]
    for (const answer of answers) {
      const { ecs, registration, did } = await aRegistration()
      ecs.answers[RENEW] = () => answer
      await assert.rejects(registration.renew())
      assert.deepEqual(did, [])
    }
  })

  test('another process of this EES has renewed: its certificate is taken over', async () => {
    const { open, registration, clock } = await aRegistration()
    clock.pass(60_000)
    const other = open()
    await other.renew({ newKey: true })
    const before = registration.certificate.serial
    assert.equal(await registration.reload(), true)
    assert.notEqual(registration.certificate.serial, before)
    assert.deepEqual(registration.credential, other.credential)
    await other.deregister()
    assert.equal(await registration.reload(), false)
  })
})
