import type { EesMethod } from '../../spec/authentication-methods.ts'
import type { EesId } from '../../spec/identifiers.ts'
import type { Scope } from '../../tokens/scope.ts'

/** How EECs authenticate at the EESs of this ECS (TS 33.558 6.2: the ECS knows the authorization method of each EES). */
export interface EecPolicy {
  /** of each EES that is not in `ees` */
  readonly eesAuthMethods: EesMethod[]
  readonly ees: ReadonlyMap<string, EesMethod[]>
  /** what an EEC can have a token for */
  readonly services: Scope
  /** seconds */
  readonly tokenLifetime: number
}

export function authMethodsOf({ ees, eesAuthMethods }: EecPolicy, eesId: EesId): EesMethod[] {
  return ees.get(eesId) ?? eesAuthMethods
}

/** Whether the EES takes tokens of this ECS at all: for another one there is none. */
export function takesTokens(policy: EecPolicy, eesId: EesId): boolean {
  return authMethodsOf(policy, eesId).includes('EDGE_ACCESS_TOKEN')
}
