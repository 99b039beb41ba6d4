/** What the audit trail of an entitlement configuration server tells: no token, no key, no SUPI (D-33). */
export type AuditEvent =
  | { readonly event: 'eec-allowed' | 'eec-denied'; readonly eecId: string }
  | { readonly event: 'withdrawn'; readonly eecIds: readonly string[] }
  | {
      readonly event: 'operator-token-issued'
      readonly eecId: string
      readonly aud: string
      /** SHA-256 of `jti`, base64url */
      readonly token: string
    }
  | { readonly event: 'signing-key'; readonly kid: string; readonly signsFrom: number }
