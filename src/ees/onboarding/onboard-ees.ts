import { createPrivateKey } from 'node:crypto'
import { acceptIf } from '../../http/response.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import type { EESProfile } from '../../spec/messages/ees-registration.ts'
import type { Connect, Connection } from '../connection.ts'
import { NotUsable } from '../errors.ts'
import type { RegistrationStore, StoredRegistration } from '../registration/record.ts'
import { persist } from '../retry.ts'
import type { OnboardingBundle } from './bundle.ts'
import { type Onboarded, type Onboarding, onboardingRequest, processOnboardingResponse } from './onboarding-exchange.ts'

export interface OnboardingStore extends RegistrationStore {
  /**
   * The key that will be certified, made and kept at the first call, the same at every later one.
   *
   * @returns PKCS #8, PEM
   */
  privateKey(): Promise<string>
  create(registration: StoredRegistration): Promise<void>
}

export interface OnboardingPorts {
  readonly store: OnboardingStore
  readonly connect: Connect
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'fraction'>
  /** @param milliseconds */
  readonly wait: (milliseconds: number) => Promise<void>
}

/** What the EES says of itself, and until when it would like to be registered (RFC 3339). */
export interface Presentation {
  readonly eesProf: EESProfile
  readonly expTime?: string
}

export interface OnboardedEes extends Pick<Onboarded, 'accessToken'> {
  readonly registration: StoredRegistration
}

/**
 * EES onboarding, the side of the EES: TR 33.839 6.Y.2, figure 6.Y.2-1, steps 1 to 3 and 5.
 *
 * Once done it is not done again: a second call finds the registration. A call after one that was cut off uses the same
 * key, which is how the ECS knows that it is still the same onboarding (THREATS ON-05).
 *
 * @throws NotUsable before anything is sent; PeerUnavailable, RefusedByServer; AnswerNotAccepted
 */
export async function onboardEes(
  ees: OnboardingPorts,
  bundle: OnboardingBundle,
  presentation: Presentation,
): Promise<OnboardedEes> {
  const earlier = await ees.store.load()
  if (earlier !== undefined) return { registration: sameEes(earlier, bundle) }

  // Step 1: the EES holds its onboarding information: whom to ask, whom to trust, and its onboarding credential.
  if (bundle.expires <= ees.clock.now()) throw new NotUsable('the onboarding token of this bundle has expired')
  if (presentation.eesProf.eesId !== bundle.eesId) throw new NotUsable('the profile is of another EES than the bundle')
  const privateKey = await ees.store.privateKey()
  const onboarding = { bundle, registration: presentation, signer: signerOf(createPrivateKey(privateKey)) }

  // Steps 2, 3 and 5, again if the answer was lost.
  const patience = { ...ees, attempts: 4, backoff: { first: 500, longest: 8_000 } }
  const onboarded = await persist(() => ask(ees, onboarding), patience)

  const registration = {
    record: onboarded.record,
    root: bundle.root,
    credential: { certificateChain: onboarded.certificateChain, privateKey },
  }
  await ees.store.create(registration)
  return { registration, ...(onboarded.accessToken && { accessToken: onboarded.accessToken }) }
}

async function ask({ connect, clock }: OnboardingPorts, onboarding: Onboarding): Promise<Onboarded> {
  const { ecs, root } = onboarding.bundle
  const connection = connect(ecs.apiRoot, root)
  try {
    // Step 2: the EES establishes a TLS session and authenticates the ECS by its certificate;
    const channelBinding = await channelBindingOf(connection)

    // Step 3: the EES sends its onboarding credential, its profile and its public key.
    const response = await connection.request(await onboardingRequest(onboarding, channelBinding))

    // Step 5: the ECS responds with the registration ID, the certificate and, if it generates one, a token.
    return processOnboardingResponse(response, onboarding, clock.now())
  } finally {
    connection.close()
  }
}

async function channelBindingOf(connection: Connection): Promise<Buffer> {
  const channelBinding = await connection.channelBinding()
  acceptIf(channelBinding, 'the ECS does not speak TLS 1.3, so a proof of possession could be taken elsewhere')
  return channelBinding
}

function sameEes(earlier: StoredRegistration, { ecs, eesId }: OnboardingBundle): StoredRegistration {
  const { record } = earlier
  if (record.eesId === eesId && record.ecs.fqdn === ecs.fqdn) return earlier
  throw new NotUsable(`${record.eesId} is onboarded at ${record.ecs.fqdn} here; this bundle is of another registration`)
}
