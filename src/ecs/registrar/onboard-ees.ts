import type { EESRegistration } from '../../spec/messages/ees-registration.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { OnboardingCredential } from '../../tokens/onboarding-token.ts'
import {
  type CertificationPorts,
  type Intent,
  type IssuedCertificate,
  type IssuedToken,
  type ProvenKey,
  renewalTime,
  signIntended,
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
  /** for a token that goes with a certificate that is on record already */
  recordToken(token: IssuedToken): Promise<void>
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
  const { registration: assigned, intent, signed } = await registerOnce(ecs, onboarding)

  // generates its certificate for that identity and public key,
  const certificate = signed ?? (await signIntended(ecs, intent))

  // and may generate a token for subsequent requests. Both are on record before anybody sees them.
  const accessToken = await ecs.issueAccessToken?.(assigned, certificate)
  if (signed === undefined) await ecs.recordIssued(certificate, assigned, accessToken)
  else if (accessToken !== undefined) await ecs.recordToken(accessToken)

  // Step 5: the response carries the registration ID, the certificate and the token.
  return {
    registration: assigned,
    eesCertificate: certificate.chain,
    renewAfter: renewalTime(certificate),
    ...(accessToken && { accessToken }),
  }
}

/** Either its certificate is still to be signed, or it was signed for the same onboarding before. */
type Assigned = { readonly registration: Registration } & (
  | { readonly intent: Intent; readonly signed?: never }
  | { readonly intent?: never; readonly signed: IssuedCertificate }
)

/** The token's first use registers the EES; at its second, what the first has stored is found, however close they come. */
async function registerOnce(ecs: OnboardingPorts, onboarding: Onboarding): Promise<Assigned> {
  try {
    return await ecs.register(onboarding)
  } catch (error) {
    const earlier = await ecs.findOnboarded(onboarding.credential.jti)
    if (earlier === undefined) throw error
    return sameOnboarding(ecs, earlier, onboarding.key)
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
  return { registration, signed: certificate }
}
