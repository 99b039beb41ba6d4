import { type Branded, isEntityId, parseFqdn } from './identifiers.ts'

/**
 * Identifiers of a subscriber, a subscription's home and the application client on the device.
 * Only strings: nothing here knows a key, so every room may import it.
 */

/** `imsi-<5 to 15 digits>` or `nai-<user>@<realm>` (TS 29.571 Supi; GCI and GLI are not used at the edge). */
export type Supi = Branded<'Supi'>
/** A concealed SUPI in the form of TS 29.503 Annex C; only the home network reads it (`keys/suci-forms.ts`). */
export type Suci = Branded<'Suci'>
/** `msisdn-<5 to 15 digits>` or `extid-<local part>@<domain>` (TS 29.571 Gpsi). */
export type Gpsi = Branded<'Gpsi'>
/** The Edge Enabler Client, unique in the world (TS 23.558 7.2.2): printable ASCII of 1 to 128 characters. */
export type EecId = Branded<'EecId'>
/** 1 to 4 digits that lead to the AUSF and UDM of a subscriber (TS 23.003 2.2B). */
export type RoutingIndicator = Branded<'RoutingIndicator'>
/** `5G:mnc<3 digits>.mcc<3 digits>.3gppnetwork.org`, for an SNPN with `:<NID>` (TS 29.503 ServingNetworkName). */
export type ServingNetworkName = Branded<'ServingNetworkName'>

/** TS 29.571 PlmnId. */
export interface PlmnId {
  /** 3 digits */
  readonly mcc: string
  /** 2 or 3 digits */
  readonly mnc: string
}

/** A PLMN, or an SNPN if there is a NID. */
export interface HomeNetwork extends PlmnId {
  /** 11 hexadecimal digits */
  readonly nid?: string
}

const IMSI = /^imsi-\d{5,15}$/
const MSISDN = /^msisdn-\d{5,15}$/
const NAI = /^(?<user>[^@\p{C}\p{Z}]{1,253})@(?<realm>[a-z0-9.-]{3,253})$/u
const ROUTING_INDICATOR = /^\d{1,4}$/
const SERVING_NETWORK_NAME = /^5G:mnc\d{3}\.mcc\d{3}\.3gppnetwork\.org(:[0-9A-F]{11})?$/

/** RFC 7542 2.2, in the one spelling that two derivations agree on: NFKC, realm in lower case, at most 253 octets. */
function isNai(text: string): boolean {
  const realm = NAI.exec(text)?.groups?.['realm']
  return (
    realm !== undefined &&
    parseFqdn(realm) === realm &&
    text.normalize('NFKC') === text &&
    new TextEncoder().encode(text).length <= 253
  )
}

/** @returns the SUPI (TS 29.571: `imsi-` or `nai-`), or undefined if it is not one in its only spelling */
export function parseSupi(text: string): Supi | undefined {
  const wellFormed = IMSI.test(text) || (text.startsWith('nai-') && isNai(withoutTypePrefix(text)))
  return wellFormed ? (text as Supi) : undefined
}

/** @returns the GPSI (TS 29.571: `msisdn-` or `extid-`), or undefined if it is not one in its only spelling */
export function parseGpsi(text: string): Gpsi | undefined {
  const wellFormed = MSISDN.test(text) || (text.startsWith('extid-') && isNai(withoutTypePrefix(text)))
  return wellFormed ? (text as Gpsi) : undefined
}

/** @returns undefined if it is not of the form of an {@link EecId}; the letters stay as they are */
export function parseEecId(text: string): EecId | undefined {
  return isEntityId(text) ? (text as EecId) : undefined
}

/** @returns undefined if it is not 1 to 4 digits (TS 23.003 2.2B) */
export function parseRoutingIndicator(text: string): RoutingIndicator | undefined {
  return ROUTING_INDICATOR.test(text) ? (text as RoutingIndicator) : undefined
}

/** @returns undefined if it is not a name as TS 24.501 9.12.1 builds it, with an MNC of 3 digits */
export function parseServingNetworkName(text: string): ServingNetworkName | undefined {
  return SERVING_NETWORK_NAME.test(text) ? (text as ServingNetworkName) : undefined
}

/** @throws TypeError if the network is not of the form that {@link HomeNetwork} promises */
export function servingNetworkName(network: HomeNetwork): ServingNetworkName {
  const nid = network.nid === undefined ? '' : `:${network.nid.toUpperCase()}`
  const name = parseServingNetworkName(`5G:${plmnDomain(network)}${nid}`)
  if (name === undefined) throw new TypeError('not a PLMN or SNPN')
  return name
}

/** `mnc<MNC>.mcc<MCC>.3gppnetwork.org`, an MNC of 2 digits with a leading 0 (TS 23.003 28.2). */
export function plmnDomain({ mcc, mnc }: PlmnId): string {
  return `mnc${mnc.padStart(3, '0')}.mcc${mcc}.3gppnetwork.org`
}

/** What follows `imsi-`, `nai-`, `msisdn-` or `extid-`: the form in which a SUPI enters a KDF (TS 33.501 A.7.0). */
export function withoutTypePrefix(identifier: string): string {
  return identifier.slice(identifier.indexOf('-') + 1)
}
