import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Certificate, readCertificate, readCertificateList } from '../../src/certificates/certificate.ts'
import { type Crl, readCrl } from '../../src/certificates/crl.ts'
import { integer, namedBits, oid, sequence, TRUE } from '../../src/certificates/der-writer.ts'
import { writeName } from '../../src/certificates/distinguished-name.ts'
import { issueCertificate, toBeSigned } from '../../src/certificates/issue.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { signatureVerifies } from '../../src/certificates/signature-algorithm.ts'
import { drawSerial, templateFor } from '../../src/certificates/template.ts'
import { chainOf, crlUrl } from '../../src/ecs/certificate-authority/authorities.ts'
import { type Message, PeerUnavailable, type Response } from '../../src/http/client.ts'
import { type Random, systemRandom } from '../../src/ports/random.ts'
import { type EesId, type Fqdn, parseRegistrationId } from '../../src/spec/identifiers.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { aDomain, anEes, spkiOf } from '../certificates/a-domain.ts'
import {
  aName,
  anAttribute,
  anExtension,
  aRequest,
  extensionRequest,
  subjectAltName,
} from '../certificates/a-request.ts'
import { notLetIn, oauthErrorOf, refusedWith, withoutTrace } from './refusals.ts'
import {
  bodyOf,
  csrOf,
  newEesKey,
  onboard,
  onboardingMessage,
  type RunningEcs,
  type RunningEes,
  runEcs,
} from './running-ecs.ts'

const DAY = 86_400_000
const CRL: Message = { method: 'GET', path: '/crl/ees-issuer.crl' }

/** Serial numbers that the ECS draws next: what a generator that repeats itself would give. */
const forced: Buffer[] = []
let stuck: Buffer | undefined
const random: Random = {
  ...systemRandom,
  octets: (count) => Buffer.from((count === 16 ? (stuck ?? forced.shift()) : undefined) ?? systemRandom.octets(count)),
}

