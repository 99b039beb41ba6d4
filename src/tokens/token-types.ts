import type { ApplicationError } from '../spec/application-errors.ts'

/** The key's name, the digest of its certificate, the key itself. */
export type HeaderMember = 'kid' | 'x5t#S256' | 'jwk'

/** What makes one kind of JWT another kind than the next, whoever signed it (RFC 8725 3.11, THREATS TK-06). */
export interface TokenType {
  /** header `typ`, without the prefix "application/" (RFC 7515 4.1.9) */
  readonly typ: string
  /** what the header says beside `alg` and `typ`: exactly this, and `kid` alone if not given */
  readonly header?: readonly HeaderMember[]
  /** characters, 8,192 if not given (THREATS TK-10) */
  readonly longest?: number
  /** how a verifier of this type says no */
  readonly refusal: ApplicationError
}

/** @see docs/decisions/0002-token-types.md */
export const TOKEN_TYPES = {
  onboarding: { typ: 'edge-onboarding+jwt', refusal: 'ONBOARDING_TOKEN_INVALID' },
  access: { typ: 'at+jwt', refusal: 'TOKEN_INVALID' },
  entitlement: { typ: 'edge-entitlement+jwt', header: ['kid', 'x5t#S256'], refusal: 'TOKEN_INVALID' },
  forwarding: { typ: 'edge-forwarding+jwt', refusal: 'FORWARDING_INVALID' },
  forwardingHop: { typ: 'edge-forwarding-hop+jwt', refusal: 'FORWARDING_INVALID' },
  trustBundle: { typ: 'edge-trust-bundle+jwt', longest: 32 * 1024, refusal: 'TRUST_BUNDLE_INVALID' },
  proofOfPossession: { typ: 'edge-pop+jwt', refusal: 'PROOF_OF_POSSESSION_FAILED' },
  dpop: { typ: 'dpop+jwt', header: ['jwk'], refusal: 'DPOP_PROOF_INVALID' },
} as const satisfies Record<string, TokenType>
