import type { EciesPrivateKey } from '../../keys/ecies.ts'
import { revealSupi } from '../../keys/suci.ts'
import { NULL_SCHEME, parseSuci } from '../../keys/suci-forms.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { parseSupi, type Supi } from '../../spec/subscriber-identifiers.ts'

export interface SidfPorts {
  homeNetworkKey(id: number): EciesPrivateKey | undefined
  /** whether a SUCI that conceals nothing is taken */
  readonly acceptsNullScheme: boolean
}

/**
 * The SIDF: SUPI from what the request names, which is a SUPI where the subscriber is known already.
 *
 * @throws Refusal USER_NOT_FOUND, UNSUPPORTED_PROTECTION_SCHEME, INVALID_HN_PUBLIC_KEY_IDENTIFIER,
 * INVALID_SCHEME_OUTPUT
 * @see TS 33.501 6.12.5, TS 29.503 6.3.3.2
 */
export function revealSubscriber(udm: SidfPorts, supiOrSuci: string): Supi {
  const supi = parseSupi(supiOrSuci)
  if (supi !== undefined) return supi
  const suci = parseSuci(supiOrSuci)
  if (suci === undefined) throw new Refusal('USER_NOT_FOUND', 'neither a SUPI nor a SUCI of this form is known')
  refuseUnless(
    suci.protectionScheme !== NULL_SCHEME || udm.acceptsNullScheme,
    'UNSUPPORTED_PROTECTION_SCHEME',
    'the null scheme is not taken here',
  )
  return revealSupi(suci, udm.homeNetworkKey)
}