describe('the certificate authority: D-5 to D-8', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs('ecs1.example.com', { random })
  })
  after(() => ecs.close())

  let count = 0
  const name = () => {
    count += 1
    return { eesId: `ees-ca-${count}`, fqdn: `ca${count}.example.com` }
  }
  const newcomer = () => onboard(ecs, name())
  const crl = async (): Promise<Crl> => readCrl((await ecs.anybody().request(CRL)).body)
  const certificates = async ({ registrationId }: RunningEes) => (await ecs.operator.show(registrationId)).certificates

  /** What the template of this registration says, with key, serial and dates of the certificate at hand. */
  function expectedOf(certificate: Certificate, id: { registrationId: string; eesId: string; fqdn: string }): Buffer {
    const { certificate: issuer } = ecs.opened.ca.present().eesIssuer
    const apiRoot = `https://${ecs.fqdn}:${new URL(ecs.serving.listeners.server).port}`
    const registrationId = parseRegistrationId(id.registrationId) ?? assert.fail('no registration ID')
    const { notBefore, notAfter, serial, spki } = certificate
    const template = templateFor(
      { role: 'ees', fqdn: id.fqdn as Fqdn, registrationId, eesId: id.eesId as EesId },
      {
        issuer,
        spki,
        serial: Buffer.from(serial, 'hex'),
        now: notAfter,
        crlDistributionPoint: crlUrl({ apiRoot }, issuer),
      },
    )
    return toBeSigned({ ...template, notBefore, notAfter })
  }

  test('CA-01: the certificate is that of the template, whatever the certification request asks for', async () => {
    for (const greedy of greedyRequests()) {
      const who = name()
      const bundle = await ecs.invite(who)
      const key = newEesKey()
      const csr = writePem('CERTIFICATE REQUEST', aRequest({ key, ...greedy }))
      const message = await onboardingMessage(bundle, key, { onboardingInformation: { csr } })
      const { registrationId = '', eesCertificate = '' } = resultOf(await ecs.anybody().request(message))
      const [certificate = assert.fail('no certificate'), issuer] = readCertificateList(eesCertificate)
      assert.deepEqual(certificate.spki, spkiOfKey(key))
      assert.deepEqual(certificate.tbs, expectedOf(certificate, { ...who, registrationId }))
      assert.ok(issuer && signatureVerifies(certificate, issuer.publicKey))
      assert.equal(certificate.notAfter - certificate.notBefore, 30 * DAY + 300_000)

      const renewal = await ecs.withCertificate(eesCertificate, key).request(reenrolment(csr))
      if (asksForNames(greedy)) refusedWith(renewal, 'EES_NOT_ENTITLED')
      else assert.equal(renewal.status, 200)
    }
  })

  test('CA-03: a serial number that is taken is drawn again, at onboarding and at renewal', async () => {
    const first = await newcomer()
    const taken = Buffer.from(readCertificate(firstOf(first.certificateChain)).serial, 'hex')
    forced.push(taken, taken)
    const second = await newcomer()
    assert.equal(forced.length, 0)
    assert.equal((await certificates(second)).length, 1)
    forced.push(taken, taken)
    assert.equal((await second.request(reenrolment(await csrOf(newEesKey(), fqdnOf(second))))).status, 200)
    assert.equal(forced.length, 0)
    const serials = [...(await certificates(first)), ...(await certificates(second))].map(({ serial }) => serial)
    assert.equal(new Set(serials).size, 3)
  })

  test('CA-03: from a generator that is stuck nothing is issued, and the token is as good as before', async () => {
    const first = await newcomer()
    const bundle = await ecs.invite(name())
    const message = await onboardingMessage(bundle, newEesKey())
    stuck = Buffer.from(readCertificate(firstOf(first.certificateChain)).serial, 'hex')
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(message)), 'SYSTEM_FAILURE')
    stuck = undefined
    resultOf(await ecs.anybody().request(message))
  })

  test('CA-06: a revocation closes the open connection, ends the tokens everywhere, and is on the list when it is done', async () => {
    await appendFile(join(ecs.folder, 'policy.yaml'), CONTEXTS)
    await ecs.operator.reloadPolicy()
    const [victim, audience] = [await newcomer(), await newcomer()]
    const scope = 'eees-eeccontextreloc'
    const grant = { grant_type: 'client_credentials', scope, resource: `https://${fqdnOf(audience)}` }
    const token = bodyOf<{ access_token: string }>(await victim.request(form('/oauth2/token', grant))).access_token
    const introspect = async () =>
      bodyOf<{ active: boolean }>(await audience.request(form('/oauth2/introspect', { token })))
    assert.equal((await introspect()).active, true)

    const socket = await victim.peer.socket()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const inFlight = Array.from({ length: 20 }, () =>
      victim.request({ method: 'GET' }).catch((error: unknown) => error),
    )
    const begun = performance.now()
    await ecs.operator.revoke(victim.registrationId)
    await Promise.race([closed, delay(5_000, undefined, { ref: false }).then(() => assert.fail('still open'))])
    for (const outcome of await Promise.all(inFlight)) {
      assert.ok(outcome instanceof PeerUnavailable || [200, 401].includes((outcome as Response).status))
    }
    const again = ecs.withCertificate(victim.certificateChain, victim.key)
    const bearer = { authorization: `Bearer ${victim.accessToken}` }
    const path = `/eecs-eesregistration/v1/registrations/${victim.registrationId}`
    refusedWith(await again.request({ method: 'GET', path, headers: bearer }), 'CERTIFICATE_REVOKED')
    assert.equal(oauthErrorOf(await again.request(form('/oauth2/token', grant))), 'invalid_client')
    assert.deepEqual(await introspect(), { active: false })
    assert.ok(performance.now() - begun < 5_000, 'THREATS CA-06')

    const list = await crl()
    const [revoked] = await certificates(victim)
    assert.equal(list.revoked.get(revoked?.serial ?? '')?.reason, 'privilegeWithdrawn')
    assert.equal((await audience.request({ method: 'GET' })).status, 200)
  })

  test('CA-06: the token of one EES is dead over the certificate of another as well, once it is revoked', async () => {
    const [victim, other] = [await newcomer(), await newcomer()]
    await ecs.operator.revoke(victim.registrationId)
    const stolen = await other.request({ method: 'GET', headers: { authorization: `Bearer ${victim.accessToken}` } })
    refusedWith(stolen, 'TOKEN_INVALID')
  })

  test('CA-07: of 20 revocations at once each is on the list by the time it is answered; numbers go up, also over restarts', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, newcomer))
    const before = await crl()
    await Promise.all(
      all.map(async (ees) => {
        await ecs.operator.revoke(ees.registrationId)
        const [certificate] = await certificates(ees)
        assert.ok((await crl()).revoked.has(certificate?.serial ?? ''))
      }),
    )
    const after = await crl()
    assert.ok(after.number > before.number)
    const seen = [before.number, after.number]
    for (let restarts = 0; restarts < 3; restarts++) {
      await ecs.restart()
      const list = await crl()
      assert.ok(after.revoked.size <= list.revoked.size)
      seen.push(list.number)
    }
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => Number(a - b)),
    )
  })

  test('CA-08: with the clock a day behind nothing is signed, and nothing is used up; revocation works', async () => {
    const ees = await newcomer()
    const bundle = await ecs.invite(name())
    const message = await onboardingMessage(bundle, newEesKey())
    const renewal = reenrolment(await csrOf(newEesKey(), fqdnOf(ees)))
    const grant = form('/oauth2/token', { grant_type: 'client_credentials', scope: 'eecs-eesregistration' })
    assert.equal((await ees.request({ method: 'GET' })).status, 200)
    // Small corrections of the clock are every day's business.
    ecs.advance(-9 * 60_000)
    assert.equal((await ees.request(renewal)).status, 200)
    ecs.advance(9 * 60_000 - DAY)
    await withoutTrace(ecs, async () => {
      // The token is not from now either: to the ECS it comes from tomorrow.
      refusedWith(await ecs.anybody().request(message), 'ONBOARDING_TOKEN_INVALID')
      refusedWith(await ees.request(renewal), 'NF_CONGESTION')
      assert.equal((await ees.request(grant)).status, 503)
      await assert.rejects(ecs.invite(name()), { name: 'Refusal', code: 'NF_CONGESTION' })
    })
    const revoked = await ecs.operator.revoke(ees.registrationId)
    assert.equal(revoked.state, 'revoked')
    ecs.advance(DAY)
    resultOf(await ecs.anybody().request(message))
  })

  test('CA-08: after a clock that was ahead, signing goes on when what was signed then is revoked', async () => {
    ecs.advance(2 * DAY)
    const early = await newcomer()
    await ecs.operator.revoke((await newcomer()).registrationId)
    const ahead = await crl()
    ecs.advance(-2 * DAY)
    const now = await crl()
    assert.ok(now.thisUpdate < ahead.thisUpdate && now.number > ahead.number)
    await assert.rejects(ecs.invite(name()), { name: 'Refusal', code: 'NF_CONGESTION' })
    await ecs.operator.revoke(early.registrationId)
    await newcomer()
  })

  test('CA-10: only a certificate that is on record, good and of the same identity renews', async () => {
    const [ees, revoked, left] = [await newcomer(), await newcomer(), await newcomer()]
    await ecs.operator.revoke(revoked.registrationId)
    await left.request({ method: 'DELETE' })
    const renewal = async (fqdn: string, key = newEesKey()) => reenrolment(await csrOf(key, fqdn))
    for (const gone of [revoked, left]) {
      const peer = ecs.withCertificate(gone.certificateChain, gone.key)
      const message = await renewal(fqdnOf(gone))
      refusedWith(await withoutTrace(ecs, () => peer.request(message)), 'CERTIFICATE_REVOKED')
    }
    // Signed by the right authority, for the right EES, and on nobody's record.
    const key = newEesKey()
    const unknown = ecs.withCertificate(await offTheRecord(ees, key), key)
    const message = await renewal(fqdnOf(ees))
    refusedWith(await withoutTrace(ecs, () => unknown.request(message)), 'CERTIFICATE_REVOKED')
    // The same name under another root.
    const foreign = await aDomain()
    const signer = { publicKey: createPublicKey(key) }
    const { der } = await foreign.issue(anEes(fqdnOf(ees) as Fqdn), { spki: spkiOf(signer) })
    const stranger = ecs.withCertificate(writePem('CERTIFICATE', der), key)
    await withoutTrace(ecs, () => notLetIn(stranger.request(message)))
    // The new key is to be proven, too.
    const copied = aRequest({ key: newEesKey(), spki: spkiOfKey(ees.key) })
    const unproven = reenrolment(writePem('CERTIFICATE REQUEST', copied))
    refusedWith(await withoutTrace(ecs, () => ees.request(unproven)), 'PROOF_OF_POSSESSION_FAILED')
    assert.equal((await ees.request(message)).status, 200)
    // The key may stay the same.
    assert.equal((await ees.request(await renewal(fqdnOf(ees), ees.key))).status, 200)
  })

  test('CA-10: an expired certificate renews nothing, neither on the connection that is open nor on a new one', async () => {
    const ees = await newcomer()
    const open = await ees.request({ method: 'GET' })
    assert.equal(open.status, 200)
    const { notAfter } = readCertificate(firstOf(ees.certificateChain))
    const message = reenrolment(await csrOf(newEesKey(), fqdnOf(ees)))
    ecs.advance(notAfter - ecs.opened.clock.now() + 1)
    const outcome = await ees.request(message).catch((error: unknown) => error)
    assert.ok(outcome instanceof PeerUnavailable || (outcome as Response).status === 401)
    await notLetIn(ecs.withCertificate(ees.certificateChain, ees.key).request(message))
    assert.equal((await certificates(ees)).length, 1)
    await newcomer()
  })

  test('CA-07: the list is current whenever it is asked for, and an entry stays until one list after its certificate has ended', async () => {
    const ees = await newcomer()
    const { serial, notAfter } = readCertificate(firstOf(ees.certificateChain))
    await ecs.operator.revoke(ees.registrationId)
    const lifetime = ecs.opened.configuration.revocationList.lifetime * 1000
    const end = notAfter - ecs.opened.clock.now()
    const steps = [DAY / 2, DAY - 1, 8 * DAY, end, end + lifetime - 2_000]
    let [passed, last] = [0, 0n]
    for (const step of steps) {
      ecs.advance(step - passed)
      passed = step
      const list = await crl()
      const now = ecs.opened.clock.now()
      assert.ok(list.thisUpdate <= now && list.nextUpdate > now)
      assert.ok(list.number >= last)
      last = list.number
      assert.ok(list.revoked.has(serial), `after ${step} ms`)
    }
    ecs.advance(lifetime)
    assert.ok(!(await crl()).revoked.has(serial))
  })

  /** A certificate as the ECS would sign it, signed with its key: what a stolen authority, or a lost record, looks like. */
  async function offTheRecord(ees: RunningEes, key: KeyObject): Promise<string> {
    const { ca, clock } = ecs.opened
    const { eesIssuer } = ca.present()
    const registrationId = parseRegistrationId(ees.registrationId) ?? assert.fail('no registration ID')
    const template = templateFor(
      { role: 'ees', fqdn: fqdnOf(ees) as Fqdn, registrationId },
      {
        issuer: eesIssuer.certificate,
        spki: spkiOfKey(key),
        serial: drawSerial(systemRandom),
        now: clock.now(),
        crlDistributionPoint: `https://${ecs.fqdn}/crl/ees-issuer.crl`,
      },
    )
    return (
      writePem('CERTIFICATE', await issueCertificate(template, eesIssuer.signer)) + chainOf(ca.standing(), eesIssuer)
    )
  }
})

