import { eecIdTag } from '../../octets/eec-id-tag.ts'
import {
  type AKid,
  type AkmaPskIdentity,
  aKidOf,
  aKidParts,
  formatAkmaPskIdentity,
  parseAKid,
  parseAkmaPskIdentity,
} from '../../spec/a-kid.ts'
import {
  formatPskIdentity,
  type KedgeId,
  kedgeIdParts,
  type PskIdentity,
  parseKedgeId,
  parsePskIdentity,
  pskIdentityParts,
} from '../../spec/kedge-id.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'

/** The name of the anchor key that a PSK comes from: Kedge, or KAKMA (TS 33.535). The realm tells which. */
export type KeyId = KedgeId | AKid

/** What TLS-PSK offers the key under: of D-20b, in the profile `literal` the Kedge ID, or of TS 24.109 K.3. */
export type KeyIdentity = PskIdentity | KedgeId | AkmaPskIdentity

export interface KeyQuestion {
  readonly keyId: KeyId
  readonly eecId: EecId
}

export function methodOf(keyId: KeyId): 'TLS_KEDGE' | 'TLS_AKMA' {
  return isAKid(keyId) ? 'TLS_AKMA' : 'TLS_KEDGE'
}

/** As configured: `mnc001.mcc001`, with `nid` before it for a stand-alone network. */
export function realmOf(keyId: KeyId): string {
  const { homeNetwork } = isAKid(keyId) ? aKidParts(keyId) : kedgeIdParts(keyId)
  const nid = homeNetwork.nid === undefined ? '' : `nid${homeNetwork.nid}.`
  return `${nid}mnc${homeNetwork.mnc}.mcc${homeNetwork.mcc}`
}

/** Whether the key is that of one EEC. KAF knows no EEC, as Kedge does not: both are treated alike. */
export function profileOf(keyProfile: KeyProfile, keyId: KeyId): KeyProfile {
  return isAKid(keyId) ? 'literal' : keyProfile
}

export function identityOf(keyProfile: KeyProfile, { keyId, eecId }: KeyQuestion): KeyIdentity {
  if (isAKid(keyId)) return formatAkmaPskIdentity(keyId)
  return keyProfile === 'literal' ? keyId : formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId: keyId })
}

/** @returns undefined for what cannot be the identity of an EEC in this profile (D-20b) */
export function parseIdentity(keyProfile: KeyProfile, text: string): KeyIdentity | undefined {
  return parseAkmaPskIdentity(text) ?? (keyProfile === 'literal' ? parseKedgeId(text) : parsePskIdentity(text))
}

export function keyIdOf(identity: KeyIdentity): KeyId {
  const bound = parsePskIdentity(identity)
  if (bound !== undefined) return pskIdentityParts(bound).kedgeId
  const akma = parseAkmaPskIdentity(identity)
  return akma === undefined ? (identity as KedgeId) : aKidOf(akma)
}

/** What stays of an identity when its EEC has a new key: the tag of the EEC ID, where there is one. */
export function eecOfIdentity(identity: KeyIdentity): string {
  const bound = parsePskIdentity(identity)
  return bound === undefined ? identity : pskIdentityParts(bound).eecIdTag
}

function isAKid(keyId: KeyId): keyId is AKid {
  return parseAKid(keyId) !== undefined
}
