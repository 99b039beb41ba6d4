import { type Static, Type } from 'typebox'
import { DateTime, Uri } from './ts29122/basic-types.ts'
import { SupportedFeatures } from './ts29571/basic-types.ts'
import { Gpsi, Supi } from './ts29571/subscriber-identifiers.ts'

/** Naanf_AKMA, retrieval of an application key: TS 29.535 6.1.6, with the types of TS 29.522 5.18. */

export const AkmaAfKeyRequest = Type.Object({
  suppFeat: Type.Optional(SupportedFeatures),
  notifUri: Type.Optional(Uri),
  /**
   * AF_ID of TS 33.535 A.4: `<FQDN>`, for shared-key TLS 1.3, or `<FQDN>:<Ua* security protocol identifier, 10 hex>`
   */
  afId: Type.String(),
  /** its form is checked by `parseAKid` before any use */
  aKId: Type.String(),
  anonInd: Type.Optional(Type.Boolean()),
})
export type AkmaAfKeyRequest = Static<typeof AkmaAfKeyRequest>

export const AkmaAfKeyData = Type.Object({
  suppFeat: Type.Optional(SupportedFeatures),
  gpsi: Type.Optional(Gpsi),
  expiry: DateTime,
  /** 64 hexadecimal digits, of which the file says nothing */
  kaf: Type.String(),
  supi: Type.Optional(Supi),
})
export type AkmaAfKeyData = Static<typeof AkmaAfKeyData>
