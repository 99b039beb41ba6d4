import { type Static, Type } from 'typebox'
import { closedEnum, exactlyOneOf } from './forms.ts'
import { DateTime, Uri } from './ts29122/basic-types.ts'

/**
 * Eecs_Authentication, ours (D-23): the authentication request of TR 33.839 6.x.2.1 step 4, before the TLS handshake of
 * step 7.
 */

/** `bound`: the key is K_ECS, for one ECS and one EEC (D-20). `literal`: it is Kedge itself, as the text has it,
 * or KAF, of which the text has nothing else. */
export const KeyProfile = closedEnum(['bound', 'literal'])
export type KeyProfile = Static<typeof KeyProfile>

/** With the name of the key that the EEC has: of Kedge, or of KAKMA. */
export const EecAuthenticationRequest = exactlyOneOf(
  Type.Object({
    eecId: Type.String({ maxLength: 256 }),
    kedgeId: Type.Optional(Type.String({ maxLength: 128 })),
    aKId: Type.Optional(Type.String({ maxLength: 128 })),
  }),
  ['kedgeId', 'aKId'],
)
export type EecAuthenticationRequest = Static<typeof EecAuthenticationRequest>

export const EecAuthenticationResponse = Type.Object({
  /** `https://FQDN:PORT` of the listener that takes the key */
  pskEndpoint: Uri,
  keyProfile: KeyProfile,
  /** when the key ends, and with it every connection */
  expiresAt: DateTime,
})
export type EecAuthenticationResponse = Static<typeof EecAuthenticationResponse>
