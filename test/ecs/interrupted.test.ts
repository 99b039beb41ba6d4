import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type Certificate, readCertificateList, x5tS256 } from '../../src/certificates/certificate.ts'
import { readCertsOnly } from '../../src/certificates/certs-only.ts'
import { readCrl } from '../../src/certificates/crl.ts'
import { provisioningIssuer } from '../../src/ecs/adapters/operator.ts'
import { certificationPorts, onboardingPorts } from '../../src/ecs/adapters/registrar.ts'
import { findByRegistrationId } from '../../src/ecs/adapters/registration-store.ts'
import type { CertificationPorts, IssuedCertificate } from '../../src/ecs/certificate-authority/certify.ts'
import { renewCertificate } from '../../src/ecs/certificate-authority/renew-certificate.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { onboardEes } from '../../src/ecs/registrar/onboard-ees.ts'
import { provePossession } from '../../src/ecs/registrar/prove-possession.ts'
import { withoutListeners } from '../../src/ecs/server/context.ts'
import type { Message, Response } from '../../src/http/client.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { keySetOf } from '../../src/tokens/key-set.ts'
import { verifyOnboardingToken } from '../../src/tokens/onboarding-token.ts'
import { refusedWith, withoutTrace } from './refusals.ts'
import {
  bodyOf,
  csrOf,
  newEesKey,
  onboard,
  onboardingMessage,
  profileOf,
  type RunningEcs,
  type RunningEes,
  runEcs,
} from './running-ecs.ts'

const CRL: Message = { method: 'GET', path: '/crl/ees-issuer.crl' }

/** The last thing that was done, in the order in which it is done, and what is on record by then. */
const ONBOARDING = ['nothing', 'register', 'sign', 'issueAccessToken', 'recordIssued'] as const
const RENEWAL = ['nothing', 'intend', 'sign', 'recordIssued'] as const

/**
 * The ECS stops after each step of a procedure: the procedure is frozen there, and the ECS starts again on what it has
 * stored. Random kills of a real process are in crash.test.ts.
 */
