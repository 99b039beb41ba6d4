import { type AuthenticationVector as AkaVector, concealedSqn } from '../../keys/aka.ts'
import { deriveCkIkPrime } from '../../keys/eap-aka-prime.ts'
import { deriveKausf, deriveResStar } from '../../keys/five-g-aka.ts'
import { hexOf } from '../../keys/key.ts'
import type { AuthenticationVector } from '../../spec/messages/authentication-vectors.ts'
import type { EdgeAuthenticationInfoResult } from '../../spec/messages/kedge-request.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { ServingNetworkName } from '../../spec/subscriber-identifiers.ts'
import { nextVectors, type Resynchronisation, type VectorPorts } from './next-vectors.ts'
import { revealSubscriber, type SidfPorts } from './reveal-subscriber.ts'

export interface AuthDataRequest {
  readonly supiOrSuci: string
  readonly servingNetworkName: ServingNetworkName
  readonly resynchronisation?: Resynchronisation
}

export type AuthDataPorts = SidfPorts & VectorPorts

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

  // 6.1.3.1 step 1, 6.1.3.2 step 1, 6.1.3.3.2: a fresh vector, and what the home network makes of it for the serving
  // network.
  const { subscriber, vectors } = await nextVectors(udm, supi, { count: 1, resynchronisation })
  const { authMethod, edge, akma, eecIds, routingIndicator } = subscriber
  const [vector] = vectors
  refuseUnless(vector !== undefined, 'SYSTEM_FAILURE', 'there is no vector')
  const make = authMethod === '5G_AKA' ? fiveGHeAv : akaPrimeAv
  return {
    authType: authMethod,
    authenticationVector: make(vector, servingNetworkName),
    supi,
    akmaInd: akma,
    edgeInd: edge,
    ...(eecIds && { eecIds: [...eecIds] }),
    routingId: routingIndicator,
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
    kausf: hexOf(kausf),
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
    ckPrime: hexOf(ckPrime),
    ikPrime: hexOf(ikPrime),
  }
}
