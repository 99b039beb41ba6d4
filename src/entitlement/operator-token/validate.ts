import { AP2015 } from '../../spec/entitlement-operations.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EntitlementDocument, ValidationRequest } from '../../spec/messages/entitlement.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { type IntrospectionPorts, introspectToken } from './introspect.ts'

/**
 * ValidateOperatorToken: TS.43 14.1.6, the same question in the words of TS.43. The answer carries no fast
 * authentication token.
 *
 * @param caller - of the client certificate, and no other may be named
 * @throws Refusal POLICY_DENIED, MANDATORY_IE_INCORRECT
 */
export async function validateOperatorToken(
  ent: IntrospectionPorts,
  caller: Fqdn,
  request: ValidationRequest,
): Promise<EntitlementDocument['ap2015']> {
  const { requestor_id: requestor, app, operation, operator_token: token, client_id: clientId, scope } = request
  refuseUnless(requestor.toLowerCase() === caller, 'POLICY_DENIED', 'requestor_id is not the name in the certificate')
  refuseUnless(app.toLowerCase() === AP2015, 'MANDATORY_IE_INCORRECT', `this server entitles to ${AP2015} only`)
  const known = operation.toLowerCase() === 'validateoperatortoken'
  refuseUnless(known, 'MANDATORY_IE_INCORRECT', 'there is no such operation here')

  const answer = await introspectToken(ent, caller, token)
  const wanted = { client_id: clientId, scope }
  const named = (['client_id', 'scope'] as const).filter((name) => wanted[name] !== undefined)
  const valid = answer.active && named.every((name) => answer[name] === wanted[name])
  return {
    OperatorTokenValidity: valid ? '1' : '0',
    ...(valid && named.length > 0 && { OperatorTokenValidatedParams: named.join(',') }),
    OperationResult: '1',
  }
}
