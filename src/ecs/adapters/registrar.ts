import { x5tS256 } from '../../certificates/certificate.ts'
import { issueCertificate } from '../../certificates/issue.ts'
import { writePem } from '../../certificates/pem.ts'
import { drawSerial, templateFor } from '../../certificates/template.ts'
import type { RegistrationId } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { prepared } from '../../store/queries.ts'
import type { Statement } from '../../store/store.ts'
import { hashedTokenId } from '../audit.ts'
import type { CertificationPorts, Intent, IssuedCertificate, ProvenKey } from '../certificate-authority/certify.ts'
import type { EndingPorts } from '../registrar/end-registration.ts'
import type { EarlierOnboarding, Onboarding, OnboardingPorts } from '../registrar/onboard-ees.ts'
import type { ReturnPorts } from '../registrar/register-again.ts'
import { contentOf, type Registration } from '../registrar/registration.ts'
import type { UpdatePorts } from '../registrar/update-registration.ts'
import {
  type CertificateRow,
  certificatesOf,
  endRegistration,
  extendRegistration,
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
  findRegistration,
  insertRegistration,
  reviveRegistration,
  updateRegistration,
} from './registration-store.ts'

/** The certificate authority as the procedures see it: plan, sign, and what is on record of it. */
export function certificationPorts(
  ecs: EcsContext,
): CertificationPorts & { plan(registration: Registration, key: ProvenKey): Intent } {
  const { store, clock, random, eesIssuer, configuration } = ecs
  const plan = ({ registrationId, eesId, fqdn }: Registration, { spki }: ProvenKey): Intent => {
    const serial = drawSerial(random)
    const template = templateFor(
      { role: 'ees', fqdn, registrationId, eesId },
      {
        issuer: eesIssuer.certificate,
        spki,
        serial,
        now: clock.now(),
        lifetime: configuration.certificates.lifetimeDays * 86_400_000,
        crlDistributionPoint: ecs.urls().crl,
      },
    )
    return { serial: serial.toString('hex'), notBefore: template.notBefore, notAfter: template.notAfter, template }
  }
  return {
    plan,
    async intend(registration, key) {
      const { registrationId } = registration
      const intent = plan(registration, key)
      const now = clock.now()
      const unit = [
        guardLive(registrationId),
        reserveKey(key, registrationId),
        insertIntent(intent, registrationId, key, now),
      ]
      const { serial } = intent
      await commit(store, now, unit, { event: 'certificate-intended', registrationId, serial, key: key.spkiSha256 })
      return intent
    },
    async sign({ template, ...intent }) {
      const der = await issueCertificate(template, eesIssuer.signer)
      const chain = writePem('CERTIFICATE', der) + ecs.eesIssuerPem
      return { ...intent, chain, thumbprint: x5tS256(der) }
    },
    async recordIssued(certificate, { registrationId }, token) {
      const now = clock.now()
      const { serial, thumbprint, notAfter } = certificate
      const unit = [markIssued(certificate, now), extendRegistration(registrationId, notAfter, now)]
      const issued = { event: 'certificate-issued', registrationId, serial, thumbprint } as const
      await commit(store, now, unit, issued, ...(token === undefined ? [] : [token.issue]))
    },
    async abandon({ serial }) {
      const now = clock.now()
      await commit(store, now, [revokeIntent(serial, now)], { event: 'certificate-abandoned', serial })
    },
  }
}

export function onboardingPorts(ecs: EcsContext): OnboardingPorts {
  const { store, clock, random } = ecs
  const ca = certificationPorts(ecs)
  return {
    ...ca,
    now: clock.now,
    findOnboarded: (jti) => findOnboarded(ecs, jti),
    async register({ credential, registration: message, key }) {
      const now = clock.now()
      const registrationId = random.uuid() as RegistrationId
      const content = contentOf(message)
      const { eesId, fqdn } = credential
      const draft: Registration = { ...content, registrationId, eesId, fqdn, version: 1, state: 'live', expiresAt: 0 }
      const intent = ca.plan(draft, key)
      const registration = { ...draft, expiresAt: Math.min(content.askedUntil ?? intent.notAfter, intent.notAfter) }
      const unit = [
        refuseBarred(credential),
        consumeToken(credential.jti, registrationId, key, now),
        insertRegistration(registration, now),
        reserveKey(key, registrationId),
        insertIntent(intent, registrationId, key, now),
      ]
      const { serial } = intent
      const token = hashedTokenId(credential.jti)
      await commit(store, now, unit, {
        event: 'onboarded',
        eesId,
        fqdn,
        registrationId,
        token,
        key: key.spkiSha256,
        serial,
      })
      return { registration, intent }
    },
    issueAccessToken: (registration, { thumbprint }) => ecs.issueFirstToken(registration, thumbprint),
    recordToken: ({ issue }) => commit(store, clock.now(), [], issue),
  }
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
  const registration = used && (await findRegistration(store, used.registration_id))
  if (used === undefined || registration === undefined) return undefined
  const [newest] = (await certificatesOf(store, used.registration_id)).filter(({ state }) => state !== 'revoked')
  return {
    registration,
    spkiSha256: used.spki_sha256,
    certificate: newest === undefined ? 'none' : certificateOf(newest),
  }
}

function certificateOf({
  serial,
  state,
  pem,
  thumbprint,
  not_after,
  recorded_at,
}: CertificateRow): 'intended' | IssuedCertificate {
  if (state === 'intended' || pem === null || thumbprint === null) return 'intended'
  return { serial, chain: pem, thumbprint, notBefore: recorded_at, notAfter: not_after }
}

export function updatePorts({ store, clock }: EcsContext): UpdatePorts {
  return {
    now: clock.now,
    async replaceRegistration(registration, content) {
      const now = clock.now()
      const { registrationId, eesId, fqdn, state } = registration
      const end = await newestEnd(store, registrationId)
      const version = registration.version + 1
      const expiresAt = Math.min(content.askedUntil ?? end, end)
      const next: Registration = { ...content, registrationId, eesId, fqdn, state, version, expiresAt }
      await commit(store, now, [updateRegistration(next, now)], { event: 'updated', registrationId, version })
      return next
    },
  }
}

export function returnPorts({ store, clock }: EcsContext): ReturnPorts {
  return {
    now: clock.now,
    async reviveRegistration(registration, content) {
      const now = clock.now()
      const { registrationId, eesId, fqdn } = registration
      const end = await newestEnd(store, registrationId)
      const version = registration.version + 1
      const expiresAt = Math.min(content.askedUntil ?? end, end)
      const next: Registration = { ...content, registrationId, eesId, fqdn, state: 'live', version, expiresAt }
      const event = { event: 'registered', eesId, fqdn, registrationId } as const
      await commit(store, now, [reviveRegistration(next, now)], event)
      return next
    },
  }
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
        await commit(store, now, unit, event)
        return true
      } catch (error) {
        const current = await findRegistration(store, registrationId)
        if (current?.state === 'live') throw error
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
