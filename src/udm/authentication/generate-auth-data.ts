import {
  type AuthenticationVector as AkaVector,
  authenticationVector,
  concealedSqn,
  verifyAuts,
} from '../../keys/aka.ts'
import { deriveCkIkPrime } from '../../keys/eap-aka-prime.ts'
import { deriveKausf, deriveResStar } from '../../keys/five-g-aka.ts'
import { withOctets } from '../../keys/key.ts'
import { nextSqn, resynchronise } from '../../keys/sqn.ts'
import type { Random } from '../../ports/random.ts'
import type { AuthenticationVector } from '../../spec/messages/authentication-vectors.ts'
import type { EdgeAuthenticationInfoResult } from '../../spec/messages/kedge-request.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { ServingNetworkName, Supi } from '../../spec/subscriber-identifiers.ts'
import type { Subscriber } from '../subscriber.ts'
import { revealSubscriber, type SidfPorts } from './reveal-subscriber.ts'

export interface AuthDataRequest {
  readonly supiOrSuci: string
  readonly servingNetworkName: ServingNetworkName
  readonly resynchronisation?: { readonly rand: Buffer; readonly auts: Buffer }
}

export interface AuthDataPorts extends SidfPorts {
  readonly random: Pick<Random, 'octets'>
  findSubscriber(supi: Supi): Promise<Subscriber | undefined>
  /** Stores SQN_HE, if it is still what it was; resolves when it is on disk. */
  storeSqn(supi: Supi, was: number, becomes: number): Promise<void>
  /** Runs one after the other what is for one subscriber. @throws Refusal NF_CONGESTION if too much waits */
  inTurn<Result>(supi: Supi, work: () => Promise<Result>): Promise<Result>
}

/**
 * Nudm_UEAuthentication_Get: TS 33.501 6.1.2, 6.1.3.1 step 1, 6.1.3.2 steps 1 and 2, 6.1.3.3.2.
 *
 * @throws Refusal USER_NOT_FOUND, AUTHENTICATION_REJECTED, those of `revealSubscriber`
 */
export async function generateAuthData(
  udm: AuthDataPorts,
  { supiOrSuci, servingNetworkName, resynchronisation }: AuthDataRequest,
): Promise<EdgeAuthenticationInfoResult> {
  // 6.1.2: the SIDF reveals the SUPI; by it the UDM chooses the method.
  const supi = revealSubscriber(udm, supiOrSuci)
  const subscriber = await udm.inTurn(supi, async () => {
    const found = await udm.findSubscriber(supi)
    refuseUnless(found !== undefined, 'USER_NOT_FOUND', 'there is no such subscriber')

    // 6.1.3.3.2: after a synchronisation failure the USIM says how far its SQN is.
    const sqnHe = resynchronisation === undefined ? found.sqnHe : resynchronised(found, resynchronisation)

    // An SQN is on disk before it is used, so none is ever used twice (TS 33.102 C.1.2).
    const sqn = next(sqnHe)
    await udm.storeSqn(supi, found.sqnHe, sqn)
    return { ...found, sqnHe: sqn }
  })

  // 6.1.3.1 step 1, 6.1.3.2 step 1: the vector, and what the home network makes of it for the serving network.
  const { keys, sqnHe: sqn, amf, authMethod, edge, akma, routingIndicator } = subscriber
  const vector = authenticationVector(keys, { rand: udm.random.octets(16), sqn, amf })
  const make = authMethod === '5G_AKA' ? fiveGHeAv : akaPrimeAv
  return {
    authType: authMethod,
    authenticationVector: make(vector, servingNetworkName),
    supi,
    akmaInd: akma,
    edgeInd: edge,
    routingId: routingIndicator,
  }
}

function resynchronised({ keys, sqnHe }: Subscriber, { rand, auts }: { rand: Buffer; auts: Buffer }): number {
  const sqnMs = verifyAuts(keys, rand, auts)
  refuseUnless(sqnMs !== undefined, 'AUTHENTICATION_REJECTED', 'AUTS is not of this subscriber and challenge')
  return resynchronise(sqnHe, sqnMs)
}

function next(sqnHe: number): number {
  try {
    return nextSqn(sqnHe)
  } catch (cause) {
    throw new Refusal('AUTHENTICATION_REJECTED', 'the subscription is used up', { cause })
  }
}

/** 5G HE AV: TS 33.501 6.1.3.2 step 1. */
function fiveGHeAv({ rand, autn, xres, ck, ik }: AkaVector, name: ServingNetworkName): AuthenticationVector {
  const kausf = deriveKausf(ck, ik, name, concealedSqn(autn))
  return {
    avType: '5G_HE_AKA',
    rand: rand.toString('hex'),
    autn: autn.toString('hex'),
    xresStar: deriveResStar(ck, ik, name, rand, xres).toString('hex'),
    kausf: withOctets(kausf, (octets) => octets.toString('hex')),
  }
}

/** Transformed AV': TS 33.501 6.1.3.1 step 1. */
function akaPrimeAv({ rand, autn, xres, ck, ik }: AkaVector, name: ServingNetworkName): AuthenticationVector {
  const { ckPrime, ikPrime } = deriveCkIkPrime(ck, ik, name, concealedSqn(autn))
  return {
    avType: 'EAP_AKA_PRIME',
    rand: rand.toString('hex'),
    autn: autn.toString('hex'),
    xres: xres.toString('hex'),
    ckPrime: withOctets(ckPrime, (octets) => octets.toString('hex')),
    ikPrime: withOctets(ikPrime, (octets) => octets.toString('hex')),
  }
}
