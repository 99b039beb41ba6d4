import type { Branded } from './identifiers.ts'
import { type HomeNetwork, parseRoutingIndicator, plmnDomain, type RoutingIndicator } from './subscriber-identifiers.ts'

/**
 * The names of Kedge: strings that every party may read and that say nothing about the SUPI.
 * Whoever derives the key itself is in `keys/kedge.ts`.
 */

/**
 * `rid<1-4 digits>.kid<32 hex>@edge.5gc.[nid<11 hex>.]mnc<3 digits>.mcc<3 digits>.3gppnetwork.org` (D-20a),
 * in lower case, at most 97 octets. Routing indicator and realm lead to the AUSF.
 */
export type KedgeId = Branded<'KedgeId'>

/** `e<16 hex>.<Kedge ID>` (D-20b), at most 115 octets; the tag is `eecIdTag` of the EEC ID. */
export type PskIdentity = Branded<'PskIdentity'>

interface KedgeIdParts {
  readonly routingIndicator: RoutingIndicator
  readonly homeNetwork: HomeNetwork
  /** 32 hexadecimal digits in lower case */
  readonly kid: string
}

interface PskIdentityParts {
  /** 16 hexadecimal digits in lower case */
  readonly eecIdTag: string
  readonly kedgeId: KedgeId
}

// The user part is matched exactly, the realm in any case: RFC 7542 2.4.
const USER = String.raw`rid(?<rid>\d{1,4})\.kid(?<kid>[0-9a-f]{32})`
const REALM = String.raw`edge\.5gc\.(?:nid(?<nid>[0-9a-f]{11})\.)?mnc(?<mnc>\d{3})\.mcc(?<mcc>\d{3})\.3gppnetwork\.org`
const KEDGE_ID = new RegExp(`^${USER}@(?i:${REALM})$`)
const PSK_IDENTITY = /^e(?<tag>[0-9a-f]{16})\.(?<kedgeId>rid.+)$/

/**
 * The one check before any use (THREATS KE-14).
 *
 * @returns the Kedge ID with its realm in lower case, or undefined if it is not one
 */
export function parseKedgeId(text: string): KedgeId | undefined {
  return KEDGE_ID.test(text) ? (text.toLowerCase() as KedgeId) : undefined
}

/** @throws TypeError if a part is not of the form that its type promises */
export function formatKedgeId({ routingIndicator, homeNetwork, kid }: KedgeIdParts): KedgeId {
  const nid = homeNetwork.nid === undefined ? '' : `nid${homeNetwork.nid}.`
  const kedgeId = parseKedgeId(`rid${routingIndicator}.kid${kid}@edge.5gc.${nid}${plmnDomain(homeNetwork)}`)
  if (kedgeId === undefined) throw new TypeError('not the parts of a Kedge ID')
  return kedgeId
}

/** @returns the parts; the MNC always with 3 digits, as it stands in the realm */
export function kedgeIdParts(kedgeId: KedgeId): KedgeIdParts {
  const { rid = '', kid = '', nid, mnc = '', mcc = '' } = KEDGE_ID.exec(kedgeId)?.groups ?? {}
  const routingIndicator = parseRoutingIndicator(rid)
  if (routingIndicator === undefined) throw new TypeError('a Kedge ID that its parser never saw')
  return { routingIndicator, homeNetwork: { mcc, mnc, ...(nid !== undefined && { nid }) }, kid }
}

/** @returns the PSK identity with its realm in lower case, or undefined if it is not one */
export function parsePskIdentity(text: string): PskIdentity | undefined {
  const { tag, kedgeId } = PSK_IDENTITY.exec(text)?.groups ?? {}
  const parsed = kedgeId === undefined ? undefined : parseKedgeId(kedgeId)
  return parsed === undefined ? undefined : (`e${tag}.${parsed}` as PskIdentity)
}

/**
 * @param eecIdTag - 16 hexadecimal digits, of `octets/eec-id-tag.ts`
 * @throws TypeError if the tag is not of that form
 */
export function formatPskIdentity({ eecIdTag, kedgeId }: PskIdentityParts): PskIdentity {
  const identity = parsePskIdentity(`e${eecIdTag}.${kedgeId}`)
  if (identity === undefined) throw new TypeError('not the parts of a PSK identity')
  return identity
}

/** @throws TypeError if the identity never went through its parser */
export function pskIdentityParts(identity: PskIdentity): PskIdentityParts {
  const { tag = '', kedgeId = '' } = PSK_IDENTITY.exec(identity)?.groups ?? {}
  const parsed = parseKedgeId(kedgeId)
  if (parsed === undefined) throw new TypeError('a PSK identity that its parser never saw')
  return { eecIdTag: tag, kedgeId: parsed }
}
