import type { Fqdn } from '../../spec/identifiers.ts'
import type { EntitlementTokenClaims } from '../../tokens/entitlement-token.ts'

/** RFC 7662 2.2; `cnf` after RFC 9449 6.2. */
export type Introspection =
  | { readonly active: false }
  | ({ readonly active: true; readonly token_type: 'DPoP' | 'Bearer' } & EntitlementTokenClaims)

export interface IntrospectionPorts {
  /** @returns undefined unless it is a token of ours for this audience that has not expired */
  readToken(token: string, audience: Fqdn): Promise<EntitlementTokenClaims | undefined>
  /** whether the entitlement that it was issued for still stands */
  isGood(jti: string): Promise<boolean>
}

/**
 * Token introspection: RFC 7662, TR 33.739 6.25.2 step 2. Who is not the audience of a token learns nothing about it,
 * not even that it exists (RFC 7662 4).
 */
export async function introspectToken(ent: IntrospectionPorts, caller: Fqdn, token: string): Promise<Introspection> {
  const claims = await ent.readToken(token, caller)
  if (claims === undefined || !(await ent.isGood(claims.jti))) return { active: false }
  return { active: true, token_type: claims.cnf === undefined ? 'Bearer' : 'DPoP', ...claims }
}
