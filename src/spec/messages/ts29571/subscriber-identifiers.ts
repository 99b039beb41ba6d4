import { Type } from 'typebox'
import { matching } from '../forms.ts'
import { Bytes } from './basic-types.ts'

/**
 * Identifiers of subscriptions and equipment: TS 29.571 5.3.
 * Each of these patterns ends in an alternative that accepts any text: what an identifier must look like here,
 * the parsers of src/spec/subscriber-identifiers.ts say.
 */

export const Supi = matching(/^(imsi-[0-9]{5,15}|nai-.+|gci-.+|gli-.+|.+)$/)
/** The published pattern accepts the same strings, in quadratic time (THREATS HT-09). */
export const SupiOrSuci = matching(/^.+$/)
export const Gpsi = matching(/^(msisdn-[0-9]{5,15}|extid-[^@]+@[^@]+|.+)$/)
export const Pei = matching(
  /^(imei-[0-9]{15}|imeisv-[0-9]{16}|mac((-[0-9a-fA-F]{2}){6})(-untrusted)?|eui((-[0-9a-fA-F]{2}){8})|.+)$/,
)

export const Gci = Type.String()
export const Gli = Bytes
export const ApplicationlayerId = Type.String()

export const RelayServiceCode = Type.Integer({ minimum: 0, maximum: 16777215 })
/** `5GPrukId` */
export const FiveGPrukId = matching(
  /^rid[0-9]{1,4}\.pid[0-9a-fA-F]+@prose-cp\.5gc\.mnc[0-9]{2,3}\.mcc[0-9]{3}\.3gppnetwork\.org$/,
)
