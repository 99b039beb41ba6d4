/** The credential or an address is not one that this EEC can start from. Nothing was sent. */
export class NotUsable extends Error {
  override readonly name = 'NotUsable'
}

/** The steps of the EEC in TR 33.839 6.x.2.1, and what follows them. */
const STEPS = {
  3: 'TR 33.839 6.x.2.1 step 3 (key from the UE)',
  4: 'TR 33.839 6.x.2.1 step 4 (authentication request to the ECS)',
  7: 'TR 33.839 6.x.2.1 step 7 (TLS with the pre-shared key)',
} as const

/**
 * Authentication has ended at this step, and with it everything that should have followed: there is no other method that
 * is tried in its place (THREATS NG-03). `cause` says why.
 */
export class AuthenticationStepFailed extends Error {
  override readonly name = 'AuthenticationStepFailed'
  readonly step: keyof typeof STEPS

  constructor(step: keyof typeof STEPS, cause: unknown) {
    super(`${STEPS[step]}: ${cause instanceof Error ? cause.message : 'failed for an unknown reason'}`, { cause })
    this.step = step
  }
}
