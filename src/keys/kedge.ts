import type { Fqdn } from '../spec/identifiers.ts'
import { formatKedgeId, type KedgeId } from '../spec/kedge-id.ts'
import type { EecId, HomeNetwork, RoutingIndicator, Supi } from '../spec/subscriber-identifiers.ts'
import { UA_SHARED_KEY_TLS_1_3 } from './akma.ts'
import { supiParameter } from './five-g-aka.ts'
import { kdf, utf8 } from './kdf.ts'
import { type Kausf, type Kecs, type Kedge, takeKey } from './key.ts'

/**
 * The function codes of the edge. 3GPP allocated none, so UE and AUSF are configured with the same three (D-20).
 * With FC1 = FF they meet no FC of one octet.
 */
export interface EdgeFunctionCodes {
  readonly kedge: number
  readonly edgeTid: number
  readonly kecs: number
}

export const EDGE_FUNCTION_CODES: EdgeFunctionCodes = { kedge: 0xffe0, edgeTid: 0xffe1, kecs: 0xffe2 }

/**
 * Kedge, the root of the keys that EEC and ECS share for TLS-PSK, in the UE and in the AUSF.
 *
 *     Key = KAUSF
 *     FC  = FF E0                  ours (D-20)
 *     P0  = "EDGE"                 ours (D-20), after KAKMA in TS 33.535 A.2
 *     P1  = SUPI                   as P0 of TS 33.501 A.7.0
 *
 * @returns 32 octets
 * @see TR 33.839 6.x.2.1 step 1 (in the UE) and step 2 (in the AUSF)
 */
export function deriveKedge(kausf: Kausf, supi: Supi, codes = EDGE_FUNCTION_CODES): Kedge {
  return takeKey('Kedge', kdf(kausf, codes.kedge, utf8('EDGE'), supiParameter(supi)))
}

/**
 * Kedge as the study writes it, for the profile `literal`.
 *
 *     Key = KAUSF
 *     FC  = FF E0                  the study leaves it to be allocated
 *     P0  = SUPI                   as P0 of TS 33.501 A.7.0
 *
 * @returns 32 octets
 * @see TR 33.839 6.x.2.1 step 1 (in the UE) and step 2 (in the AUSF)
 */
export function deriveKedgeOfStudy(kausf: Kausf, supi: Supi, codes = EDGE_FUNCTION_CODES): Kedge {
  return takeKey('Kedge', kdf(kausf, codes.kedge, supiParameter(supi)))
}

/**
 * Kedge ID, under which EEC and ECS speak of Kedge. Only who knows KAUSF can link it to the SUPI (THREATS KE-01).
 *
 *     Key = KAUSF
 *     FC  = FF E1                  ours (D-20a)
 *     P0  = "EDGE-TID"             ours (D-20a), after A-TID in TS 33.535 A.3
 *     P1  = SUPI                   as P0 of TS 33.501 A.7.0
 *     kid = the 128 least significant bits
 *
 * @see TR 33.839 6.x.2.1 step 1 (in the UE) and step 2 (in the AUSF)
 */
export function deriveKedgeId(
  kausf: Kausf,
  { supi, routingIndicator, homeNetwork }: { supi: Supi; routingIndicator: RoutingIndicator; homeNetwork: HomeNetwork },
  codes = EDGE_FUNCTION_CODES,
): KedgeId {
  const edgeTid = kdf(kausf, codes.edgeTid, utf8('EDGE-TID'), supiParameter(supi))
  return formatKedgeId({ routingIndicator, homeNetwork, kid: edgeTid.toString('hex', 16) })
}

/**
 * K_ECS, the PSK between one EEC and one ECS. No other ECS (THREATS KE-04) and no other EEC of the same UE (KE-05)
 * has it, and it serves TLS 1.3 alone.
 *
 *     Key = Kedge
 *     FC  = FF E2                  ours (D-20)
 *     P0  = FQDN of the ECS        in lower case
 *     P1  = EEC ID
 *     P2  = 01 00 00 00 07         Ua* security protocol identifier of shared-key TLS 1.3
 *
 * @param ecs - in the AUSF the name that the caller's certificate proves, never one that a message claims
 * @returns 32 octets
 */
export function deriveKecs(kedge: Kedge, ecs: Fqdn, eecId: EecId, codes = EDGE_FUNCTION_CODES): Kecs {
  return takeKey('K_ECS', kdf(kedge, codes.kecs, utf8(ecs), utf8(eecId), UA_SHARED_KEY_TLS_1_3))
}
