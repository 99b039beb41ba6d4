import { deriveKedge, deriveKedgeId, deriveKedgeOfStudy, type EdgeFunctionCodes } from '../../keys/kedge.ts'
import type { Kausf, Kedge } from '../../keys/key.ts'
import type { KedgeId } from '../../spec/kedge-id.ts'
import type { HomeNetwork, RoutingIndicator, Supi } from '../../spec/subscriber-identifiers.ts'

export interface EdgeKeys {
  readonly kedge: Kedge
  readonly kedgeId: KedgeId
}

/** What AUSF and UE agree on beside KAUSF (D-20). */
export interface EdgeAgreement {
  readonly homeNetwork: HomeNetwork
  readonly kedgeInput: 'edge' | 'supi'
  readonly functionCodes: EdgeFunctionCodes
}

/** TR 33.839 6.x.2.1 step 2: the AUSF derives Kedge and Kedge ID from KAUSF and SUPI. */
export function deriveEdgeKeys(
  kausf: Kausf,
  { supi, routingIndicator }: { readonly supi: Supi; readonly routingIndicator: RoutingIndicator },
  { homeNetwork, kedgeInput, functionCodes }: EdgeAgreement,
): EdgeKeys {
  const derive = kedgeInput === 'edge' ? deriveKedge : deriveKedgeOfStudy
  return {
    kedge: derive(kausf, supi, functionCodes),
    kedgeId: deriveKedgeId(kausf, { supi, routingIndicator, homeNetwork }, functionCodes),
  }
}
