import type { Alarms } from '../../nf/alarms.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { type KedgeId, parseKedgeId } from '../../spec/kedge-id.ts'
import type { EdgeKeyData, EdgeKeyRequest } from '../../spec/messages/edge-key-retrieval.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'
import { type EcsPeer, GPSI_SCOPE } from '../peers.ts'

/** What the AUSF is asked. */
export interface KeyQuestion {
  readonly kedgeId: KedgeId
  readonly eecId: EecId
  /** as its certificate has it */
  readonly ecsFqdn: Fqdn
}

export interface RetrievalPorts {
  /** whether this ECS may ask once more now */
  allow(ecs: Fqdn): boolean
  readonly alarms: Alarms
  /**
   * @returns undefined if there is no such key
   * @throws Refusal KEDGE_NOT_FOUND if the AUSF gives this ECS none; NF_CONGESTION if it cannot be asked, or lies
   */
  requestKey(question: KeyQuestion): Promise<EdgeKeyData | undefined>
}

/**
 * The relay of the NEF: TR 33.839 6.x.2, figure 6.x.2-2, steps 5.1 to 6.2 (D-24). Whatever the reason is for which
 * there is no key, the answer is the same (THREATS KE-07).
 *
 * @throws Refusal TOO_MANY_REQUESTS, ECS_NOT_AUTHORIZED, MANDATORY_IE_INCORRECT, KEDGE_NOT_FOUND, NF_CONGESTION
 */
export async function retrieveEdgeKey(
  nef: RetrievalPorts,
  ecs: EcsPeer,
  request: EdgeKeyRequest,
): Promise<EdgeKeyData> {
  if (!nef.allow(ecs.fqdn)) {
    nef.alarms.raise('rate-limit', ecs.fqdn)
    throw new Refusal('TOO_MANY_REQUESTS', 'the caller asks too often')
  }
  // Step 5.1: the ECS sends the key request to the NEF; which ECS it is, its certificate says (THREATS KE-10).
  if (request.afId !== ecs.entry.afId) {
    nef.alarms.raise('caller-refused', ecs.fqdn)
    throw new Refusal('ECS_NOT_AUTHORIZED', 'the caller may not do this')
  }
  const kedgeId = parseKedgeId(request.kedgeId)
  const eecId = parseEecId(request.eecId)
  refuseUnless(kedgeId !== undefined, 'MANDATORY_IE_INCORRECT', 'kedgeId is not a Kedge ID')
  refuseUnless(eecId !== undefined, 'MANDATORY_IE_INCORRECT', 'eecId is not an EEC ID')

  // Step 5.2: the NEF forwards it to the AUSF, for that ECS. Step 6.1: the AUSF answers the key, or failure.
  const key = await nef.requestKey({ kedgeId, eecId, ecsFqdn: ecs.fqdn })

  // Step 6.2: the NEF answers the ECS.
  if (key === undefined) {
    nef.alarms.raise('key-id-unknown', ecs.fqdn)
    throw new Refusal('KEDGE_NOT_FOUND', 'there is no key under this Kedge ID')
  }
  return ecs.scopes.has(GPSI_SCOPE) ? key : withoutGpsi(key)
}

function withoutGpsi({ gpsi: _gpsi, ...key }: EdgeKeyData): EdgeKeyData {
  return key
}
