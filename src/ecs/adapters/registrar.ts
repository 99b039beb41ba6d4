import { readCertificateList, x5tS256 } from '../../certificates/certificate.ts'
import { issueCertificate } from '../../certificates/issue.ts'
import { writePem } from '../../certificates/pem.ts'
import { drawSerial, templateFor } from '../../certificates/template.ts'
import type { RegistrationId } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { GuardFailed } from '../../store/errors.ts'
import { prepared } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import { hashedTokenId } from '../audit.ts'
import { chainOf, crlUrl } from '../certificate-authority/authorities.ts'
import type { CertificationPorts, Intent, IssuedCertificate, ProvenKey } from '../certificate-authority/certify.ts'
import type { EndingPorts } from '../registrar/end-registration.ts'
import type { EarlierOnboarding, Onboarding, OnboardingPorts } from '../registrar/onboard-ees.ts'
import type { ReturnPorts } from '../registrar/register-again.ts'
import { contentOf, type Registration, type RegistrationContent } from '../registrar/registration.ts'
import type { UpdatePorts } from '../registrar/update-registration.ts'
import {
  type CertificateRow,
  certificatesOf,
  endableStates,
  endRegistration,
  extendRegistration,
  guardClock,
  guardLive,
  insertIntent,
  markIssued,
  newestEnd,
  reserveKey,
  revokeIntent,
  suspendRegistration,
} from './certificate-store.ts'
import type { EcsContext } from './context.ts'
import {
  commit,
  db,
  expiredRegistrations,
  findByRegistrationId,
  findRegistration,
  insertRegistration,
  reviveRegistration,
  updateRegistration,
} from './registration-store.ts'
import { turnsByName } from './turns.ts'

/** The certificate authority as the procedures see it: plan, sign, and what is on record of it. */
export function certificationPorts(
  ecs: EcsContext,
): CertificationPorts & { plan(registration: Registration, key: ProvenKey): Intent } {
  const { store, clock, random, ca, configuration } = ecs
  const plan = ({ registrationId, eesId, fqdn }: Registration, { spki }: ProvenKey): Intent => {
    const serial = drawSerial(random)
    const { id, eesIssuer } = ca.present()
    const template = templateFor(
      { role: 'ees', fqdn, registrationId, eesId },
      {
        issuer: eesIssuer.certificate,
        spki,
        serial,
        now: clock.now(),
        lifetime: configuration.certificates.lifetimeDays * 86_400_000,
        crlDistributionPoint: crlUrl(ecs.urls(), eesIssuer.certificate),
      },
    )
    const { notBefore, notAfter } = template
    return { serial: serial.toString('hex'), notBefore, notAfter, issuer: id, template }
  }
  return {
    plan,
    intend: (registration, key) =>
      withFreshSerial(async () => {
        const { registrationId } = registration
        const intent = plan(registration, key)
        const now = clock.now()
        const unit = [
          guardClock(now),
          guardLive(registrationId),
          reserveKey(key, registrationId),
          insertIntent(intent, registrationId, key, now),
        ]
        const { serial } = intent
        await commit(store, now, unit, { event: 'certificate-intended', registrationId, serial, key: key.spkiSha256 })
        return intent
      }),
    async sign({ template, serial, notBefore, notAfter, issuer }) {
      const signing = ca.eesIssuer(issuer)
      const der = await issueCertificate(template, signing.signer)
      const chain = writePem('CERTIFICATE', der) + chainOf(ca.standing(), signing)
      return { serial, notBefore, notAfter, chain, thumbprint: x5tS256(der) }
    },
    async recordIssued(certificate, { registrationId }, token) {
      const now = clock.now()
      const { serial, thumbprint, notAfter } = certificate
      const unit = [markIssued(certificate, now), extendRegistration(registrationId, notAfter, now)]
      const issued = { event: 'certificate-issued', registrationId, serial, thumbprint } as const
      await ecs.changing(registrationId, () =>
        commit(store, now, unit, issued, ...(token === undefined ? [] : [token.issue])),
      )
    },
    async abandon({ serial }) {
      const now = clock.now()
      await commit(store, now, [revokeIntent(serial, now)], { event: 'certificate-abandoned', serial })
    },
  }
}

