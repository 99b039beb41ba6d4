import { type AKid, formatAKid } from '../spec/a-kid.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import type { HomeNetwork, RoutingIndicator, Supi } from '../spec/subscriber-identifiers.ts'
import { supiParameter } from './five-g-aka.ts'
import { kdf, utf8 } from './kdf.ts'
import { type Kaf, type Kakma, type Kausf, takeKey } from './key.ts'

/** The Ua* security protocol identifier of shared-key TLS 1.3: TS 33.220 Annex H, TS 33.535 Annex B. */
export const UA_SHARED_KEY_TLS_1_3 = Buffer.from('0100000007', 'hex')

/**
 * KAKMA.
 *
 *     Key = KAUSF
 *     FC  = 80
 *     P0  = "AKMA"
 *     P1  = SUPI                   as P0 of TS 33.501 A.7.0
 *
 * @returns 32 octets
 * @see TS 33.535 A.2
 */
export function deriveKakma(kausf: Kausf, supi: Supi): Kakma {
  return takeKey('KAKMA', kdf(kausf, 0x80, utf8('AKMA'), supiParameter(supi)))
}

/**
 * A-TID, the temporary identifier of KAKMA; it travels and is no secret.
 *
 *     Key = KAUSF
 *     FC  = 81
 *     P0  = "A-TID"
 *     P1  = SUPI                   as P0 of TS 33.501 A.7.0
 *
 * @returns 32 octets
 * @see TS 33.535 A.3
 */
export function deriveATid(kausf: Kausf, supi: Supi): Buffer {
  return kdf(kausf, 0x81, utf8('A-TID'), supiParameter(supi))
}

export interface AkmaSubscriber {
  readonly supi: Supi
  readonly routingIndicator: RoutingIndicator
  readonly homeNetwork: HomeNetwork
}

/** A-KID, the name of KAKMA: TS 33.535 6.1. */
export function deriveAKid(kausf: Kausf, { supi, routingIndicator, homeNetwork }: AkmaSubscriber): AKid {
  return formatAKid({ routingIndicator, homeNetwork, aTid: deriveATid(kausf, supi).toString('hex') })
}

/**
 * KAF, the key of one application function.
 *
 *     Key = KAKMA
 *     FC  = 82
 *     P0  = AF_ID = FQDN of the AF || Ua* security protocol identifier
 *
 * @param uaProtocol - 5 octets
 * @returns 32 octets
 * @see TS 33.535 A.4
 */
export function deriveKaf(kakma: Kakma, af: Fqdn, uaProtocol: Uint8Array = UA_SHARED_KEY_TLS_1_3): Kaf {
  return takeKey('KAF', kdf(kakma, 0x82, Buffer.concat([utf8(af), uaProtocol])))
}
