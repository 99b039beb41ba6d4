import type { KeyObject } from 'node:crypto'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { formatPskIdentity, type KedgeId, kedgeIdParts, type PskIdentity, parseKedgeId } from '../../spec/kedge-id.ts'
import type {
  EecAuthenticationRequest,
  EecAuthenticationResponse,
  KeyProfile,
} from '../../spec/messages/eec-authentication.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, type Gpsi, parseEecId } from '../../spec/subscriber-identifiers.ts'
import { isPreSharedKey } from '../../tls/psk-profile.ts'
import type { EdgeKey, HeldKey } from './psk-keys.ts'

/** What the key service of the home network answers (D-21). */
export interface DeliveredKey {
  /** 32 octets */
  readonly key: KeyObject
  readonly kedgeId: KedgeId
  readonly gpsi?: Gpsi | undefined
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

export interface KeyQuestion {
  readonly kedgeId: KedgeId
  readonly eecId: EecId
}

/** Where the key of a Kedge ID is asked for: the AUSF in our own domain, the NEF of another (P5). */
export interface KeyService {
  /**
   * @returns undefined if it knows no such key for this ECS and this EEC, whatever the reason
   * @throws Refusal NF_CONGESTION if it cannot be asked, or answers nonsense
   */
  requestKey(question: KeyQuestion): Promise<DeliveredKey | undefined>
}

export interface PskAuthenticationPorts {
  readonly pskEndpoint: string
  readonly keyProfile: KeyProfile
  now(): number
  /** whether this source may have one more key asked for now (D-23) */
  mayAsk(source: string): boolean
  /** @param realm - of the home network, as in the Kedge ID; undefined if this ECS serves no subscribers of it */
  keyService(realm: string): KeyService | undefined
  /** whether this ECS takes this EEC at all (D-28) */
  mayAuthenticate(eecId: EecId): boolean
  /** @returns whether it is held */
  hold(key: EdgeKey): boolean
  find(identity: string): HeldKey | undefined
  forget(identity: string): void
}

const NOT_KNOWN = 'no such key is known'

/**
 * EEC authentication at the ECS: TR 33.839 6.x.2, figures 6.x.2-1 (inside the operator's domain) and 6.x.2-2 (outside),
 * steps 4 to 6. Step 7 is the handshake at the `psk` listener.
 *
 * @param source - where the request came from: the unit that {@link PskAuthenticationPorts.mayAsk} counts by
 * @throws Refusal KEDGE_NOT_FOUND alike for an unknown key, a foreign network and an EEC that is not taken (THREATS NG-06);
 *   TOO_MANY_REQUESTS; NF_CONGESTION
 */
export async function authenticateByPsk(
  ecs: PskAuthenticationPorts,
  request: EecAuthenticationRequest,
  source: string,
): Promise<EecAuthenticationResponse> {
  // Step 4: the EEC sends the authentication request with its EEC ID and Kedge ID.
  const kedgeId = parseKedgeId(request.kedgeId)
  const eecId = parseEecId(request.eecId)
  refuseUnless(kedgeId !== undefined, 'MANDATORY_IE_INCORRECT', 'kedgeId is not a Kedge ID')
  refuseUnless(eecId !== undefined, 'MANDATORY_IE_INCORRECT', 'eecId is not an EEC ID')
  refuseUnless(ecs.mayAsk(source), 'TOO_MANY_REQUESTS', 'too many authentication requests come from there')

  // Step 5: the ECS sends the key request with the Kedge ID to the AUSF, or through the NEF.
  const identity = pskIdentityOf(ecs.keyProfile, { kedgeId, eecId })
  const delivered = await requestKey(ecs, { kedgeId, eecId }).catch((error: unknown) => {
    // What was delivered before is good until it expires, whatever has become of its service (THREATS KE-13).
    const held = heldFor(ecs, identity, eecId)
    if (held !== undefined && error instanceof Refusal && error.code === 'NF_CONGESTION') return held
    throw error
  })

  // Step 6: the key comes back, or failure.
  if (delivered === undefined) {
    if (heldFor(ecs, identity, eecId) !== undefined) ecs.forget(identity)
    throw new Refusal('KEDGE_NOT_FOUND', NOT_KNOWN)
  }
  const { key, gpsi, expiresAt } = delivered
  refuseUnless(ecs.hold({ identity, eecId, kedgeId, key, expiresAt, gpsi }), 'KEDGE_NOT_FOUND', NOT_KNOWN)
  return { pskEndpoint: ecs.pskEndpoint, keyProfile: ecs.keyProfile, expiresAt: new Date(expiresAt).toISOString() }
}

/** @returns undefined if there is no such key that is good now */
export async function requestKey(
  ecs: Pick<PskAuthenticationPorts, 'mayAuthenticate' | 'keyService' | 'now'>,
  question: KeyQuestion,
): Promise<DeliveredKey | undefined> {
  const service = ecs.mayAuthenticate(question.eecId) ? ecs.keyService(realmOf(question.kedgeId)) : undefined
  const delivered = await service?.requestKey(question)
  if (delivered === undefined) return undefined
  refuseUnless(delivered.kedgeId === question.kedgeId, 'NF_CONGESTION', 'the key service answered for another Kedge ID')
  refuseUnless(isPreSharedKey(delivered.key), 'NF_CONGESTION', 'the key service answered no key')
  return delivered.expiresAt > ecs.now() ? delivered : undefined
}

/** D-20b. */
function pskIdentityOf(keyProfile: KeyProfile, { kedgeId, eecId }: KeyQuestion): PskIdentity | KedgeId {
  return keyProfile === 'literal' ? kedgeId : formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId })
}

/** @returns the key that this EEC could use now; a key that is not bound to one EEC is not that of whoever names it */
function heldFor({ find }: Pick<PskAuthenticationPorts, 'find'>, identity: string, eecId: EecId): HeldKey | undefined {
  const held = find(identity)
  return held?.eecIds.has(eecId) ? held : undefined
}

/** As configured: `mnc001.mcc001`, with `nid` before it for a stand-alone network. */
function realmOf(kedgeId: KedgeId): string {
  const { homeNetwork } = kedgeIdParts(kedgeId)
  const nid = homeNetwork.nid === undefined ? '' : `nid${homeNetwork.nid}.`
  return `${nid}mnc${homeNetwork.mnc}.mcc${homeNetwork.mcc}`
}