const CONTEXTS = `
  - { id: contexts, effect: allow, eesId: '*', scopes: [eees-eeccontextreloc], target: '*.example.com' }
`

type Request = Omit<Parameters<typeof aRequest>[0], 'key'>

const alternativeName = (...names: Buffer[]) => [extensionRequest(subjectAltName(...names))]

function greedyRequests(): Request[] {
  const authority = anExtension(OID.basicConstraints, sequence([TRUE, integer(9)]), true)
  const everyUsage = anExtension(OID.keyUsage, namedBits([0, 1, 2, 3, 4, 5, 6, 7, 8]), true)
  const anyPurpose = anExtension(OID.extKeyUsage, sequence([oid('2.5.29.37.0')]))
  return [
    {},
    { attributes: [extensionRequest(authority, everyUsage, anyPurpose)] },
    { subject: writeName({ organization: 'example.com', commonName: 'Edgeward root CA' }) },
    { attributes: [anAttribute('1.3.6.1.4.1.311.2.1.14', sequence([authority]))] },
    { attributes: alternativeName(aName(7, Buffer.of(127, 0, 0, 1)), aName(1, 'admin@operator.example')) },
    { attributes: alternativeName(aName(2, 'ecs1.example.com'), aName(2, '*.example.com')) },
    { attributes: alternativeName(aName(2, 'ca1.example.com\0.evil.example')) },
    { attributes: alternativeName(aName(6, 'urn:edgeward:operator:admin')) },
    { attributes: alternativeName(aName(6, 'urn:uuid:00000000-0000-4000-8000-000000000000')) },
  ]
}

/** DNS names and URIs: what a request asks for is compared with the registration, and used for nothing. */
const asksForNames = ({ attributes = [] }: Request) =>
  attributes.some((attribute) => /example\.com\W|evil|urn:/.test(Buffer.from(attribute).toString('latin1')))

const spkiOfKey = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'der' })
const fqdnOf = ({ answer }: RunningEes) => answer.eesProf.endPt.fqdn ?? assert.fail('no FQDN')

function firstOf(chain: string): string {
  const end = '-----END CERTIFICATE-----\n'
  return chain.slice(0, chain.indexOf(end) + end.length)
}

function resultOf(response: Response) {
  assert.equal(response.status, 201, response.body.toString('utf8'))
  return bodyOf<EESRegistrationResp>(response).onboardingInformation ?? assert.fail('no onboardingInformation')
}

function reenrolment(csr: string): Message {
  const headers = { 'content-type': 'application/pkcs10' }
  return { method: 'POST', path: '/.well-known/est/simplereenroll', headers, body: csr }
}

function form(path: string, parameters: Record<string, string>): Message {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path, headers, body: new URLSearchParams(parameters).toString() }
}
