import type { Fqdn } from '../../spec/identifiers.ts'
import { parseEesId, parseFqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { OnboardingGrant } from '../../tokens/onboarding-token.ts'

/** What the operator says of the EES that may come. */
export interface Invitation {
  readonly eesId: string
  readonly fqdn: string
  /** seconds; the configured lifetime unless stated */
  readonly ttl?: number
  readonly provId?: string
  /** hosts and addresses other than the FQDN that its end point may have */
  readonly endPoints?: readonly string[]
  /** base64url of the SHA-256 of the only public key that may be used, if it is known already */
  readonly spkiSha256?: string
}

/** D-1: what the operator hands to the vendor of the EES, out of band. */
export interface Bundle {
  readonly ecs: { readonly apiRoot: string; readonly fqdn: string }
  /** PEM */
  readonly root: string
  /** SHA-256 of the root certificate's DER, hexadecimal */
  readonly rootFingerprint: string
  readonly eesId: string
  readonly fqdn: string
  readonly onboardingToken: string
  /** RFC 3339 */
  readonly expires: string
}

export interface InvitationPorts {
  now(): number
  /** whom this ECS is, and whom to trust for it */
  readonly ecs: Bundle['ecs'] & { readonly fqdn: Fqdn }
  root(): Pick<Bundle, 'root' | 'rootFingerprint'>
  /** milliseconds; tokens for this EES issued until then are void */
  barredUntil(eesId: string): Promise<number>
  signOnboardingToken(
    grant: Omit<OnboardingGrant, 'iss' | 'aud'>,
    times: { readonly now: number; readonly lifetime: number | undefined },
  ): Promise<{ onboardingToken: string; jti: string; expires: number }>
  recordInvitation(invitation: { eesId: string; fqdn: string; jti: string; expires: string }): Promise<void>
}

/** The onboarding credential of TR 33.839 6.Y.2 step 1: made here, carried by people. */
export async function inviteEes(ecs: InvitationPorts, invitation: Invitation): Promise<Bundle> {
  const eesId = parseEesId(invitation.eesId)
  const fqdn = parseFqdn(invitation.fqdn)
  refuseUnless(
    eesId !== undefined,
    'MANDATORY_IE_INCORRECT',
    'the EES ID has characters that an identifier cannot have',
  )
  refuseUnless(fqdn !== undefined, 'MANDATORY_IE_INCORRECT', 'the FQDN is not a fully qualified host name')
  const { ttl, provId, endPoints, spkiSha256 } = invitation
  const grant = {
    eesId,
    fqdn,
    ...(provId !== undefined && { provId }),
    ...(endPoints !== undefined && endPoints.length > 0 && { endPoints }),
    ...(spkiSha256 !== undefined && { spkiSha256 }),
  }
  // After a revocation the token must be younger than the bar, and a token's time has whole seconds.
  const earliest = Math.floor((await ecs.barredUntil(eesId)) / 1000 + 1) * 1000
  const now = Math.max(ecs.now(), earliest)
  const signed = await ecs.signOnboardingToken(grant, { now, lifetime: ttl })
  const expires = new Date(signed.expires).toISOString()
  await ecs.recordInvitation({ eesId, fqdn, jti: signed.jti, expires })
  return { ecs: ecs.ecs, ...ecs.root(), eesId, fqdn, onboardingToken: signed.onboardingToken, expires }
}
