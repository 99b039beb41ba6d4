import { type Static, Type } from 'typebox'
import { KeyProfile } from './eec-authentication.ts'
import { hexDigits, matching } from './forms.ts'

/** The local interface of the UE to the EECs on it, ours (D-27): TR 33.839 6.x.2.1 step 3. */

/** What an EEC asks for: its own key for one ECS. */
export const EdgeKeyRequest = Type.Object({
  eecId: Type.String({ maxLength: 128 }),
  ecsFqdn: Type.String({ maxLength: 253 }),
})
export type EdgeKeyRequest = Static<typeof EdgeKeyRequest>

export const EdgeKeyResponse = Type.Object({
  kedgeId: Type.String(),
  pskIdentity: Type.String(),
  /** 32 octets */
  psk: hexDigits(64),
  keyProfile: KeyProfile,
})
export type EdgeKeyResponse = Static<typeof EdgeKeyResponse>

/** The same question is asked for KAF of TS 33.535: this is its answer. */
export const ApplicationKeyResponse = Type.Object({
  aKId: Type.String(),
  pskIdentity: Type.String(),
  /** 32 octets */
  psk: hexDigits(64),
})
export type ApplicationKeyResponse = Static<typeof ApplicationKeyResponse>

/** What an EEC shows at the local interface, as a file that only its owner can read. */
export const EecCredential = Type.Object({
  eecId: Type.String({ maxLength: 128 }),
  /** path of the Unix socket */
  socket: Type.String({ minLength: 1 }),
  /** 32 octets, base64url */
  token: matching(/^[A-Za-z0-9_-]{43}$/),
})
export type EecCredential = Static<typeof EecCredential>
