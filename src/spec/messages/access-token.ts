import { type Static, Type } from 'typebox'
import { NwdafEvent } from './analytics-events.ts'
import { closedEnum, listOf, mapOf, matching } from './forms.ts'
import { NFType, RcfId, VendorId } from './ts29510/nf-management.ts'
import { Bytes, Fqdn, RefToBinaryData, Uri } from './ts29571/basic-types.ts'
import { NfInstanceId, NfServiceSetId, NfSetId, PlmnId, PlmnIdNid, Snssai } from './ts29571/network-identifiers.ts'

/**
 * Nnrf_AccessToken: TS 29.510 6.3.5, OAuth 2.0 (RFC 6749) as 3GPP profiles it.
 * The parties are named by NF instance IDs here; D-11, D-17 and D-19 say what Edgeward puts in their place.
 */

const scope = matching(/^([a-zA-Z0-9_:-]+)( [a-zA-Z0-9_:-]+)*$/)

export const MlModelInterInd = Type.Object({
  analyticsId: NwdafEvent,
  vendorList: listOf(VendorId),
})
export type MlModelInterInd = Static<typeof MlModelInterInd>

/**
 * The form of a request, once decoded; structured members are JSON in the form (`application/x-www-form-urlencoded`).
 */
export const AccessTokenReq = Type.Object({
  grant_type: closedEnum(['client_credentials']),
  nfInstanceId: NfInstanceId,
  nfType: Type.Optional(NFType),
  targetNfType: Type.Optional(NFType),
  /** service names */
  scope,
  targetNfInstanceId: Type.Optional(NfInstanceId),
  requesterPlmn: Type.Optional(PlmnId),
  /** deprecated */
  requesterPlmnList: Type.Optional(Type.Array(PlmnId, { minItems: 2 })),
  requesterSnssaiList: Type.Optional(listOf(Snssai)),
  requesterFqdn: Type.Optional(Fqdn),
  requesterSnpnList: Type.Optional(listOf(PlmnIdNid)),
  targetPlmn: Type.Optional(PlmnId),
  targetSnpn: Type.Optional(PlmnIdNid),
  targetSnssaiList: Type.Optional(listOf(Snssai)),
  targetNsiList: Type.Optional(listOf(Type.String())),
  targetNfSetId: Type.Optional(NfSetId),
  targetNfServiceSetId: Type.Optional(NfServiceSetId),
  hnrfAccessTokenUri: Type.Optional(Uri),
  sourceNfInstanceId: Type.Optional(NfInstanceId),
  vendorId: Type.Optional(VendorId),
  analyticsIds: Type.Optional(listOf(NwdafEvent)),
  requesterInterIndList: Type.Optional(listOf(MlModelInterInd)),
  sourceVendorId: Type.Optional(VendorId),
  afId: Type.Optional(Type.String()),
})
export type AccessTokenReq = Static<typeof AccessTokenReq>

export const AccessTokenRsp = Type.Object({
  /** compact JWS of AccessTokenClaims */
  access_token: Type.String(),
  token_type: closedEnum(['Bearer']),
  /** seconds */
  expires_in: Type.Optional(Type.Integer()),
  /** absent if it is what was asked for */
  scope: Type.Optional(scope),
})
export type AccessTokenRsp = Static<typeof AccessTokenRsp>

export const AccessTokenClaims = Type.Object({
  iss: NfInstanceId,
  sub: NfInstanceId,
  aud: Type.Union([NFType, listOf(NfInstanceId)]),
  scope,
  /** seconds since 1970 */
  exp: Type.Integer(),
  consumerPlmnId: Type.Optional(PlmnId),
  consumerSnpnId: Type.Optional(PlmnIdNid),
  producerPlmnId: Type.Optional(PlmnId),
  producerSnpnId: Type.Optional(PlmnIdNid),
  producerSnssaiList: Type.Optional(listOf(Snssai)),
  producerNsiList: Type.Optional(listOf(Type.String())),
  producerNfSetId: Type.Optional(NfSetId),
  producerNfServiceSetId: Type.Optional(NfServiceSetId),
  sourceNfInstanceId: Type.Optional(NfInstanceId),
  analyticsIdList: Type.Optional(listOf(NwdafEvent)),
  applicableResourceContentFilters: Type.Optional(listOf(RcfId)),
  consumerRcfInfo: Type.Optional(mapOf(listOf(Type.String()))),
  /** seconds since 1970 */
  iat: Type.Optional(Type.Integer()),
  afId: Type.Optional(Type.String()),
  interOpIndList: Type.Optional(listOf(MlModelInterInd)),
})
export type AccessTokenClaims = Static<typeof AccessTokenClaims>

/** RFC 6749 5.2: the errors of a token endpoint, and no others. */
export const AccessTokenErr = Type.Object({
  error: closedEnum([
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
  ]),
  error_description: Type.Optional(Type.String()),
  error_uri: Type.Optional(Type.String()),
})
export type AccessTokenErr = Static<typeof AccessTokenErr>

/** Asks for the key that a token names in its JOSE header (TS 33.501 14.3.3). */
export const RetrieveKeyReq = Type.Object({
  issuer: NfInstanceId,
  /** by name of the header parameter */
  headerParameters: mapOf(Type.String()),
})
export type RetrieveKeyReq = Static<typeof RetrieveKeyReq>

export const RetrieveKeyRsp = Type.Object({
  rawPubKey: Type.Optional(Bytes),
  x509Cert: Type.Optional(RefToBinaryData),
  certChain: Type.Optional(RefToBinaryData),
})
export type RetrieveKeyRsp = Static<typeof RetrieveKeyRsp>
