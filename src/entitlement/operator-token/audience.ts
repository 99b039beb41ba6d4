import type { Fqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { parseEdgeScope } from '../../tokens/scope.ts'

/**
 * The one ECS or EES that a token is asked for: `edge:<FQDN>` (D-12, THREATS EN-02).
 *
 * @param allowed - undefined for any
 * @throws Refusal SCOPE_NOT_GRANTED
 */
export function audienceOf(scope: string, allowed: readonly string[] | undefined): Fqdn {
  const fqdn = parseEdgeScope(scope)
  refuseUnless(fqdn !== undefined, 'SCOPE_NOT_GRANTED', 'the scope is edge:<FQDN>, of one server')
  refuseUnless(allowed?.includes(fqdn) ?? true, 'SCOPE_NOT_GRANTED', 'no token is given for this server')
  return fqdn
}
