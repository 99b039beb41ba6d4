import { deriveKecs, type EdgeFunctionCodes } from '../../keys/kedge.ts'
import type { Kecs, Kedge } from '../../keys/key.ts'
import type { Alarms } from '../../nf/alarms.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { type KedgeId, parseKedgeId } from '../../spec/kedge-id.ts'
import type { KedgeRequest } from '../../spec/messages/kedge-request.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'
import { hashedKeyId, type KeyDelivery } from '../audit.ts'
import type { EncryptionKey } from '../configuration.ts'
import type { AusfPeer } from '../peers.ts'

export interface KeyRequestPorts {
  now(): number
  /** whether this caller may ask once more now */
  allow(caller: string): boolean
  readonly alarms: Alarms
  readonly keyProfile: 'bound' | 'literal'
  readonly functionCodes: EdgeFunctionCodes
  /** whether an ECS of this name calls by itself: then no NEF speaks for it */
  isCaller(ecs: string): boolean
  /**
   * Always returns a key, and always takes the same steps to find it: one of nobody's where there is none.
   *
   * @returns `until` in milliseconds; undefined if there is none that is good now
   */
  findKedge(kedgeId: KedgeId, now: number): Promise<FoundKedge>
  /** @returns a compact JWE for the holder of the private key */
  encryptTo(recipient: EncryptionKey, key: Kecs | Kedge): string
  record(delivery: KeyDelivery): Promise<void>
}

export interface FoundKedge {
  readonly kedge: Kedge
  /** milliseconds since 1970 */
  readonly until: number | undefined
  /**
   * Whether this is an EEC of the subscriber (THREATS NG-04). Always takes the same steps to say so.
   *
   * @param eecId - undefined: the request names none
   */
  mayUse(eecId: EecId | undefined): boolean
}

export type DeliveredKey = {
  readonly kedgeId: KedgeId
  readonly keyScope: 'ECS' | 'UE'
  /** milliseconds since 1970 */
  readonly until: number
} & (
  | { readonly kedge: Kecs | Kedge; readonly kedgeJwe?: never }
  | { readonly kedgeJwe: string; readonly kedge?: never }
)

/**
 * Nausf_UEAuthentication_keyrequest: TR 33.839 6.x.2.1 steps 5 and 6, and 5.2 where a NEF asks for an ECS.
 * Whatever the reason is for which there is no key, the answer is the same, and so is the work (THREATS KE-07).
 *
 * @throws Refusal TOO_MANY_REQUESTS, MANDATORY_IE_INCORRECT, MANDATORY_IE_MISSING, ECS_NOT_AUTHORIZED, KEDGE_NOT_FOUND
 */
export async function keyRequest(
  ausf: KeyRequestPorts,
  caller: AusfPeer,
  request: KedgeRequest,
): Promise<DeliveredKey> {
  if (!ausf.allow(caller.fqdn)) {
    ausf.alarms.raise('rate-limit', caller.fqdn)
    throw new Refusal('TOO_MANY_REQUESTS', 'the caller asks too often')
  }
  // Step 5: the ECS asks with the Kedge ID; which ECS it is, its certificate says.
  const kedgeId = parseKedgeId(request.kedgeId)
  refuseUnless(kedgeId !== undefined, 'MANDATORY_IE_INCORRECT', 'kedgeId is not a Kedge ID')
  const ecs = ecsOf(ausf, caller, request.ecsFqdn)
  const eecId = eecOf(ausf, request.eecId)

  // Step 6: the AUSF answers the key, or failure.
  const { kedge, until, mayUse } = await ausf.findKedge(kedgeId, ausf.now())
  const isItsEec = mayUse(eecId)
  const bound = ausf.keyProfile === 'bound' ? eecId : undefined
  const key = bound === undefined ? kedge : deriveKecs(kedge, ecs.fqdn, bound, ausf.functionCodes)
  const carried =
    ecs.encryptionKey === undefined ? { kedge: key } : { kedgeJwe: ausf.encryptTo(ecs.encryptionKey, key) }
  if (until === undefined || !isItsEec) {
    ausf.alarms.raise('key-id-unknown', caller.fqdn)
    throw new Refusal('KEDGE_NOT_FOUND', 'there is no key under this Kedge ID')
  }
  const keyScope = bound === undefined ? 'UE' : 'ECS'
  const via = caller.fqdn === ecs.fqdn ? {} : { via: caller.fqdn }
  await ausf.record({ event: 'key-delivered', kedgeId: hashedKeyId(kedgeId), ecs: ecs.fqdn, ...via, keyScope })
  return { kedgeId, keyScope, until, ...carried }
}

/**
 * An ECS is the one of its certificate, whatever the message says (THREATS KE-04). A NEF names the one that it asks
 * for: one of its own list, and never one that calls by itself (THREATS KE-10).
 */
function ecsOf(
  { alarms, isCaller }: KeyRequestPorts,
  { fqdn, entry }: AusfPeer,
  named: string | undefined,
): { readonly fqdn: Fqdn; readonly encryptionKey?: EncryptionKey | undefined } {
  if (entry.nfType !== 'NEF') {
    if (named !== undefined && parseFqdn(named) !== fqdn) alarms.raise('foreign-ecs-named', fqdn)
    return { fqdn, encryptionKey: entry.encryptionKey }
  }
  refuseUnless(named !== undefined, 'MANDATORY_IE_MISSING', 'a NEF names the ECS that it asks for')
  const ecs = parseFqdn(named)
  const listed = entry.ecs?.find((each) => each.fqdn === ecs)
  if (ecs === undefined || listed === undefined || isCaller(ecs)) {
    alarms.raise('foreign-ecs-named', fqdn)
    throw new Refusal('ECS_NOT_AUTHORIZED', 'the caller does not speak for this ECS')
  }
  return { fqdn: ecs, encryptionKey: listed.encryptionKey }
}

/** @returns undefined in the profile `literal` alone, where the request need not name the EEC */
function eecOf({ keyProfile }: KeyRequestPorts, named: string | undefined): EecId | undefined {
  if (named === undefined && keyProfile === 'literal') return undefined
  refuseUnless(named !== undefined, 'MANDATORY_IE_MISSING', 'eecId is needed: keys are bound to EECs here')
  const eecId = parseEecId(named)
  refuseUnless(eecId !== undefined, 'MANDATORY_IE_INCORRECT', 'eecId is not an EEC ID')
  return eecId
}
