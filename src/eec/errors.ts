import { Refusal } from '../spec/refusal.ts'

/** The credential or an address is not one that this EEC can start from. Nothing was sent. */
export class NotUsable extends Error {
  override readonly name = 'NotUsable'
}

/** Where authentication can end. */
const STEPS = {
  negotiation: 'TS 33.558 6.2 (method of authentication)',
  3: 'TR 33.839 6.x.2.1 step 3 (key from the UE)',
  4: 'TR 33.839 6.x.2.1 step 4 (authentication request to the ECS)',
  7: 'TR 33.839 6.x.2.1 step 7 (TLS with the pre-shared key)',
  KAF: 'TS 33.535 6.2.1 step 1 (key from the UE)',
  'A-KID': 'TS 33.535 6.2.1 step 1 (authentication request to the ECS)',
  'TLS with KAF': 'TS 33.535 Annex B (TLS with the pre-shared key)',
  certificate: 'TS 33.558 6.2 (TLS with the certificates of both)',
  'entitlement token': 'TR 33.739 6.25.2 step 1 (token from the entitlement configuration server)',
  'token for the EES': 'TS 33.558 6.2 (token for the EES)',
  EES: 'TS 33.558 6.3 (TLS with the certificate of the EES)',
  'entitlement presentation': 'TR 33.739 6.25.2 step 2 (TLS with the certificate of the ECS)',
} as const

export type StepName = keyof typeof STEPS

/**
 * Authentication has ended at this step, and with it everything that should have followed: there is no other method that
 * is tried in its place (THREATS NG-03). `cause` says why.
 */
export class AuthenticationStepFailed extends Error {
  override readonly name = 'AuthenticationStepFailed'
  readonly step: StepName

  constructor(step: StepName, cause: unknown) {
    super(`${STEPS[step]}: ${reasonOf(cause)}`, { cause })
    this.step = step
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Refusal) return cause.detail
  return cause instanceof Error ? cause.message : 'failed for an unknown reason'
}
