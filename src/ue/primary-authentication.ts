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
import { EapAkaPrimePeer, type PeerReply } from './me/eap-aka-prime.ts'
import { answerChallenge, type ChallengeAnswer } from './me/five-g-aka.ts'
import {
  type AnchorKey,
  type AuthenticationContext,
  authenticationRequest,
  confirmationRequest,
  type EapSessionAnswer,
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

/** What both sides have after a success: KAUSF of the UE, and KSEAF and SUPI of the home network. */
interface Agreed {
  readonly kausf: Kausf
  readonly anchorKey: AnchorKey
}

/** Challenges, resynchronisations and notifications of one EAP session. */
const MOST_EAP_ROUNDS = 6

const arrow = (clause: string, from: string, to: string) => ({ clause, from, to })

/**
 * Primary authentication and what follows from it on the device: TR 33.839 6.x.2.1, steps 0 and 1. Between UE and SEAF
 * there is no NAS here; one process plays both.
 *
 * @throws AuthenticationFailed, PeerUnavailable, RefusedByServer, AnswerNotAccepted; the keys of the authentication
 * before
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
    const agreed = context.authType === '5G_AKA' ? await this.#fiveGAka(context) : await this.#eapAkaPrime(context)
    this.#requireSameAnchorKey(agreed)
    return { authType: context.authType, kausf: agreed.kausf }
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
    const answer = await this.#answer(first)
    if (answer.outcome === 'response') return this.#confirm(first, answer)
    const second = await this.#initiate({ rand: first.challenge.rand, auts: answer.auts })
    if (second.authType !== '5G_AKA') throw new AuthenticationFailed('method-not-supported')
    const secondAnswer = await this.#answer(second)
    if (secondAnswer.outcome === 'response') return this.#confirm(second, secondAnswer)
    await this.#reportFailure(second)
    throw new AuthenticationFailed('synchronisation-failure')
  }

  /** Steps 6 to 8: the SEAF sends RAND and AUTN; USIM and ME check them and answer. */
  #answer(context: FiveGAka): Promise<Exclude<ChallengeAnswer, { outcome: 'failure' }>> {
    const told = ({ outcome }: ChallengeAnswer) => (outcome === 'response' ? 'AUTN accepted, RES*' : 'SQN is not fresh')
    return this.#progress.step(arrow('TS 33.501 6.1.3.2 step 7', 'UE', 'SEAF'), told, async () => {
      const answer = await answerChallenge(this.#ue.usim, context.challenge, this.#network.name)
      if (answer.outcome !== 'failure') return answer
      await this.#reportFailure(context)
      throw new AuthenticationFailed(answer.reason)
    })
  }

  #confirm(
    context: FiveGAka,
    { resStar, kausf }: { readonly resStar: Buffer; readonly kausf: Kausf },
  ): Promise<Agreed> {
    return this.#progress.step(arrow('TS 33.501 6.1.3.2 step 10', 'SEAF', 'AUSF'), 'RES*, then KSEAF', async () => {
      // Step 9: the SEAF computes HRES* and compares it with HXRES*.
      const expected = sameOctets(deriveHresStar(context.challenge.rand, resStar), context.hxresStar)
      if (!expected) throw new AuthenticationFailed('hres-mismatch')

      // Steps 10 to 12: the AUSF verifies RES*, and gives KSEAF and SUPI.
      const response = await this.#network.ausf.request(confirmationRequest(context, resStar))
      const anchorKey = processConfirmationResponse(response)
      if (anchorKey === undefined) throw new AuthenticationFailed('rejected')
      return { kausf, anchorKey }
    })
  }

  /**
   * TS 33.501 6.1.3.2 step 9: without RES*, the SEAF indicates the failure. That it may not arrive changes nothing
   * here.
   */
  async #reportFailure(context: FiveGAka): Promise<void> {
    await this.#network.ausf.request(confirmationRequest(context, null)).catch(() => undefined)
  }

  /** TS 33.501 6.1.3.1; a resynchronisation stays within the EAP session. */
  async #eapAkaPrime(first: EapAkaPrime): Promise<Agreed> {
    const peer = new EapAkaPrimePeer(this.#ue.usim, this.#ue.settings.supi, this.#network.name)
    let next: EapSessionAnswer = first
    for (let round = 1; round <= MOST_EAP_ROUNDS; round++) {
      const { packet, session, anchorKey } = next
      const reply = await this.#deliver(peer, packet)
      if ('kausf' in reply) {
        if (anchorKey === undefined) throw new AuthenticationFailed('anchor-key-mismatch')
        return { kausf: reply.kausf, anchorKey }
      }
      if (session === undefined) break
      next = await this.#forward(session, reply.response)
    }
    throw new AuthenticationFailed('method-not-supported')
  }

  /** Steps 4 to 6. */
  #deliver(peer: EapAkaPrimePeer, packet: Buffer): Promise<PeerReply> {
    const told = (reply: PeerReply) => ('kausf' in reply ? 'EAP-Success' : 'EAP request, and the response of the UE')
    return this.#progress.step(arrow('TS 33.501 6.1.3.1 step 5', 'SEAF', 'UE'), told, () => peer.receive(packet))
  }

  /** Steps 7 to 10. */
  #forward(session: string, packet: Buffer): Promise<EapSessionAnswer> {
    return this.#progress.step(arrow('TS 33.501 6.1.3.1 step 7', 'SEAF', 'AUSF'), 'EAP response', async () =>
      processEapSessionResponse(await this.#network.ausf.request(eapSessionRequest(session, packet))),
    )
  }

  /**
   * In a network, the NAS Security Mode Command tells the UE that both sides have KAMF, and only then KAUSF of 5G AKA
   * is taken into use (TS 33.501 6.2.2.2). Here the KAMF of both sides are compared.
   */
  #requireSameAnchorKey({ kausf, anchorKey }: Agreed): void {
    const own = deriveKamf(deriveKseaf(kausf, this.#network.name), this.#ue.settings.supi)
    if (!own.equals(deriveKamf(anchorKey.kseaf, anchorKey.supi))) throw new AuthenticationFailed('anchor-key-mismatch')
  }
}
