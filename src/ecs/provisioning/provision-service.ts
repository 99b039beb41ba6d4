import type { EcsMethod } from '../../spec/authentication-methods.ts'
import type { ECSServProvReq, EDNConfigInfo } from '../../spec/messages/service-provisioning.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'
import type { IndexedEes } from './registration-index.ts'
import { type Aspects, wishesOf } from './service-wishes.ts'

/** An EEC by its credential: what it may say of itself is what that says (D-16). */
export interface EecPeer {
  /** the one that its key is bound to, or those of its UE that share the key */
  readonly eecIds: ReadonlySet<string>
  readonly gpsi?: string | undefined
}

/** An EEC that has authenticated with one of the methods of this ECS. */
export interface AuthenticatedEec extends EecPeer {
  readonly method: EcsMethod
  /** name of the key of its network, by which its requests are counted: which EEC IDs it is asked for with, its UE says */
  readonly networkKey?: string
  /** RFC 7638 thumbprint of the key that it has proven with this very request, if it did (RFC 9449) */
  readonly jkt?: string | undefined
}

export interface ProvisioningPorts {
  /**
   * @param accept - which of those that fit may be told
   * @returns registrations that live now, not more than an answer has room for
   */
  findEess(wanted: Aspects, accept?: (ees: IndexedEes) => boolean): readonly IndexedEes[]
}

/**
 * Eecs_ServiceProvisioning, request: TS 24.558 5.2; TS 23.558 8.3.3.2.2. The ECS tells the EEC the EESs that serve its
 * application clients where it is.
 *
 * @throws Refusal EEC_MISMATCH
 */
export function provisionService(
  ecs: ProvisioningPorts,
  peer: EecPeer,
  request: ECSServProvReq,
): { readonly eecId: EecId; readonly eess: readonly IndexedEes[] } {
  const eecId = refuseOthers(peer, request)
  return { eecId, eess: ecs.findEess(wishesOf(request)) }
}

/**
 * Who speaks of an EEC or a UE is that EEC on that UE (D-16, THREATS NG-04, RS-01).
 *
 * @throws Refusal EEC_MISMATCH
 */
export function refuseOthers(peer: EecPeer, { eecId, ueId }: Pick<ECSServProvReq, 'eecId' | 'ueId'>): EecId {
  const own = peer.eecIds.has(eecId) ? parseEecId(eecId) : undefined
  refuseUnless(own !== undefined, 'EEC_MISMATCH', 'eecId is not the EEC that has authenticated')
  refuseUnless(ueId === undefined || ueId === peer.gpsi, 'EEC_MISMATCH', 'ueId is not the UE that has authenticated')
  return own
}

/** EESs by the network they stand in; each group lasts as long as the first of it to end. */
export function toEdnConfigInfo(eess: readonly IndexedEes[]): EDNConfigInfo[] {
  return [...Map.groupBy(eess, ({ dnn }) => dnn)].map(([dnn, group]) => ({
    ednConInfo: dnn === '' ? {} : { dnn },
    eess: group.map(({ eesInfo }) => eesInfo),
    lifeTime: new Date(Math.min(...group.map(({ expiresAt }) => expiresAt))).toISOString(),
  }))
}
