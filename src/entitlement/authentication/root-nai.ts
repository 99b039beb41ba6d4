import { type PlmnId, parseSupi, plmnDomain, type Supi } from '../../spec/subscriber-identifiers.ts'

const ROOT_NAI = /^0(?<imsi>\d{5,15})@nai\.epc\.(?<domain>[a-z0-9.]{1,64})$/

/**
 * The subscriber of a root NAI, `0<IMSI>@nai.epc.mnc<MNC>.mcc<MCC>.3gppnetwork.org` (TS 23.003 19.3.2): the leading 0
 * asks for EAP-AKA.
 *
 * @returns undefined unless it is of this home network, in its realm and its IMSI
 */
export function subscriberOfRootNai(eapId: string, homeNetwork: PlmnId): Supi | undefined {
  const { imsi = '', domain } = ROOT_NAI.exec(eapId)?.groups ?? {}
  const isOurs = domain === plmnDomain(homeNetwork) && imsi.startsWith(`${homeNetwork.mcc}${homeNetwork.mnc}`)
  return isOurs ? parseSupi(`imsi-${imsi}`) : undefined
}
