import type { EESRegistration } from '../../spec/messages/ees-registration.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { OnboardingCredential } from '../../tokens/onboarding-token.ts'
import {
  type CertificationPorts,
  certify,
  type Intent,
  type IssuedCertificate,
  type ProvenKey,
  renewalTime,
} from '../certificate-authority/certify.ts'
import { checkProfile } from './check-profile.ts'
import type { Registration } from './registration.ts'

export interface Onboarding {
  /** the validated onboarding token: the route took it as its credential before it read the message */
  readonly credential: OnboardingCredential
  readonly registration: EESRegistration
  readonly key: ProvenKey
}

export interface Onboarded {
  readonly registration: Registration
  /** PEM: the EES's certificate, then its issuer */
  readonly eesCertificate: string
  /** milliseconds since 1970 */
  readonly renewAfter: number
  readonly accessToken?: IssuedToken
}

export interface IssuedToken {
  readonly accessToken: string
  /** seconds */
  readonly expiresIn: number
  readonly scope: string
}

/** A registration that an onboarding token has brought about. */
export interface EarlierOnboarding {
  readonly registration: Registration
  readonly spkiSha256: string
  /** what was done about the newest certificate: intended means that another request is about to sign it */
  readonly certificate: 'none' | 'intended' | IssuedCertificate
}

export interface OnboardingPorts extends CertificationPorts {
  now(): number
  /** the registration that this token was used for, if it was */
  findOnboarded(jti: string): Promise<EarlierOnboarding | undefined>
  /**
   * One commit: consumes the token, creates the registration, reserves the key, and records the intent to sign.
   *
   * @throws Refusal ONBOARDING_TOKEN_USED, EES_ALREADY_REGISTERED, PUBLIC_KEY_IN_USE: then nothing was stored
   */
  register(onboarding: Onboarding): Promise<{ registration: Registration; intent: Intent }>
  issueAccessToken?(registration: Registration, certificate: IssuedCertificate): Promise<IssuedToken | undefined>
}

/**
 * EES onboarding at the ECS: TR 33.839 6.Y.2, figure 6.Y.2-1, steps 3 to 5,
 * carried by the first Eecs_EESRegistration (TS 29.558 8.1).
 *
 * Steps 1 and 2 are behind us: the EES holds its onboarding credential and the TLS connection is up.
 */
export async function onboardEes(ecs: OnboardingPorts, onboarding: Onboarding): Promise<Onboarded> {
  // Step 3: the EES sends its credential, its profile and its public key.
  const { credential, registration, key } = onboarding

  // Step 4: the ECS validates that the credential entitles this EES, with this key, to this profile,
  refuseUnless(
    registration.eesProf.eesId === credential.eesId,
    'EES_NOT_ENTITLED',
    'the onboarding token names another EES',
  )
  refuseUnless(
    credential.spkiSha256 === undefined || credential.spkiSha256 === key.spkiSha256,
    'EES_NOT_ENTITLED',
    'the onboarding token is bound to another key',
  )
  checkProfile(registration, credential, ecs.now())

  // assigns the EES its registration, recorded before anything is signed; an answer that was lost is given again,
  const { registration: assigned, ...rest } = await registerOnce(ecs, onboarding)

  // generates its certificate for that identity and public key,
  const certificate = rest.certificate ?? (await certify(ecs, rest.intent, assigned))

  // and may generate a token for subsequent requests.
  const accessToken = await ecs.issueAccessToken?.(assigned, certificate)

  // Step 5: the response carries the registration ID, the certificate and the token.
  return {
    registration: assigned,
    eesCertificate: certificate.chain,
    renewAfter: renewalTime(certificate),
    ...(accessToken && { accessToken }),
  }
}

type Assigned = { registration: Registration } & (
  | { certificate: IssuedCertificate; intent?: never }
  | { certificate?: never; intent: Intent }
)

/** Of two requests with one token that run at once, the second finds what the first has stored. */
async function registerOnce(ecs: OnboardingPorts, onboarding: Onboarding): Promise<Assigned> {
  const { credential, key } = onboarding
  const earlier = await ecs.findOnboarded(credential.jti)
  if (earlier !== undefined) return sameOnboarding(ecs, earlier, key)
  try {
    return await ecs.register(onboarding)
  } catch (error) {
    const meanwhile = await ecs.findOnboarded(credential.jti)
    if (meanwhile === undefined) throw error
    return sameOnboarding(ecs, meanwhile, key)
  }
}

/** The retry of an EES that never saw its answer gets the same registration and the same certificate (THREATS ON-05). */
async function sameOnboarding(ecs: OnboardingPorts, earlier: EarlierOnboarding, key: ProvenKey): Promise<Assigned> {
  const { registration, certificate } = earlier
  const same = earlier.spkiSha256 === key.spkiSha256 && registration.state === 'live'
  refuseUnless(same, 'ONBOARDING_TOKEN_USED', 'the onboarding token was used before')
  if (certificate === 'intended') throw new Refusal('NF_CONGESTION', 'the same onboarding is under way: ask again')
  // The ECS stopped between the registration and the signature: what was intended then is revoked, so intend anew.
  if (certificate === 'none') return { registration, intent: await ecs.intend(registration, key) }
  return { registration, certificate }
}
