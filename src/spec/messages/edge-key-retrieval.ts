import { type Static, Type } from 'typebox'
import { exactlyOneOf } from './forms.ts'
import { KedgeResponse } from './kedge-request.ts'
import { SupportedFeatures } from './ts29571/basic-types.ts'
import { Gpsi } from './ts29571/subscriber-identifiers.ts'

/**
 * The key of the edge through a NEF: ours (D-24), for TR 33.839 6.x.2.1 steps 5.1 and 6.2, in the style of the AKMA API
 * of TS 29.522.
 */

/** Step 5.1. For which ECS it is, the certificate of the caller says (THREATS KE-10). */
export const EdgeKeyRequest = Type.Object({
  afId: Type.String(),
  /** its form is checked by `parseKedgeId` before any use (THREATS KE-14) */
  kedgeId: Type.String(),
  eecId: Type.String(),
  suppFeat: Type.Optional(SupportedFeatures),
})
export type EdgeKeyRequest = Static<typeof EdgeKeyRequest>

const { kedgeId, kedge, kedgeJwe, keyScope, expiry } = KedgeResponse.properties

/** Step 6.2: what the AUSF says, without anything that an ECS outside the operator's domain is not to know. */
export const EdgeKeyData = exactlyOneOf(
  Type.Object({
    kedgeId,
    kedge,
    kedgeJwe,
    keyScope,
    expiry,
    /** only for those with the scope `3gpp-edge-key:gpsi-access`; a SUPI never */
    gpsi: Type.Optional(Gpsi),
  }),
  ['kedge', 'kedgeJwe'],
)
export type EdgeKeyData = Static<typeof EdgeKeyData>
