import type { Fqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { type EecId, type Gpsi, parseEecId, type Supi } from '../../spec/subscriber-identifiers.ts'
import type { Wish } from '../ts43/request.ts'
import { audienceOf } from './audience.ts'

/** What the operator lets a subscriber use. */
export interface Entitlement {
  readonly supi: Supi
  readonly eecId: EecId
  readonly gpsi?: Gpsi
}

/** What a token will say, all of it from the authenticated subscription (THREATS EN-01). */
export interface Grant {
  readonly entitlement: Entitlement
  readonly aud: Fqdn
  /** RFC 7638 thumbprint of the key that the token is bound to */
  readonly jkt: string | undefined
}

export interface IssuedToken {
  readonly token: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

export interface AcquisitionPorts {
  /** the servers that tokens are given for; any if undefined */
  readonly audiences: readonly string[] | undefined
  readonly unboundTokens: 'refused' | 'allowed'
  /** whether this subscriber may have one more token now */
  mayHaveToken(supi: Supi): boolean
  findEntitlement(supi: Supi, eecId: EecId): Promise<Entitlement | undefined>
  /** Signs, and records what was signed, while the entitlement stands. @throws Refusal NOT_ENTITLED, NF_CONGESTION */
  issue(grant: Grant): Promise<IssuedToken>
}

/**
 * AcquireOperatorToken: TS.43 14.1, D-12. The device asks for one of its EECs and names it in `client_id`; what the
 * operator has not allowed to this subscription is refused, in the same words whoever it belongs to.
 *
 * @throws Refusal MANDATORY_IE_MISSING, SCOPE_NOT_GRANTED, NOT_ENTITLED, TOO_MANY_REQUESTS, NF_CONGESTION
 */
export async function acquireOperatorToken(
  ent: AcquisitionPorts,
  supi: Supi,
  { clientId, scope, msisdn, jkt }: Pick<Wish, 'clientId' | 'scope' | 'msisdn'> & { readonly jkt: string | undefined },
): Promise<IssuedToken & { readonly eecId: EecId }> {
  const complete = clientId !== undefined && scope !== undefined
  refuseUnless(complete, 'MANDATORY_IE_MISSING', 'client_id is the EEC ID, scope is edge:<FQDN>')
  const aud = audienceOf(scope, ent.audiences)
  const bound = jkt !== undefined || ent.unboundTokens === 'allowed'
  refuseUnless(bound, 'MANDATORY_IE_MISSING', 'the token is bound to a key of the EEC: a DPoP proof is required')
  refuseUnless(ent.mayHaveToken(supi), 'TOO_MANY_REQUESTS', 'too many tokens are asked for')

  const eecId = parseEecId(clientId)
  const entitlement = eecId && (await ent.findEntitlement(supi, eecId))
  refuseUnless(entitlement !== undefined, 'NOT_ENTITLED', 'the subscription does not entitle to this EEC ID')
  const ownNumber = msisdn === undefined || `msisdn-${msisdn.replace(/^\+/, '')}` === entitlement.gpsi
  refuseUnless(ownNumber, 'NOT_ENTITLED', 'the number is not that of the subscription')

  const issued = await ent.issue({ entitlement, aud, jkt })
  return { ...issued, eecId: entitlement.eecId }
}
