import { plmnDomain, withoutTypePrefix } from '../../spec/subscriber-identifiers.ts'
import type { UsimSettings } from './subscription.ts'

/**
 * The root NAI with the digit that stands for EAP-AKA: `0<IMSI>@nai.epc.mnc<MNC>.mcc<MCC>.3gppnetwork.org`.
 *
 * @returns undefined for a subscription without IMSI
 * @see TS 23.003 19.3.2
 */
export function rootNai({ supi, homeNetwork }: Pick<UsimSettings, 'supi' | 'homeNetwork'>): string | undefined {
  return supi.startsWith('imsi-') ? `0${withoutTypePrefix(supi)}@nai.epc.${plmnDomain(homeNetwork)}` : undefined
}
