import { type Static, Type } from 'typebox'
import { closedEnum, hexDigits, matching } from './forms.ts'
import { DateTime, Fqdn, SupportedFeatures } from './ts29571/basic-types.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'
import { AuthenticationInfoResult } from './ueau.ts'

/**
 * What the key of the edge adds to Nudm_UEAU and Nausf_UEAuthentication: ours (D-21, D-22), for TR 33.839 6.x.2.1
 * steps 2, 5 and 6.
 */

/** As many EEC IDs as one subscriber may have. */
export const MOST_EEC_IDS = 16

/** The vector comes with what the subscription allows beside authentication. */
export const EdgeAuthenticationInfoResult = Type.Object({
  ...AuthenticationInfoResult.properties,
  /** the subscriber may use the edge: the AUSF derives Kedge (D-22) */
  edgeInd: Type.Optional(Type.Boolean()),
  /** the EEC IDs of the subscriber; without it, the UDM says of none whose it is (THREATS NG-04) */
  eecIds: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: MOST_EEC_IDS, uniqueItems: true })),
})
export type EdgeAuthenticationInfoResult = Static<typeof EdgeAuthenticationInfoResult>

/** Nausf_UEAuthentication_keyrequest, step 5. For which ECS it is, the certificate of the caller says. */
export const KedgeRequest = Type.Object({
  /** its form is checked by `parseKedgeId` before any use (THREATS KE-14) */
  kedgeId: Type.String(),
  /** mandatory where keys are bound to EECs (D-20), and where the subscriber has a list of them */
  eecId: Type.Optional(Type.String()),
  /** the ECS for which a NEF asks; from any other caller it means nothing (THREATS KE-10) */
  ecsFqdn: Type.Optional(Fqdn),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type KedgeRequest = Static<typeof KedgeRequest>

/** Step 6. The key stands in `kedge`, or in `kedgeJwe` for an ECS whose public key is known (THREATS KE-09). */
export const KedgeResponse = Type.Object({
  kedgeId: Type.String(),
  /** K_ECS, or Kedge itself in the profile `literal` */
  kedge: Type.Optional(hexDigits(64)),
  /** compact JWE (RFC 7516 7.1), ECDH-ES and A256GCM, over the 32 octets of the key */
  kedgeJwe: Type.Optional(
    matching(/^[A-Za-z0-9_-]{1,512}\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}$/),
  ),
  /** `ECS`: the key of one EEC and one ECS; `UE`: that of all */
  keyScope: closedEnum(['ECS', 'UE']),
  expiry: DateTime,
  /** of the subscriber, from an AUSF that knows it; ours does not */
  gpsi: Type.Optional(Gpsi),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type KedgeResponse = Static<typeof KedgeResponse>
