import type { OnboardingCredential } from '../tokens/onboarding-token.ts'
import type { EecPeer } from './provisioning/provision-service.ts'
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
  psk: EecPeer
  /** an operator, by a certificate of the operator authority */
  operator: Operator
}

export interface Onboarder {
  readonly credential: OnboardingCredential
  /** as it was sent: a proof of possession speaks of it */
  readonly onboardingToken: string
}

export interface Operator {
  readonly name: string
}
