import type { Message, Response } from '../http/client.ts'
import { deriveHresStar, deriveKamf, deriveKseaf } from '../keys/five-g-aka.ts'
import type { Kausf } from '../keys/key.ts'
import { sameOctets } from '../octets/digest.ts'
import type { Clock } from '../ports/clock.ts'
import type { Progress } from '../ports/progress.ts'
import type { Random } from '../ports/random.ts'
import type { KedgeId } from '../spec/kedge-id.ts'
import type { ServingNetworkName, Suci } from '../spec/subscriber-identifiers.ts'
import { deriveEdgeKeys, type EdgeKeys, type EdgeProfile } from './edge-keys.ts'
import { AuthenticationFailed } from './errors.ts'
import { concealIdentity } from './me/conceal-identity.ts'
import { EapAkaPrimePeer } from './me/eap-aka-prime.ts'
import { answerChallenge, type ChallengeAnswer } from './me/five-g-aka.ts'
import {
  type AnchorKey,
  type AuthenticationContext,
  authenticationRequest,
  confirmationRequest,
  eapSessionRequest,
  processAuthenticationResponse,
  processConfirmationResponse,
  processEapSessionResponse,
} from './serving-network/ue-authentication.ts'
import type { Usim } from './usim/authenticate.ts'
import type { UsimSettings } from './usim/subscription.ts'

type AuthType = AuthenticationContext['authType']
type FiveGAka = Extract<AuthenticationContext, { authType: '5G_AKA' }>
type EapAkaPrime = Extract<AuthenticationContext, { authType: 'EAP_AKA_PRIME' }>

export interface EstablishedKeys extends EdgeKeys {
  readonly authType: AuthType
  /** milliseconds since 1970 */
  readonly establishedAt: number
}

export interface AuthenticatingUe {
  readonly settings: UsimSettings
  readonly usim: Usim
  readonly profile: EdgeProfile
  /** takes the place of the keys of the authentication before, in one step */
  replaceKeys(keys: EstablishedKeys): Promise<void>
}

/** The network that the UE is in: the SEAF's way to the AUSF, by mutual TLS with the serving network's certificate. */
export interface ServingNetwork {
  readonly name: ServingNetworkName
  readonly ausf: { request(message: Message): Promise<Response> }
}

export interface AuthenticationPorts {
  readonly random: Pick<Random, 'octets'>
  readonly clock: Pick<Clock, 'now'>
  readonly progress: Progress
}

/** What may be shown to everybody. */
export interface Authenticated {
  readonly authType: AuthType
  readonly kedgeId: KedgeId
}

/** Challenges, resynchronisations and notifications of one EAP session. */
const MOST_EAP_ROUNDS = 6

const arrow = (clause: string, from: string, to: string) => ({ clause, from, to })

/**
 * Primary authentication and what follows from it on the device: TR 33.839 6.x.2.1, steps 0 and 1. Between UE and SEAF
 * there is no NAS here; one process plays both.
 *
 * @throws AuthenticationFailed, PeerUnavailable, RefusedByServer, AnswerNotAccepted; the keys of the authentication before
 *   are then still in use
 */
export async function performPrimaryAuthentication(
  ue: AuthenticatingUe,
  network: ServingNetwork,
  { random, clock, progress }: AuthenticationPorts,
): Promise<Authenticated> {
  // Step 0: the UE performs primary authentication (TS 33.501 6.1); KAUSF is shared by UE and AUSF.
  const run = new Run(ue, network, progress, concealIdentity(ue.settings, random))
  const { authType, kausf } = await run.authenticate()

  // Step 1: the UE derives Kedge and Kedge ID from KAUSF and SUPI, and stores them.
  return progress.step(arrow('TR 33.839 6.x.2.1 step 1', 'UE', 'UE'), derived, async () => {
    const keys = deriveEdgeKeys(kausf, ue.settings, ue.profile)
    await ue.replaceKeys({ ...keys, authType, establishedAt: clock.now() })
    return { authType, kedgeId: keys.kedgeId }
  })
}

const derived = ({ kedgeId }: Authenticated) => `Kedge, and Kedge ID ${kedgeId}`

/** One run, with everything that its steps share. */
class Run {
  readonly #ue: AuthenticatingUe
  readonly #network: ServingNetwork
  readonly #progress: Progress
  readonly #suci: Suci

  constructor(ue: AuthenticatingUe, network: ServingNetwork, progress: Progress, suci: Suci) {
    this.#ue = ue
    this.#network = network
    this.#progress = progress
    this.#suci = suci
  }

  async authenticate(): Promise<{ authType: AuthType; kausf: Kausf }> {
    const context = await this.#initiate()
    const { kausf, anchorKey } =
      context.authType === '5G_AKA' ? await this.#fiveGAka(context) : await this.#eapAkaPrime(context)
    this.#requireSameAnchorKey(kausf, anchorKey)
    return { authType: context.authType, kausf }
  }

