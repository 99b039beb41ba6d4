import { sha256Base64url } from '../octets/digest.ts'

/** What the audit trail tells of keys: who got one, never the key or the subscriber (D-33, THREATS OP-02). */
export interface KeyDelivery {
  readonly event: 'key-delivered'
  /** hashed: it can be recognised, but not read */
  readonly kedgeId: string
  readonly ecs: string
  /** the NEF that asked for the ECS */
  readonly via?: string
  readonly keyScope: 'ECS' | 'UE'
}

/** The same of KAF (TS 33.535 6.2.1). */
export interface ApplicationKeyDelivery {
  readonly event: 'application-key-delivered'
  /** hashed */
  readonly aKid: string
  /** the application function that got it */
  readonly af: string
}

export const hashedKeyId = (id: string) => sha256Base64url(id).slice(0, 22)
