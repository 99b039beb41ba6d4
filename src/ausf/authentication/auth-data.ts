import { type Kausf, type Key, takeKey } from '../../keys/key.ts'
import { parseSuci } from '../../keys/suci-forms.ts'
import type { EdgeAuthenticationInfoResult } from '../../spec/messages/kedge-request.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import {
  type EecId,
  parseEecId,
  parseRoutingIndicator,
  parseSupi,
  type RoutingIndicator,
  type Supi,
} from '../../spec/subscriber-identifiers.ts'

/** A vector of the UDM, judged. */
export type AuthData = {
  readonly supi: Supi
  readonly routingIndicator: RoutingIndicator
  readonly edgeInd: boolean
  readonly akmaInd: boolean
  /** undefined if the UDM lists none */
  readonly eecIds: readonly EecId[] | undefined
  /** 16 octets each */
  readonly rand: Buffer
  readonly autn: Buffer
} & (
  | { readonly method: '5G_AKA'; readonly xresStar: Buffer; readonly kausf: Kausf }
  | {
      readonly method: 'EAP_AKA_PRIME'
      readonly xres: Buffer
      readonly ckPrime: Key<"CK'">
      readonly ikPrime: Key<"IK'">
    }
)

/**
 * Judges what a UDM answered, whose schema was checked. Nothing that is missing or contradicts itself is made good
 * (THREATS KE-13).
 *
 * @param asked - the SUPI or SUCI that was asked for
 * @throws Refusal NF_CONGESTION
 */
export function processAuthData(result: EdgeAuthenticationInfoResult, asked: string): AuthData {
  const { authenticationVector: vector, authType } = result
  const supi = parseSupi(result.supi ?? '')
  believe(supi !== undefined, 'names no subscriber')
  believe(parseSupi(asked) === undefined || supi === asked, 'names another subscriber')
  believe(vector !== undefined, 'has no vector')
  const [rand, autn] = [Buffer.from(vector.rand, 'hex'), Buffer.from(vector.autn, 'hex')]
  const routingIndicator = parseRoutingIndicator(result.routingId ?? parseSuci(asked)?.routingIndicator ?? '0')
  believe(routingIndicator !== undefined, 'has no routing indicator')
  const common = {
    supi,
    routingIndicator,
    edgeInd: result.edgeInd === true,
    akmaInd: result.akmaInd === true,
    eecIds: result.eecIds?.map(toEecId),
    rand,
    autn,
  }
  if ('kausf' in vector) {
    believe(authType === '5G_AKA' && vector.avType === '5G_HE_AKA', 'is of two methods')
    const xresStar = Buffer.from(vector.xresStar, 'hex')
    return { ...common, method: '5G_AKA', xresStar, kausf: takeKey('KAUSF', secret(vector.kausf)) }
  }
  believe(authType === 'EAP_AKA_PRIME' && vector.avType === 'EAP_AKA_PRIME', 'is of two methods')
  const [ckPrime, ikPrime] = [takeKey("CK'", secret(vector.ckPrime)), takeKey("IK'", secret(vector.ikPrime))]
  return { ...common, method: 'EAP_AKA_PRIME', xres: Buffer.from(vector.xres, 'hex'), ckPrime, ikPrime }
}

function toEecId(text: string): EecId {
  const eecId = parseEecId(text)
  believe(eecId !== undefined, 'lists something else than EEC IDs')
  return eecId
}

function secret(hex: string): Buffer {
  const octets = Buffer.from(hex, 'hex')
  believe(
    octets.some((octet) => octet !== 0),
    'has a key of zeros',
  )
  return octets
}

function believe(condition: unknown, otherwise: string): asserts condition {
  refuseUnless(condition, 'NF_CONGESTION', `the answer of the UDM ${otherwise}`)
}