  /** TS 33.501 6.1.2 */
  #initiate(resynchronisation?: { readonly rand: Buffer; readonly auts: Buffer }): Promise<AuthenticationContext> {
    const message = resynchronisation ? 'AUTS: the sequence number is stale' : 'SUCI, serving network name'
    return this.#progress.step(arrow('TS 33.501 6.1.2', 'UE', 'AUSF'), message, async () => {
      const request = authenticationRequest(this.#suci, this.#network.name, resynchronisation)
      return processAuthenticationResponse(await this.#network.ausf.request(request))
    })
  }

  /** TS 33.501 6.1.3.2, and 6.1.3.3.2 once if SQN is not fresh. */
  async #fiveGAka(first: FiveGAka) {
    let context = first
    // Steps 6 to 8: the SEAF sends RAND and AUTN; USIM and ME check them and answer.
    let answer = await this.#answer(context)
    if (answer.outcome === 'synchronisation-failure') {
      const again = await this.#initiate({ rand: context.challenge.rand, auts: answer.auts })
      if (again.authType !== '5G_AKA') throw new AuthenticationFailed('method-not-supported')
      context = again
      answer = await this.#answer(context)
    }
    if (answer.outcome !== 'response') {
      await this.#reportFailure(context)
      throw new AuthenticationFailed(answer.outcome === 'failure' ? answer.reason : answer.outcome)
    }
    return { kausf: answer.kausf, anchorKey: await this.#confirm(context, answer.resStar) }
  }

  #answer({ challenge }: FiveGAka): Promise<ChallengeAnswer> {
    const told = ({ outcome }: ChallengeAnswer) => (outcome === 'response' ? 'AUTN accepted, RES*' : outcome)
    return this.#progress.step(arrow('TS 33.501 6.1.3.2 step 7', 'UE', 'SEAF'), told, () =>
      answerChallenge(this.#ue.usim, challenge, this.#network.name),
    )
  }

  #confirm(context: FiveGAka, resStar: Buffer): Promise<AnchorKey> {
    return this.#progress.step(arrow('TS 33.501 6.1.3.2 step 10', 'SEAF', 'AUSF'), 'RES*, then KSEAF', async () => {
      // Step 9: the SEAF computes HRES* and compares it with HXRES*.
      const expected = sameOctets(deriveHresStar(context.challenge.rand, resStar), context.hxresStar)
      if (!expected) throw new AuthenticationFailed('hres-mismatch')

      // Steps 10 to 12: the AUSF verifies RES*, and gives KSEAF and SUPI.
      const response = await this.#network.ausf.request(confirmationRequest(context, resStar))
      const anchorKey = processConfirmationResponse(response)
      if (anchorKey === undefined) throw new AuthenticationFailed('rejected')
      return anchorKey
    })
  }

  /** TS 33.501 6.1.3.2 step 9: without RES*, the SEAF indicates the failure. That it may not arrive changes nothing here. */
  async #reportFailure(context: FiveGAka): Promise<void> {
    await this.#network.ausf.request(confirmationRequest(context, null)).catch(() => undefined)
  }

  /** TS 33.501 6.1.3.1; a resynchronisation stays within the EAP session. */
  async #eapAkaPrime(first: EapAkaPrime) {
    const peer = new EapAkaPrimePeer(this.#ue.usim, this.#ue.settings.supi, this.#network.name)
    let next: { packet: Buffer; session?: string; anchorKey?: AnchorKey } = first
    for (let round = 1; round <= MOST_EAP_ROUNDS; round++) {
      const { packet, session, anchorKey } = next
      const reply = await peer.receive(packet)
      if ('kausf' in reply) {
        if (anchorKey === undefined) throw new AuthenticationFailed('anchor-key-mismatch')
        return { kausf: reply.kausf, anchorKey }
      }
      if (session === undefined) break
      const { response } = reply
      next = await this.#progress.step(arrow('TS 33.501 6.1.3.1 step 7', 'UE', 'AUSF'), "EAP-AKA' response", async () =>
        processEapSessionResponse(await this.#network.ausf.request(eapSessionRequest(session, response))),
      )
    }
    throw new AuthenticationFailed('method-not-supported')
  }

  /**
   * In a network, the NAS Security Mode Command tells the UE that both sides have KAMF, and only then KAUSF of 5G AKA is
   * taken into use (TS 33.501 6.2.2.2). Here the KAMF of both sides are compared.
   */
  #requireSameAnchorKey(kausf: Kausf, anchorKey: AnchorKey): void {
    const own = deriveKamf(deriveKseaf(kausf, this.#network.name), this.#ue.settings.supi)
    if (!own.equals(deriveKamf(anchorKey.kseaf, anchorKey.supi))) throw new AuthenticationFailed('anchor-key-mismatch')
  }
}
