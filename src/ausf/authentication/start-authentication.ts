import { akaPrimeChallenge, deriveAkaPrimeKeys, kausfOfEmsk } from '../../keys/eap-aka-prime.ts'
import { deriveHresStar } from '../../keys/five-g-aka.ts'
import type { Random } from '../../ports/random.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { AuthenticationInfo } from '../../spec/messages/ue-authentication.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { type ServingNetworkName, withoutTypePrefix } from '../../spec/subscriber-identifiers.ts'
import type { AuthData } from './auth-data.ts'
import type { Contexts, EapContext, FiveGAkaContext, OpenContext } from './context.ts'

export interface AuthDataQuestion {
  readonly supiOrSuci: string
  readonly servingNetworkName: ServingNetworkName
  readonly resynchronisation?: { readonly rand: Buffer; readonly auts: Buffer }
}

export interface StartPorts {
  readonly contexts: Contexts
  readonly random: Pick<Random, 'octets'>
  /** Nudm_UEAuthentication_Get @throws Refusal of the UDM, NF_CONGESTION */
  generateAuthData(question: AuthDataQuestion): Promise<AuthData>
  /** whether this subscription lets the UE use the edge (D-22) */
  mayUseEdge(data: AuthData): boolean
}

/** Who asks, as its certificate and its entry say. */
export interface Seaf {
  readonly fqdn: Fqdn
  readonly servingNetworkNames: readonly string[]
}

export type Started =
  | {
      readonly authCtxId: string
      readonly method: '5G_AKA'
      readonly rand: Buffer
      readonly autn: Buffer
      readonly hxresStar: Buffer
    }
  | { readonly authCtxId: string; readonly method: 'EAP_AKA_PRIME'; readonly eapPacket: Buffer }

/** Kinds of authentication that differ from what is done here. */
const NOT_OFFERED = ['n5gcInd', 'nswoInd', 'disasterRoamingInd', 'onboardingInd', 'aun3Ind'] as const

/**
 * Nausf_UEAuthentication_Authenticate, the request that begins it: TS 33.501 6.1.2, 6.1.3.1 steps 1 to 3, 6.1.3.2 steps
 * 1 to 5. In 5G AKA the same request brings a synchronisation failure (6.1.3.3.2).
 *
 * @throws Refusal SERVING_NETWORK_NOT_AUTHORIZED, AUTHENTICATION_REJECTED, those of the UDM
 */
export async function startAuthentication(ausf: StartPorts, seaf: Seaf, request: AuthenticationInfo): Promise<Started> {
  // 6.1.2: the AUSF checks that the requesting SEAF is entitled to use the serving network name.
  const servingNetworkName = request.servingNetworkName as ServingNetworkName
  const entitled = seaf.servingNetworkNames.includes(servingNetworkName)
  refuseUnless(entitled, 'SERVING_NETWORK_NOT_AUTHORIZED', 'the caller does not speak for this serving network')
  const offered = NOT_OFFERED.every((name) => request[name] !== true)
  refuseUnless(offered, 'AUTHENTICATION_REJECTED', 'this kind of authentication is not offered here')

  const earlier = takeFailed(ausf, seaf, request, servingNetworkName)
  const { supiOrSuci } = request
  const data = await ausf.generateAuthData({
    supiOrSuci,
    servingNetworkName,
    ...(earlier && { resynchronisation: earlier.failure }),
  })
  const same = earlier === undefined || earlier.context.supi === data.supi
  refuseUnless(same, 'AUTHENTICATION_REJECTED', 'the synchronisation failure is of another subscriber')

  const resynchronised = earlier !== undefined
  const context = challenge(data, {
    servingNetworkName,
    seaf: seaf.fqdn,
    edge: ausf.mayUseEdge(data),
    resynchronised,
    identifier: ausf.random.octets(1)[0] ?? 0,
  })
  const authCtxId = ausf.contexts.open(context)
  if (context.method === 'EAP_AKA_PRIME') {
    return { authCtxId, method: 'EAP_AKA_PRIME', eapPacket: challengePacket(context, data.autn) }
  }
  // 6.1.3.2 steps 3 to 5: HXRES* goes out; XRES* and KAUSF stay.
  const { rand, xresStar } = context
  return { authCtxId, method: '5G_AKA', rand, autn: data.autn, hxresStar: deriveHresStar(rand, xresStar) }
}

/**
 * 6.1.3.3.2: a synchronisation failure answers a challenge that went out to this SEAF and was not answered, and it was
 * not itself the answer to one.
 */
function takeFailed(
  { contexts }: StartPorts,
  seaf: Seaf,
  { resynchronizationInfo }: AuthenticationInfo,
  servingNetworkName: ServingNetworkName,
) {
  if (resynchronizationInfo === undefined) return undefined
  const rand = Buffer.from(resynchronizationInfo.rand, 'hex')
  const context: FiveGAkaContext | undefined = contexts.takeByRand(rand, seaf.fqdn)
  const open = context !== undefined && context.servingNetworkName === servingNetworkName
  refuseUnless(open, 'AUTHENTICATION_REJECTED', 'the synchronisation failure answers no open challenge')
  refuseUnless(!context.resynchronised, 'AUTHENTICATION_REJECTED', 'there was a resynchronisation before')
  return { context, failure: { rand, auts: Buffer.from(resynchronizationInfo.auts, 'hex') } }
}

type Circumstances = Pick<OpenContext, 'servingNetworkName' | 'seaf' | 'edge' | 'resynchronised'> & {
  /** of the EAP request */
  readonly identifier: number
}

/** What is remembered of a challenge. */
export function challenge(data: AuthData, { identifier, ...circumstances }: Circumstances): OpenContext {
  const { supi, routingIndicator, rand, eecIds } = data
  const common = { supi, routingIndicator, rand, eecIds, akma: data.akmaInd, ...circumstances }
  if (data.method === '5G_AKA') {
    return { ...common, method: '5G_AKA', xresStar: data.xresStar, kausf: data.kausf }
  }
  // Annex F.3: the identity of the key derivation is the SUPI, whatever was sent in EAP.
  const { kAut, emsk } = deriveAkaPrimeKeys(data.ckPrime, data.ikPrime, withoutTypePrefix(supi))
  return { ...common, method: 'EAP_AKA_PRIME', identifier, xres: data.xres, kAut, kausf: kausfOfEmsk(emsk) }
}

/** EAP-Request/AKA'-Challenge: TS 33.501 6.1.3.1 step 3, with the serving network name as network name. */
export function challengePacket({ identifier, rand, servingNetworkName, kAut }: EapContext, autn: Buffer): Buffer {
  return akaPrimeChallenge({ identifier, rand, autn, networkName: servingNetworkName }, kAut)
}