/** Draws in vain before the source of serial numbers counts as broken. */
const MOST_DRAWS = 4

/** A serial number that is taken already is drawn again (THREATS CA-03). */
async function withFreshSerial<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let draws = 1; ; draws++) {
    try {
      return await attempt()
    } catch (error) {
      const taken = error instanceof GuardFailed && error.guard === 'certificate.serial'
      if (!taken || draws === MOST_DRAWS) throw error
    }
  }
}

export function onboardingPorts(ecs: EcsContext): OnboardingPorts {
  const { store, clock, random } = ecs
  const ca = certificationPorts(ecs)
  return {
    ...ca,
    now: clock.now,
    findOnboarded: (jti) => findOnboarded(ecs, jti),
    register: ({ credential, registration: message, key }) =>
      withFreshSerial(async () => {
        const now = clock.now()
        const registrationId = random.uuid() as RegistrationId
        const content = contentOf(message)
        const { eesId, fqdn } = credential
        const identity = { registrationId, eesId, fqdn, ...admissionOf(credential) }
        const draft: Registration = { ...content, ...identity, version: 1, state: 'live', expiresAt: 0 }
        const intent = ca.plan(draft, key)
        const registration = { ...draft, expiresAt: Math.min(content.askedUntil ?? intent.notAfter, intent.notAfter) }
        const unit = [
          guardClock(now),
          refuseBarred(credential),
          consumeToken(credential.jti, registrationId, key, now),
          insertRegistration(registration, now),
          reserveKey(key, registrationId),
          insertIntent(intent, registrationId, key, now),
        ]
        const event = {
          event: 'onboarded',
          eesId,
          fqdn,
          registrationId,
          token: hashedTokenId(credential.jti),
          key: key.spkiSha256,
          serial: intent.serial,
        } as const
        await ecs.changing(registrationId, () => commit(store, now, unit, event))
        return { registration, intent }
      }),
    issueAccessToken: (registration, { thumbprint }) => ecs.issueFirstToken(registration, thumbprint),
    async recordToken({ issue }) {
      const now = clock.now()
      await commit(store, now, [guardClock(now)], issue)
    },
  }
}

function admissionOf({ provId, endPoints }: Onboarding['credential']): Pick<Registration, 'admission'> {
  if (provId === undefined && endPoints === undefined) return {}
  return { admission: { ...(provId !== undefined && { provId }), ...(endPoints && { endPoints }) } }
}

const consumption = prepared((row: { jti: string; registration_id: string; spki_sha256: string; used_at: number }) =>
  db.insertInto('onboarding_token').values(row),
)

function consumeToken(jti: string, registrationId: RegistrationId, key: ProvenKey, now: number): Statement {
  return consumption({ jti, registration_id: registrationId, spki_sha256: key.spkiSha256, used_at: now })
}

const bar = prepared(({ eesId, issuedAt }: { eesId: string; issuedAt: number }) =>
  db
    .updateTable('ees_bar')
    .set((values) => ({ barred_until: values.ref('barred_until') }))
    .where('ees_id', '=', eesId)
    .where('barred_until', '>=', issuedAt),
)

/** Tokens from before the EES was taken off are void: the guard finds a bar that is not there, or is older than the token. */
function refuseBarred({ eesId, iat }: Onboarding['credential']): Statement {
  return { ...bar({ eesId, issuedAt: iat * 1000 }), expect: { rows: 0, otherwise: 'ONBOARDING_TOKEN_INVALID' } }
}

