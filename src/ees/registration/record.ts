import { type Static, Type } from 'typebox'
import type { EesId, Fqdn, RegistrationId } from '../../spec/identifiers.ts'
import { EESRegistration } from '../../spec/messages/ees-registration.ts'
import { AuthInfo } from '../../spec/messages/onboarding-information.ts'
import type { ServerCredential } from '../../tls/profile.ts'

/** What an EES knows about its registration, as it keeps it. Nothing in it is secret. */
export const RegistrationRecord = Type.Object({
  ecs: Type.Object({ apiRoot: Type.String(), fqdn: Type.Unsafe<Fqdn>(Type.String()) }),
  eesId: Type.Unsafe<EesId>(Type.String()),
  fqdn: Type.Unsafe<Fqdn>(Type.String()),
  registrationId: Type.Unsafe<RegistrationId>(Type.String()),
  /** as the ECS has answered it last */
  registration: EESRegistration,
  /** of that answer (RFC 9110 8.8.3) */
  etag: Type.Optional(Type.String()),
  authInfo: AuthInfo,
})
export type RegistrationRecord = Static<typeof RegistrationRecord>

/** Private key and certificate chain of the EES, which belong to each other. */
export type EesCredential = ServerCredential

/** Everything that is needed to act as this EES. */
export interface StoredRegistration {
  readonly record: RegistrationRecord
  /** PEM: the root of the bundle, or those that the ECS has told of since */
  readonly root: string
  readonly credential: EesCredential
}

/** Where a registration is kept. What a promise has resolved for survives a crash. */
export interface RegistrationStore {
  load(): Promise<StoredRegistration | undefined>
  saveRecord(record: RegistrationRecord): Promise<void>
  /** PEM, one or several. */
  saveRoot(root: string): Promise<void>
  /** Key and certificate change together or not at all, for every reader. */
  saveCredential(credential: EesCredential): Promise<void>
  /** Leaves nothing with which this EES could act. */
  remove(): Promise<void>
}