describe('procedures that were interrupted', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs()
  })
  after(() => ecs.close())

  test('ON-05, CA-04: after whichever step of an onboarding the ECS stops, the retry ends with one registration and one good certificate', async () => {
    const stopped = await Promise.all(
      ONBOARDING.map(async (step) => {
        const bundle = await ecs.invite({ eesId: `ees-${step}`, fqdn: `${step.toLowerCase()}.example.com` })
        const key = newEesKey()
        return { step, bundle, key, signed: await onboardUntil(step, bundle, key) }
      }),
    )
    const underWay = stopped.find(({ step }) => step === 'register') ?? assert.fail()
    const early = await onboardingMessage(underWay.bundle, underWay.key)
    refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(early)), 'NF_CONGESTION')

    await ecs.restart()
    for (const { step, bundle, key, signed } of stopped) {
      const before = step === 'nothing' ? undefined : await ecs.operator.show(bundle.eesId)
      const [intended] = before?.certificates ?? []
      assert.equal(
        intended?.state,
        { nothing: undefined, recordIssued: 'issued' }[step as string] ?? (before && 'revoked'),
      )
      const answer = await ecs.anybody().request(await onboardingMessage(bundle, key))
      const { registrationId, eesCertificate } = resultOf(answer)
      if (before !== undefined) assert.equal(registrationId, before.registrationId)
      const after = await ecs.operator.show(bundle.eesId)
      assert.deepEqual(after.certificates.map(({ state }) => state).sort(), expectedStates(step))
      assert.equal(after.certificates.find(({ state }) => state === 'issued')?.serial, leafOf(eesCertificate).serial)
      if (signed !== undefined && step !== 'recordIssued') await isWorthless(signed, key, registrationId)
      assert.equal((await token(eesCertificate, key)).status, 200)
      const other = await onboardingMessage(bundle, newEesKey())
      refusedWith(await withoutTrace(ecs, () => ecs.anybody().request(other)), 'ONBOARDING_TOKEN_USED')
    }
  })

  test('CA-04: after whichever step of a renewal the ECS stops, the EES has a good certificate and the other is on the list', async () => {
    const stopped = await Promise.all(
      RENEWAL.map(async (step) => {
        const ees = await onboard(ecs, { eesId: `ees-renew-${step}`, fqdn: `renew-${step.toLowerCase()}.example.com` })
        const key = newEesKey()
        return { step, ees, key, signed: await renewUntil(step, ees, key) }
      }),
    )
    await ecs.restart()
    for (const { step, ees, key, signed } of stopped) {
      const states = { nothing: ['issued'], recordIssued: ['issued', 'issued'] }[step as string] ?? [
        'issued',
        'revoked',
      ]
      const { certificates } = await ecs.operator.show(ees.registrationId)
      assert.deepEqual(certificates.map(({ state }) => state).sort(), states)
      if (signed !== undefined && step !== 'recordIssued') await isWorthless(signed, key, ees.registrationId)
      // What it has is as good as before, and renews with the very key that was under way.
      const renewed = await ecs.withCertificate(ees.certificateChain, ees.key).request({
        method: 'POST',
        path: '/.well-known/est/simplereenroll',
        headers: { 'content-type': 'application/pkcs10' },
        body: await csrOf(key, ees.answer.eesProf.endPt.fqdn),
      })
      assert.equal(renewed.status, 200)
      assert.equal(readCertsOnly(Buffer.from(renewed.body.toString('latin1'), 'base64')).length, 2)
    }
  })

  /** Runs the onboarding to the end of a step. @returns the certificate, if it was signed by then */
  async function onboardUntil(step: (typeof ONBOARDING)[number], bundle: Bundle, key: KeyObject) {
    if (step === 'nothing') return undefined
    const { onboardingToken } = bundle
    const credential = await verifyOnboardingToken(onboardingToken, {
      issuers: new Map([[provisioningIssuer(ecs.fqdn), keySetOf([ecs.opened.onboarding.publicKey])]]),
      audience: ecs.fqdn,
      now: ecs.opened.clock.now(),
    })
    const eesProf = profileOf(bundle)
    const proven = await proofOf(key, bundle.fqdn, onboardingToken)
    const ports = onboardingPorts(await withoutListeners(ecs.opened))
    return frozenAfter(step, ports, (frozen) =>
      onboardEes(frozen, { credential, registration: { eesProf }, key: proven }),
    )
  }

  async function renewUntil(step: (typeof RENEWAL)[number], ees: RunningEes, key: KeyObject) {
    if (step === 'nothing') return undefined
    const context = await withoutListeners(ecs.opened)
    const { serial, der } = leafOf(ees.certificateChain)
    const registration = (await findByRegistrationId(context.store, ees.registrationId)) ?? assert.fail()
    const { eesId, fqdn } = registration
    const peer = { eesId, fqdn, serial, thumbprint: x5tS256(der), registration }
    const proven = await proofOf(key, fqdn, '')
    const names = { dnsNames: [fqdn], uris: [] }
    return frozenAfter(step, certificationPorts(context), (frozen) =>
      renewCertificate(frozen, peer, { key: proven, names }),
    )
  }

  async function proofOf(key: KeyObject, fqdn: string, onboardingToken: string) {
    const context = { ecs: ecs.fqdn, onboardingToken, eesProf: {}, bindingRequired: false }
    return provePossession({ csr: await csrOf(key, fqdn) }, { ...context, channelBinding: () => undefined })
  }

  /** A certificate that was signed and then not recorded is valid to whoever looks at its signature alone. */
  async function isWorthless(signed: IssuedCertificate, key: KeyObject, registrationId: string): Promise<void> {
    refusedWith(await withoutTrace(ecs, () => read(signed.chain, key, registrationId)), 'CERTIFICATE_REVOKED')
    const { revoked } = readCrl((await ecs.anybody().request(CRL)).body)
    assert.ok(revoked.has(signed.serial))
  }

  const read = (chain: string, key: KeyObject, registrationId: string) =>
    ecs
      .withCertificate(chain, key)
      .request({ method: 'GET', path: `/eecs-eesregistration/v1/registrations/${registrationId}` })

  const token = (chain: string, key: KeyObject) =>
    ecs.withCertificate(chain, key).request({
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials&scope=eecs-eesregistration',
    })
})

const expectedStates = (step: string) =>
  step === 'nothing' || step === 'recordIssued' ? ['issued'] : ['issued', 'revoked']

/** Starts a procedure whose port does what it is for, and then never says so. */
function frozenAfter<Ports extends CertificationPorts>(
  step: keyof Ports,
  ports: Ports,
  start: (ports: Ports) => Promise<unknown>,
): Promise<IssuedCertificate | undefined> {
  return new Promise((resolve, reject) => {
    let signed: IssuedCertificate | undefined
    const sign: Ports['sign'] = async (intent) => {
      signed = await ports.sign(intent)
      return signed
    }
    const done = { ...ports, sign }
    const port = done[step] as (...given: unknown[]) => Promise<unknown>
    const frozen = async (...given: unknown[]) => {
      await port(...given)
      resolve(signed)
      return new Promise<never>(() => {})
    }
    start({ ...done, [step]: frozen }).catch(reject)
  })
}

function leafOf(chain: string): Certificate {
  const [leaf] = readCertificateList(chain)
  return leaf ?? assert.fail('no certificate')
}

function resultOf(response: Response) {
  assert.equal(response.status, 201, response.body.toString('utf8'))
  return bodyOf<EESRegistrationResp>(response).onboardingInformation ?? assert.fail('no onboardingInformation')
}
