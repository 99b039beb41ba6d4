import { type Static, Type } from 'typebox'
import {
  AuthenticationVector,
  AvEapAkaPrime,
  AvEpsAka,
  AvImsGbaEapAka,
  ResynchronizationInfo,
  ServingNetworkName,
} from './authentication-vectors.ts'
import { listOf, matching, oneOf, openEnum } from './forms.ts'
import { ResynchronizationInfo as ImsResynchronizationInfo, ThreeGAkaAv } from './ims-authentication-vectors.ts'
import { DateTime, SupportedFeatures, Uri } from './ts29571/basic-types.ts'
import { ServerAddressingInfo } from './ts29571/ip-addresses.ts'
import { CagId, NfInstanceId, NfSetId, PlmnId } from './ts29571/network-identifiers.ts'
import { RelayServiceCode, Supi } from './ts29571/subscriber-identifiers.ts'

/** Nudm_UEAU, what the UDM gives to the AUSF: TS 29.503 6.3.6. */

const flag = Type.Optional(Type.Boolean())
const fiveAtMost = { minItems: 1, maxItems: 5 }

export const AuthType = openEnum(['5G_AKA', 'EAP_AKA_PRIME', 'EAP_TLS', 'NONE', 'EAP_TTLS'])
export type AuthType = Static<typeof AuthType>

export const Success = Type.Boolean()
export const AuthenticatedInd = Type.Boolean()

export const AuthenticationInfoRequest = Type.Object({
  supportedFeatures: Type.Optional(SupportedFeatures),
  servingNetworkName: ServingNetworkName,
  resynchronizationInfo: Type.Optional(ResynchronizationInfo),
  ausfInstanceId: NfInstanceId,
  cellCagInfo: Type.Optional(listOf(CagId)),
  n5gcInd: flag,
  nswoInd: flag,
  disasterRoamingInd: flag,
  aun3Ind: flag,
})
export type AuthenticationInfoRequest = Static<typeof AuthenticationInfoRequest>

export const AuthenticationInfoResult = Type.Object({
  authType: AuthType,
  supportedFeatures: Type.Optional(SupportedFeatures),
  authenticationVector: Type.Optional(AuthenticationVector),
  supi: Type.Optional(Supi),
  akmaInd: flag,
  authAaa: flag,
  /** leads to the AUSF and UDM of the subscriber, also in a Kedge ID (D-20a) */
  routingId: Type.Optional(matching(/^[0-9]{1,4}$/)),
  pvsInfo: Type.Optional(listOf(ServerAddressingInfo)),
  mskInd: flag,
})
export type AuthenticationInfoResult = Static<typeof AuthenticationInfoResult>

/** The outcome of a primary authentication, confirmed to the home network (TS 33.501 6.1.4). */
export const AuthEvent = Type.Object({
  nfInstanceId: NfInstanceId,
  success: Success,
  timeStamp: DateTime,
  authType: AuthType,
  servingNetworkName: ServingNetworkName,
  authRemovalInd: flag,
  nfSetId: Type.Optional(NfSetId),
  resetIds: Type.Optional(listOf(Type.String())),
  dataRestorationCallbackUri: Type.Optional(Uri),
  udrRestartInd: flag,
  lastSynchronizationTime: Type.Optional(DateTime),
  nswoInd: flag,
})
export type AuthEvent = Static<typeof AuthEvent>

export const RgAuthCtx = Type.Object({
  authInd: Type.Boolean(),
  supi: Type.Optional(Supi),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type RgAuthCtx = Static<typeof RgAuthCtx>

export const HssAuthType = openEnum(['EPS_AKA', 'EAP_AKA', 'EAP_AKA_PRIME', 'IMS_AKA', 'GBA_AKA', 'UMTS_AKA'])
export const HssAuthTypeInUri = openEnum(['eps-aka', 'eap-aka', 'eap-aka-prime', 'ims-aka', 'gba-aka'])
export const AccessNetworkId = openEnum(['HRPD', 'WIMAX', 'WLAN', 'ETHERNET'])
export const NumOfRequestedVectors = Type.Integer({ minimum: 1, maximum: 5 })
export const NodeType = openEnum(['AUSF', 'VLR', 'SGSN', 'S_CSCF', 'BSF', 'GAN_AAA_SERVER', 'WLAN_AAA_SERVER', 'MME'])

export const HssAuthenticationInfoRequest = Type.Object({
  supportedFeatures: Type.Optional(SupportedFeatures),
  hssAuthType: HssAuthType,
  numOfRequestedVectors: NumOfRequestedVectors,
  requestingNodeType: Type.Optional(NodeType),
  servingNetworkId: Type.Optional(PlmnId),
  resynchronizationInfo: Type.Optional(ResynchronizationInfo),
  anId: Type.Optional(AccessNetworkId),
})
export type HssAuthenticationInfoRequest = Static<typeof HssAuthenticationInfoRequest>

/** Vectors of one kind. */
export const HssAuthenticationVectors = oneOf(
  Type.Array(AvEpsAka, fiveAtMost),
  Type.Array(AvImsGbaEapAka, fiveAtMost),
  Type.Array(AvEapAkaPrime, fiveAtMost),
)
export type HssAuthenticationVectors = Static<typeof HssAuthenticationVectors>

export const HssAuthenticationInfoResult = Type.Object({
  supportedFeatures: Type.Optional(SupportedFeatures),
  hssAuthenticationVectors: HssAuthenticationVectors,
})
export type HssAuthenticationInfoResult = Static<typeof HssAuthenticationInfoResult>

export const GbaAuthType = openEnum(['DIGEST_AKAV1_MD5'])

export const GbaAuthenticationInfoRequest = Type.Object({
  authType: GbaAuthType,
  resynchronizationInfo: Type.Optional(ImsResynchronizationInfo),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type GbaAuthenticationInfoRequest = Static<typeof GbaAuthenticationInfoRequest>

export const GbaAuthenticationInfoResult = Type.Object({
  '3gAkaAv': Type.Optional(ThreeGAkaAv),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type GbaAuthenticationInfoResult = Static<typeof GbaAuthenticationInfoResult>

export const ProSeAuthenticationInfoRequest = Type.Object({
  servingNetworkName: ServingNetworkName,
  relayServiceCode: RelayServiceCode,
  resynchronizationInfo: Type.Optional(ResynchronizationInfo),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ProSeAuthenticationInfoRequest = Static<typeof ProSeAuthenticationInfoRequest>

export const ProSeAuthenticationVectors = Type.Array(AvEapAkaPrime, fiveAtMost)

export const ProSeAuthenticationInfoResult = Type.Object({
  authType: AuthType,
  proseAuthenticationVectors: Type.Optional(ProSeAuthenticationVectors),
  supi: Type.Optional(Supi),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ProSeAuthenticationInfoResult = Static<typeof ProSeAuthenticationInfoResult>
