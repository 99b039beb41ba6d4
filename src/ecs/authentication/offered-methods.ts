import { type EcsMethod, methodsLine } from '../../spec/authentication-methods.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { Configuration } from '../configuration.ts'

/** The methods for EECs that are configured: nothing else is told, and nothing else is taken (D-15, THREATS NG-05). */
export function offeredMethods({ authentication }: Pick<Configuration, 'authentication'>): readonly EcsMethod[] {
  const { keyServices, entitlementServers, eecCertificates } = authentication
  const akma = keyServices.some((service) => service.akma)
  return [
    ...(eecCertificates ? (['TLS_CLIENT_SERVER_CERTIFICATE'] as const) : []),
    ...(akma ? (['TLS_AKMA'] as const) : []),
    ...(keyServices.length > 0 ? (['TLS_KEDGE'] as const) : []),
    ...(entitlementServers.length > 0 ? (['ENTITLEMENT_TOKEN'] as const) : []),
  ]
}

/**
 * An EEC may say which offer it saw, inside the exchange that its choice protects: if that is not ours, somebody has
 * changed the offer on its way (THREATS NG-02).
 *
 * @param said - the header of its request
 * @throws Refusal AUTHENTICATION_METHOD_NOT_ACCEPTED
 */
export function checkMethodsSeen(
  offered: readonly EcsMethod[],
  chosen: EcsMethod,
  said: string | readonly string[] | undefined,
): void {
  const same = said === undefined || said === methodsLine(offered, chosen)
  refuseUnless(same, 'AUTHENTICATION_METHOD_NOT_ACCEPTED', 'the EEC has seen another offer than that of this ECS')
}