async function findOnboarded({ store }: EcsContext, jti: string): Promise<EarlierOnboarding | undefined> {
  const query = db.selectFrom('onboarding_token').select(['registration_id', 'spki_sha256']).where('jti', '=', jti)
  const [used] = await store.read<{ registration_id: string; spki_sha256: string }>(query.compile())
  const registration = used && (await findByRegistrationId(store, used.registration_id))
  if (used === undefined || registration === undefined) return undefined
  const certificates = await certificatesOf(store, used.registration_id)
  // A renewal may have brought another key since; whoever asks again has proven this one.
  const [newest] = certificates.filter((each) => each.state !== 'revoked' && each.spki_sha256 === used.spki_sha256)
  return {
    registration,
    spkiSha256: used.spki_sha256,
    certificate: newest === undefined ? 'none' : certificateOf(newest),
  }
}

function certificateOf({ serial, state, pem, thumbprint }: CertificateRow): 'intended' | IssuedCertificate {
  if (state === 'intended' || pem === null || thumbprint === null) return 'intended'
  const [issued] = readCertificateList(pem)
  if (issued === undefined) throw new Error(`the certificate ${serial} is not on record as it was issued`)
  return { serial, chain: pem, thumbprint, notBefore: issued.notBefore, notAfter: issued.notAfter }
}

export function updatePorts({ store, clock, changing }: EcsContext): UpdatePorts {
  return {
    now: clock.now,
    inTurn: turnsByName(),
    findRegistration: (registrationId) => findByRegistrationId(store, registrationId),
    async replaceRegistration(registration, content) {
      const now = clock.now()
      const { next, end } = await nextOf(store, registration, content)
      const { registrationId, version } = next
      const event = { event: 'updated', registrationId, version } as const
      await changing(registrationId, () => commit(store, now, [updateRegistration(next, end, now)], event))
      return next
    },
  }
}

export function returnPorts({ store, clock, changing }: EcsContext): ReturnPorts {
  return {
    now: clock.now,
    async reviveRegistration(registration, content) {
      const now = clock.now()
      const { registrationId, eesId, fqdn } = registration
      const { next, end } = await nextOf(store, { ...registration, state: 'live' }, content)
      const event = { event: 'registered', eesId, fqdn, registrationId } as const
      await changing(registrationId, () => commit(store, now, [reviveRegistration(next, end, now)], event))
      return next
    },
  }
}

/** The next version of a registration, and the end of its newest certificate, which it does not outlive (D-6). */
async function nextOf(store: Store, registration: Registration, content: RegistrationContent) {
  const { eesProf: _, suppFeat: __, askedUntil: ___, ...kept } = registration
  const end = await newestEnd(store, kept.registrationId)
  const expiresAt = Math.min(content.askedUntil ?? end, end)
  const next: Registration = { ...kept, ...content, version: kept.version + 1, expiresAt }
  return { next, end }
}

export function endingPorts(ecs: EcsContext): EndingPorts {
  const { store, clock } = ecs
  return {
    now: clock.now,
    async endRegistration(registration, ending) {
      const now = clock.now()
      const { registrationId, eesId } = registration
      try {
        const stays = ending === 'expired' && ecs.configuration.registrations.onExpiry === 'block'
        const unit = stays ? suspendRegistration(registration, now) : endRegistration(registration, ending, now)
        const event = { event: 'ended', registrationId, eesId, ending } as const
        await ecs.changing(registrationId, () => commit(store, now, unit, event))
        return true
      } catch (error) {
        const current = await findByRegistrationId(store, registrationId)
        if (current !== undefined && endableStates(ending).includes(current.state)) throw error
        return false
      }
    },
    cutOff: ecs.cutOff,
    expiredRegistrations: (limit) => expiredRegistrations(store, clock.now(), limit),
  }
}

/** Whoever is asked for by a name that nobody has is told so in one way. */
export async function registrationOf({ store }: EcsContext, id: string): Promise<Registration> {
  const registration = await findRegistration(store, id)
  refuseUnless(registration !== undefined, 'REGISTRATION_NOT_FOUND', 'there is no such EES')
  return registration
}
