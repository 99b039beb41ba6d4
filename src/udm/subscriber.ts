import { AMF_SEPARATION_BIT, isSeparationBitSet } from '../keys/aka.ts'
import { takeKey } from '../keys/key.ts'
import { deriveOpc, type SubscriberKeys } from '../keys/milenage.ts'
import { MOST_EEC_IDS } from '../spec/messages/kedge-request.ts'
import { refuseUnless } from '../spec/refusal.ts'
import {
  type EecId,
  type Gpsi,
  parseEecId,
  parseGpsi,
  parseRoutingIndicator,
  parseSupi,
  type RoutingIndicator,
  type Supi,
} from '../spec/subscriber-identifiers.ts'

export type AuthMethod = '5G_AKA' | 'EAP_AKA_PRIME'

/** What may be said of a subscription without a secret. */
export interface Subscription {
  readonly supi: Supi
  readonly gpsi?: Gpsi
  /** 0 to 65535, with the separation bit */
  readonly amf: number
  /** the last SQN that left in a vector, 0 to 2^48 - 1 */
  readonly sqnHe: number
  readonly routingIndicator: RoutingIndicator
  readonly authMethod: AuthMethod
  /** whether the subscriber may use the edge */
  readonly edge: boolean
  readonly akma: boolean
  /** the only ones that its EECs may have; left out, they may have any */
  readonly eecIds?: readonly EecId[]
}

export interface Subscriber extends Subscription {
  readonly keys: SubscriberKeys
}

/** A subscription as an operator writes it; octets in hexadecimal, what is left out has the usual value. */
export interface SubscriberRecord {
  readonly supi: string
  readonly k: string
  /** one of both */
  readonly opc?: string
  readonly op?: string
  readonly gpsi?: string
  readonly amf?: string
  readonly sqn?: string
  readonly routingIndicator?: string
  readonly authMethod?: string
  readonly edge?: boolean
  readonly akma?: boolean
  readonly eecIds?: readonly string[]
}

/** @throws Refusal MANDATORY_IE_INCORRECT or OPTIONAL_IE_INCORRECT that names the member, never its value */
export function readSubscriber(record: SubscriberRecord, usualRoutingIndicator = '0'): Subscriber {
  const supi = parseSupi(record.supi)
  refuseUnless(supi !== undefined, 'MANDATORY_IE_INCORRECT', 'supi is not an IMSI or NAI with its prefix')
  const gpsi = record.gpsi === undefined ? undefined : parseGpsi(record.gpsi)
  refuseUnless(record.gpsi === undefined || gpsi, 'OPTIONAL_IE_INCORRECT', 'gpsi is not an MSISDN or external ID')
  const amf = record.amf === undefined ? AMF_SEPARATION_BIT : number(record.amf, 4)
  refuseUnless(
    amf !== undefined && isSeparationBitSet(amf),
    'OPTIONAL_IE_INCORRECT',
    'amf has 4 hexadecimal digits and the separation bit',
  )
  const sqnHe = number(record.sqn ?? '000000000000', 12)
  refuseUnless(sqnHe !== undefined, 'OPTIONAL_IE_INCORRECT', 'sqn has 12 hexadecimal digits')
  const routingIndicator = parseRoutingIndicator(record.routingIndicator ?? usualRoutingIndicator)
  refuseUnless(routingIndicator, 'OPTIONAL_IE_INCORRECT', 'routingIndicator has 1 to 4 digits')
  const { authMethod = '5G_AKA', edge = false, akma = false } = record
  refuseUnless(isAuthMethod(authMethod), 'OPTIONAL_IE_INCORRECT', 'authMethod is 5G_AKA or EAP_AKA_PRIME')
  const eecIds = record.eecIds && readEecIds(record.eecIds)
  const subscription = { supi, ...(gpsi && { gpsi }), amf, sqnHe, routingIndicator, authMethod, edge, akma }
  return { ...subscription, ...(eecIds && { eecIds }), keys: readKeys(record) }
}

/** @throws Refusal OPTIONAL_IE_INCORRECT if they are none, too many, one of them twice, or not all EEC IDs */
export function readEecIds(names: readonly string[]): EecId[] {
  const eecIds = names.map(parseEecId).filter((eecId) => eecId !== undefined)
  const isList = names.length >= 1 && names.length <= MOST_EEC_IDS && new Set(eecIds).size === names.length
  refuseUnless(isList, 'OPTIONAL_IE_INCORRECT', `eecIds has 1 to ${MOST_EEC_IDS} EEC IDs, each of them once`)
  return eecIds
}

function readKeys({ k, opc, op }: SubscriberRecord): SubscriberKeys {
  refuseUnless((opc === undefined) !== (op === undefined), 'MANDATORY_IE_INCORRECT', 'one of opc and op is needed')
  const key = takeKey('K', octets('k', k))
  if (opc !== undefined) return { k: key, opc: takeKey('OPc', octets('opc', opc)) }
  return { k: key, opc: deriveOpc(key, takeKey('OP', octets('op', op ?? ''))) }
}

function octets(member: string, text: string): Buffer {
  refuseUnless(/^[0-9a-f]{32}$/i.test(text), 'MANDATORY_IE_INCORRECT', `${member} has 32 hexadecimal digits`)
  return Buffer.from(text, 'hex')
}

function number(text: string, digits: number): number | undefined {
  return text.length === digits && /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : undefined
}

function isAuthMethod(text: string): text is AuthMethod {
  return text === '5G_AKA' || text === 'EAP_AKA_PRIME'
}
