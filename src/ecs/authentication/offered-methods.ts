import type { EcsMethod } from '../../spec/authentication-methods.ts'
import type { Configuration } from '../configuration.ts'

/** The methods for EECs that are configured: nothing else is told, and nothing else is taken (D-15, THREATS NG-05). */
export function offeredMethods({ authentication }: Pick<Configuration, 'authentication'>): readonly EcsMethod[] {
  const { keyServices, entitlementServers } = authentication
  return [
    ...(keyServices.length > 0 ? (['TLS_KEDGE'] as const) : []),
    ...(entitlementServers.length > 0 ? (['ENTITLEMENT_TOKEN'] as const) : []),
  ]
}
