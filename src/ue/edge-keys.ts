import { deriveAKid, deriveKaf, deriveKakma } from '../keys/akma.ts'
import { deriveKecs, deriveKedge, deriveKedgeId, deriveKedgeOfStudy, type EdgeFunctionCodes } from '../keys/kedge.ts'
import type { Kaf, Kakma, Kausf, Kecs, Kedge } from '../keys/key.ts'
import { eecIdTag } from '../octets/eec-id-tag.ts'
import { type AKid, type AkmaPskIdentity, formatAkmaPskIdentity } from '../spec/a-kid.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { formatPskIdentity, type KedgeId } from '../spec/kedge-id.ts'
import type { KeyProfile } from '../spec/messages/eec-authentication.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import type { UsimSettings } from './usim/subscription.ts'

/** What UE and AUSF are configured with alike (D-20). */
export interface EdgeProfile {
  /** `bound`: an EEC gets a key for one ECS and itself; `literal`: it gets Kedge, as the text has it */
  readonly keyProfile: KeyProfile
  /** `edge`: P0 = "EDGE", P1 = SUPI; `supi`: P0 = SUPI, as the study writes it */
  readonly kedgeInput: 'edge' | 'supi'
  readonly functionCodes: EdgeFunctionCodes
}

/** What follows from one primary authentication: Kedge, and KAKMA of TS 33.535, each with its name. */
export interface EdgeKeys {
  readonly kedge: Kedge
  readonly kedgeId: KedgeId
  readonly kakma: Kakma
  readonly aKid: AKid
}

/** The PSK that one EEC shares with one ECS, and the name under which both offer it. */
export interface EecKey {
  readonly key: Kecs | Kedge
  /** of D-20b; in the profile `literal` the Kedge ID */
  readonly pskIdentity: string
}

/** The PSK that all EECs of a UE share with one ECS: KAF knows no EEC. */
export interface ApplicationKey {
  readonly key: Kaf
  readonly pskIdentity: AkmaPskIdentity
}

/** In the UE: TR 33.839 6.x.2.1 step 1, and TS 33.535 6.1 step 4. */
export function deriveEdgeKeys(kausf: Kausf, usim: UsimSettings, profile: EdgeProfile): EdgeKeys {
  const { kedgeInput, functionCodes } = profile
  const derive = kedgeInput === 'supi' ? deriveKedgeOfStudy : deriveKedge
  return {
    kedge: derive(kausf, usim.supi, functionCodes),
    kedgeId: deriveKedgeId(kausf, usim, functionCodes),
    kakma: deriveKakma(kausf, usim.supi),
    aKid: deriveAKid(kausf, usim),
  }
}

/**
 * What leaves the UE: no other EEC (THREATS KE-05) and no other ECS (KE-04) has this key, unless the profile is
 * `literal`.
 */
export function deriveEecKey(
  { kedge, kedgeId }: Pick<EdgeKeys, 'kedge' | 'kedgeId'>,
  ecs: Fqdn,
  eecId: EecId,
  profile: EdgeProfile,
): EecKey {
  if (profile.keyProfile === 'literal') return { key: kedge, pskIdentity: kedgeId }
  return {
    key: deriveKecs(kedge, ecs, eecId, profile.functionCodes),
    pskIdentity: formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId }),
  }
}

/**
 * What leaves the UE for AKMA: TS 33.535 6.2.1 step 1, for shared-key TLS 1.3. No other ECS has this key
 * (THREATS KE-04).
 */
export function deriveApplicationKey({ kakma, aKid }: Pick<EdgeKeys, 'kakma' | 'aKid'>, ecs: Fqdn): ApplicationKey {
  return { key: deriveKaf(kakma, ecs), pskIdentity: formatAkmaPskIdentity(aKid) }
}
