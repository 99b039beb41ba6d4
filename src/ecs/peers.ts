import type { PresentedRequest } from '../eec-authentication/presented-token.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import type { OnboardingCredential } from '../tokens/onboarding-token.ts'
import type { AuthenticatedEec } from './provisioning/provision-service.ts'
import type { EesPeer } from './registrar/registration.ts'

/** What a client can be at an ECS: each credential has one authenticator, and each route declares one. */
export interface EcsPeers {
  /** nobody in particular; the routes that take it are listed in the tests */
  public: undefined
  /** an EES on its way in: its onboarding token was verified, and not yet used */
  onboardingToken: Onboarder
  /** a registered EES, by its certificate */
  certificate: EesPeer
  /** an EES whose certificate is good, and whose registration may have expired, that the policy lets come back */
  returning: EesPeer
  /** a registered EES that the policy, its token or both let call this operation (D-10) */
  authorized: EesPeer
  /** an EEC, by a pre-shared key of its network (P5) */
  psk: AuthenticatedEec
  /** an EEC, by a token of its entitlement configuration server (P2) */
  entitlement: AuthenticatedEec
  /** an EEC, by a certificate of an authority for EECs */
  eecCertificate: AuthenticatedEec
  /** an EEC that asks for a token: its entitlement is the grant in the content (RFC 7523 2.1) */
  grant: PresentedRequest
  /** another ECS that the operator trusts, by its certificate (EDGE-10) */
  ecs: EcsPeer
  /** an operator, by a certificate of the operator authority */
  operator: Operator
}

export interface Onboarder {
  readonly credential: OnboardingCredential
  /** as it was sent: a proof of possession speaks of it */
  readonly onboardingToken: string
}

export interface EcsPeer {
  readonly fqdn: Fqdn
  /** `x5t#S256` of its certificate */
  readonly thumbprint: string
}

export interface Operator {
  readonly name: string
}
