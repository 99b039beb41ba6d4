import type { EDNConfigInfo, EESInfo } from '../../spec/messages/service-provisioning.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { mayKnow } from '../authorization-server/decide.ts'
import type { Policy } from '../authorization-server/policy.ts'
import { type ProvisioningPorts, toEdnConfigInfo } from '../provisioning/provision-service.ts'
import type { IndexedEes } from '../provisioning/registration-index.ts'
import { wishesOf } from '../provisioning/service-wishes.ts'
import type { EesPeer } from '../registrar/registration.ts'

export interface DiscoveryPorts extends ProvisioningPorts {
  policy(): Policy
  /**
   * Asks other ECSs.
   *
   * @throws Refusal REGISTRATION_NOT_FOUND, PEER_NOT_AVAILABLE, PEER_ANSWER_NOT_ACCEPTED
   */
  discoverElsewhere(caller: EesPeer, wanted: Wanted): Promise<EDNConfigInfo[]>
}

/** What the other EES shall serve, and where. */
export interface Wanted {
  readonly easId: string
  readonly dnai?: string | undefined
}

export interface TargetEesQuery {
  readonly 'ees-id'?: string
  readonly 'eas-id'?: string
  readonly 'target-dnai'?: string
}

/**
 * Eecs_TargetEESDiscovery: TS 29.558 9.2, TS 23.558 8.8.3.3. An EES learns of the EESs that it could have a token for, and of
 * no others; and of those what it takes to reach them and to choose among them, and nothing else (THREATS TK-14).
 * Other ECSs are asked if none of this one fits.
 *
 * @throws Refusal MANDATORY_IE_MISSING, CLIENT_MISMATCH, REGISTRATION_NOT_FOUND if there is none, and what other ECSs say
 */
export async function discoverTargetEes(
  ecs: DiscoveryPorts,
  caller: EesPeer,
  query: TargetEesQuery,
): Promise<EDNConfigInfo[]> {
  const { 'ees-id': eesId, 'eas-id': easId, 'target-dnai': dnai } = query
  refuseUnless(eesId && easId, 'MANDATORY_IE_MISSING', 'ees-id and eas-id are required')
  refuseUnless(eesId === caller.eesId, 'CLIENT_MISMATCH', 'ees-id is another EES than that of the certificate')
  const isKnown = mayKnow(ecs.policy(), caller)
  const fits = (ees: IndexedEes) =>
    ees.registrationId !== caller.registration.registrationId &&
    (dnai === undefined || ees.eesInfo.dnais?.includes(dnai) === true) &&
    isKnown(ees)
  const found = ecs
    .findEess(wishesOf({ acProfs: [{ acId: 'target', eass: [{ easId }] }] }), fits)
    .map((ees) => ({ ...ees, eesInfo: forEess(ees.eesInfo) }))
  return found.length > 0 ? toEdnConfigInfo(found) : ecs.discoverElsewhere(caller, { easId, dnai })
}

/** What one EES may know of another: how EECs authenticate there is not for it. */
export function forEess(eesInfo: EESInfo): EESInfo {
  const { eesId, endPt, easIds, ecspInfo, svcArea, dnais, eesSvcContSupp, eecRegConf } = eesInfo
  return {
    eesId,
    eecRegConf,
    ...(endPt && { endPt }),
    ...(easIds && { easIds }),
    ...(ecspInfo !== undefined && { ecspInfo }),
    ...(svcArea && { svcArea }),
    ...(dnais && { dnais }),
    ...(eesSvcContSupp && { eesSvcContSupp }),
  }
}
