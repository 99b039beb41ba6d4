import type { Branded } from './identifiers.ts'
import { type HomeNetwork, parseRoutingIndicator, plmnDomain, type RoutingIndicator } from './subscriber-identifiers.ts'

/**
 * A-KID, the name of KAKMA: a NAI of routing indicator, A-TID and home network (TS 33.535 6.1).
 *
 *     rid<1-4 digits>.atid<64 hex>@akma.5gc.mnc<3 digits>.mcc<3 digits>.3gppnetwork.org
 *
 * The labels are ours, after the CP-PRUK ID of TS 23.003 28.7.11: the text of the clause was not at hand.
 */
export type AKid = Branded<'AKid'>

interface AKidParts {
  readonly routingIndicator: RoutingIndicator
  readonly homeNetwork: HomeNetwork
  /** 64 hexadecimal digits in lower case */
  readonly aTid: string
}

// The user part is matched exactly, the realm in any case: RFC 7542 2.4.
const A_KID =
  /^rid(?<rid>\d{1,4})\.atid(?<aTid>[0-9a-f]{64})@(?i:akma\.5gc\.mnc(?<mnc>\d{3})\.mcc(?<mcc>\d{3})\.3gppnetwork\.org)$/

const AKMA_PREFIX = '3GPP-AKMA'

/** @returns the A-KID with its realm in lower case, or undefined if it is not one */
export function parseAKid(text: string): AKid | undefined {
  return A_KID.test(text) ? (text.toLowerCase() as AKid) : undefined
}

/**
 * `3GPP-AKMA` and the A-KID, at most 128 octets: what TLS-PSK offers KAF under (TS 24.109 K.3, TS 33.535 Annex B). The
 * texts have no EEC ID in it, nor in KAF: all EECs of a UE share both.
 */
export type AkmaPskIdentity = Branded<'AkmaPskIdentity'>

/** The other way round: {@link aKidOf}. */
export function formatAkmaPskIdentity(aKid: AKid): AkmaPskIdentity {
  return `${AKMA_PREFIX}${aKid}` as AkmaPskIdentity
}

/** @returns the identity with its realm in lower case, or undefined if it is not one */
export function parseAkmaPskIdentity(text: string): AkmaPskIdentity | undefined {
  const aKid = text.startsWith(AKMA_PREFIX) ? parseAKid(text.slice(AKMA_PREFIX.length)) : undefined
  return aKid && formatAkmaPskIdentity(aKid)
}

export function aKidOf(identity: AkmaPskIdentity): AKid {
  return identity.slice(AKMA_PREFIX.length) as AKid
}

/** @throws TypeError if a part is not of the form that its type promises */
export function formatAKid({ routingIndicator, homeNetwork, aTid }: AKidParts): AKid {
  const aKid = parseAKid(`rid${routingIndicator}.atid${aTid}@akma.5gc.${plmnDomain(homeNetwork)}`)
  if (aKid === undefined) throw new TypeError('not the parts of an A-KID')
  return aKid
}

/** @returns the parts; the MNC always with 3 digits, as it stands in the realm */
export function aKidParts(aKid: AKid): AKidParts {
  const { rid = '', aTid = '', mnc = '', mcc = '' } = A_KID.exec(aKid)?.groups ?? {}
  const routingIndicator = parseRoutingIndicator(rid)
  if (routingIndicator === undefined) throw new TypeError('an A-KID that its parser never saw')
  return { routingIndicator, homeNetwork: { mcc, mnc }, aTid }
}
