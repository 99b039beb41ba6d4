import { deriveAKid, deriveKakma } from '../../keys/akma.ts'
import type { Kakma, Kausf } from '../../keys/key.ts'
import type { AKid } from '../../spec/a-kid.ts'
import type { HomeNetwork, RoutingIndicator, Supi } from '../../spec/subscriber-identifiers.ts'

export interface AkmaKeys {
  readonly kakma: Kakma
  readonly aKid: AKid
}

/** TS 33.535 6.1 step 3: the AUSF derives KAKMA and A-KID from KAUSF and SUPI. */
export function deriveAkmaKeys(
  kausf: Kausf,
  { supi, routingIndicator }: { readonly supi: Supi; readonly routingIndicator: RoutingIndicator },
  homeNetwork: HomeNetwork,
): AkmaKeys {
  return { kakma: deriveKakma(kausf, supi), aKid: deriveAKid(kausf, { supi, routingIndicator, homeNetwork }) }
}
