import { sha256Base64url } from '../octets/digest.ts'

/**
 * What the audit trail tells. Identifiers of tokens stand there as hashes (D-33); keys and tokens never do.
 * Serial numbers are hexadecimal, `expires` is RFC 3339.
 */
export type AuditEvent =
  | {
      readonly event: 'invited'
      readonly eesId: string
      readonly fqdn: string
      readonly token: string
      readonly expires: string
    }
  | {
      readonly event: 'onboarded'
      readonly eesId: string
      readonly fqdn: string
      readonly registrationId: string
      readonly token: string
      readonly key: string
      readonly serial: string
    }
  | { readonly event: 'registered'; readonly eesId: string; readonly fqdn: string; readonly registrationId: string }
  | { readonly event: 'updated'; readonly registrationId: string; readonly version: number }
  | {
      readonly event: 'certificate-intended'
      readonly registrationId: string
      readonly serial: string
      readonly key: string
    }
  | {
      readonly event: 'certificate-issued'
      readonly registrationId: string
      readonly serial: string
      readonly thumbprint: string
    }
  | { readonly event: 'certificate-abandoned'; readonly serial: string }
  | {
      readonly event: 'ended'
      readonly registrationId: string
      readonly eesId: string
      readonly ending: 'deregistered' | 'expired' | 'revoked'
    }
  | {
      readonly event: 'token-issued'
      readonly token: string
      readonly client: string
      readonly audience: string
      readonly scope: string
      /** another ECS that asked for its client */
      readonly srcEcs?: string
      readonly correlation?: string
    }
  | {
      readonly event: 'token-forwarded'
      readonly correlation: string
      readonly srcEcs: string
      readonly client: string
      readonly audience: string
      readonly scope: string
      readonly to: string
    }
  | {
      readonly event: 'discovery-forwarded'
      readonly correlation: string
      readonly client: string
      readonly easId: string
      readonly to: readonly string[]
    }
  | {
      readonly event: 'discovery-answered'
      readonly correlation?: string
      readonly srcEcs: string
      /** its EES that will know; of any if it is not there */
      readonly client?: string
      readonly operation: string
      readonly eess: readonly string[]
    }
  | {
      readonly event: 'peer-added'
      readonly peer: string
      readonly apiRoot: string
      readonly nameSpace: readonly string[]
    }
  | { readonly event: 'peer-removed'; readonly peer: string }
  | { readonly event: 'peer-trust'; readonly peer: string; readonly digest: string }
  | { readonly event: 'token-revoked'; readonly token: string }
  | { readonly event: 'policy-loaded'; readonly digest: string }
  | { readonly event: 'signing-keys'; readonly active: string; readonly published: readonly string[] }
  | {
      readonly event: 'authority-staged' | 'authority-switched' | 'authority-retired'
      /** SHA-256 of its root, hexadecimal */
      readonly root: string
      /** EESs that were left without a certificate of another one */
      readonly left?: number
    }
  | { readonly event: 'backed-up'; readonly epoch: number }

/** How an identifier of a token appears in the trail: it can be recognised there, but not read from it. */
export const hashedTokenId = (jti: string) => sha256Base64url(jti).slice(0, 22)
