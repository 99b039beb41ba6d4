import { type Static, Type } from 'typebox'
import { Autn, Rand, ResynchronizationInfo, ServingNetworkName } from './authentication-vectors.ts'
import { closedEnum, hexDigits, listOf, mapOf, matching, nullable, oneOf, openEnum } from './forms.ts'
import { Bytes, LinksValueSchema, SupportedFeatures } from './ts29571/basic-types.ts'
import { ServerAddressingInfo } from './ts29571/ip-addresses.ts'
import { CagId, NfGroupId } from './ts29571/network-identifiers.ts'
import { FiveGPrukId, Pei, RelayServiceCode, Supi, SupiOrSuci } from './ts29571/subscriber-identifiers.ts'
import { TraceData } from './ts29571/trace-data.ts'

/** Nausf_UEAuthentication, primary authentication by the AUSF: TS 29.509 6.1.6. */

const flag = Type.Optional(Type.Boolean())
const links = mapOf(LinksValueSchema, { minProperties: 0 })

/*
 * The published patterns of these keys are not anchored: they accept any text that has as many digits somewhere in it.
 * Ours hold for the whole text, because the keys have a length (TS 33.501 A.4, A.6).
 */
export const HxresStar = hexDigits(32)
/** null if the UE did not answer */
export const ResStar = nullable(hexDigits(32))
export const Kseaf = hexDigits(64)
export const Msk = hexDigits(128)
export const KnrProSe = hexDigits(64)

/** The published pattern accepts the same strings, in quadratic time (THREATS HT-09). */
export const Suci = matching(/^.+$/)

export const AuthType = openEnum(['5G_AKA', 'EAP_AKA_PRIME', 'EAP_TLS', 'EAP_TTLS'])
export type AuthType = Static<typeof AuthType>

export const AuthResult = closedEnum(['AUTHENTICATION_SUCCESS', 'AUTHENTICATION_FAILURE', 'AUTHENTICATION_ONGOING'])
export type AuthResult = Static<typeof AuthResult>

export const AuthenticationInfo = Type.Object({
  supiOrSuci: SupiOrSuci,
  servingNetworkName: ServingNetworkName,
  resynchronizationInfo: Type.Optional(ResynchronizationInfo),
  pei: Type.Optional(Pei),
  traceData: Type.Optional(TraceData),
  udmGroupId: Type.Optional(NfGroupId),
  routingIndicator: Type.Optional(matching(/^[0-9]{1,4}$/)),
  cellCagInfo: Type.Optional(listOf(CagId)),
  n5gcInd: flag,
  supportedFeatures: Type.Optional(SupportedFeatures),
  nswoInd: flag,
  disasterRoamingInd: flag,
  onboardingInd: flag,
  aun3Ind: flag,
})
export type AuthenticationInfo = Static<typeof AuthenticationInfo>

/** The vector of the serving network: without KAUSF and XRES*, which stay in the home network. */
export const Av5gAka = Type.Object({ rand: Rand, hxresStar: HxresStar, autn: Autn })
export type Av5gAka = Static<typeof Av5gAka>

/** an EAP packet (RFC 3748 4) */
export const EapPayload = nullable(Bytes)
export type EapPayload = Static<typeof EapPayload>

export const UEAuthenticationCtx = Type.Object({
  authType: AuthType,
  '5gAuthData': oneOf(Av5gAka, EapPayload),
  /** `5g-aka` or `eap-session`: where the confirmation goes */
  _links: links,
  servingNetworkName: Type.Optional(ServingNetworkName),
})
export type UEAuthenticationCtx = Static<typeof UEAuthenticationCtx>

export const ConfirmationData = Type.Object({
  resStar: ResStar,
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ConfirmationData = Static<typeof ConfirmationData>

export const ConfirmationDataResponse = Type.Object({
  authResult: AuthResult,
  supi: Type.Optional(Supi),
  kseaf: Type.Optional(Kseaf),
  pvsInfo: Type.Optional(listOf(ServerAddressingInfo)),
})
export type ConfirmationDataResponse = Static<typeof ConfirmationDataResponse>

export const EapSession = Type.Object({
  eapPayload: EapPayload,
  kSeaf: Type.Optional(Kseaf),
  _links: Type.Optional(links),
  authResult: Type.Optional(AuthResult),
  supi: Type.Optional(Supi),
  supportedFeatures: Type.Optional(SupportedFeatures),
  pvsInfo: Type.Optional(listOf(ServerAddressingInfo)),
  msk: Type.Optional(Msk),
})
export type EapSession = Static<typeof EapSession>

export const DeregistrationInfo = Type.Object({
  supi: Supi,
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type DeregistrationInfo = Static<typeof DeregistrationInfo>

export const RgAuthenticationInfo = Type.Object({
  suci: Suci,
  authenticatedInd: Type.Boolean(),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type RgAuthenticationInfo = Static<typeof RgAuthenticationInfo>

export const RgAuthCtx = Type.Object({
  authResult: AuthResult,
  supi: Type.Optional(Supi),
  authInd: flag,
})
export type RgAuthCtx = Static<typeof RgAuthCtx>

export const Nonce1 = nullable(Bytes)
export const Nonce2 = nullable(Bytes)

export const ProSeAuthenticationInfo = Type.Object({
  supiOrSuci: Type.Optional(SupiOrSuci),
  '5gPrukId': Type.Optional(FiveGPrukId),
  relayServiceCode: RelayServiceCode,
  nonce1: Nonce1,
  servingNetworkName: ServingNetworkName,
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ProSeAuthenticationInfo = Static<typeof ProSeAuthenticationInfo>

export const ProSeAuthData = nullable(Bytes)

export const ProSeAuthenticationCtx = Type.Object({
  authType: AuthType,
  _links: links,
  proSeAuthData: ProSeAuthData,
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ProSeAuthenticationCtx = Static<typeof ProSeAuthenticationCtx>

export const ProSeEapSession = Type.Object({
  eapPayload: EapPayload,
  knrProSe: Type.Optional(KnrProSe),
  _links: Type.Optional(links),
  authResult: Type.Optional(AuthResult),
  supportedFeatures: Type.Optional(SupportedFeatures),
  nonce2: Type.Optional(Nonce2),
  '5gPrukId': Type.Optional(FiveGPrukId),
})
export type ProSeEapSession = Static<typeof ProSeEapSession>

export const ProSeAuthenticationResult = Type.Object({
  knrProSe: Type.Optional(KnrProSe),
  nonce2: Type.Optional(Nonce2),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ProSeAuthenticationResult = Static<typeof ProSeAuthenticationResult>
