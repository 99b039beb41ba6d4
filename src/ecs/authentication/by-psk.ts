import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { formatPskIdentity, type KedgeId, kedgeIdParts, parseKedgeId } from '../../spec/kedge-id.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, type Gpsi, parseEecId } from '../../spec/subscriber-identifiers.ts'
import type { EdgeKey } from './psk-keys.ts'

/** `bound`: the key is K_ECS, for this ECS and this EEC alone (D-20). `literal`: it is Kedge itself, as the text has it. */
export type KeyProfile = 'bound' | 'literal'

export interface AuthenticationRequest {
  readonly eecId: string
  readonly kedgeId: string
}

export interface AuthenticationAnswer {
  /** `https://FQDN:PORT` of the listener that takes the key */
  readonly pskEndpoint: string
  readonly keyProfile: KeyProfile
  /** RFC 3339 */
  readonly expiresAt: string
}

/** What the key service of the home network answers (D-21). */
export interface DeliveredKey {
  /** 32 octets */
  readonly key: Buffer
  readonly kedgeId: KedgeId
  readonly gpsi?: Gpsi
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** Where the key of a Kedge ID is asked for: the AUSF in our own domain, the NEF of another (P5). */
export interface KeyService {
  /**
   * @returns undefined if it knows no such key for this ECS and this EEC, whatever the reason
   * @throws Refusal NF_CONGESTION if it cannot be asked, or answers nonsense
   */
  requestKey(request: { readonly kedgeId: KedgeId; readonly eecId: EecId }): Promise<DeliveredKey | undefined>
}

export interface PskAuthenticationPorts {
  readonly pskEndpoint: string
  readonly keyProfile: KeyProfile
  now(): number
  /** @param realm - of the home network, as in the Kedge ID; undefined if this ECS serves no subscribers of it */
  keyService(realm: string): KeyService | undefined
  /** whether this ECS takes this EEC at all (D-28) */
  mayAuthenticate(eecId: EecId): boolean
  hold(key: EdgeKey): void
}

const NOT_KNOWN = 'no such key is known'

/**
 * EEC authentication at the ECS: TR 33.839 6.x.2, figures 6.x.2-1 (inside the operator's domain) and 6.x.2-2 (outside),
 * steps 4 to 6. Step 7 is the handshake at the `psk` listener.
 *
 * @throws Refusal KEDGE_NOT_FOUND alike for an unknown key, a foreign network and an EEC that is not taken (THREATS NG-06)
 */
export async function authenticateByPsk(
  ecs: PskAuthenticationPorts,
  request: AuthenticationRequest,
): Promise<AuthenticationAnswer> {
  // Step 4: the EEC sends the authentication request with its EEC ID and Kedge ID.
  const kedgeId = parseKedgeId(request.kedgeId)
  const eecId = parseEecId(request.eecId)
  refuseUnless(kedgeId !== undefined, 'MANDATORY_IE_INCORRECT', 'kedgeId is not a Kedge ID')
  refuseUnless(eecId !== undefined, 'MANDATORY_IE_INCORRECT', 'eecId is not an EEC ID')

  // Step 5: the ECS sends the key request with the Kedge ID to the AUSF, or through the NEF.
  const service = ecs.mayAuthenticate(eecId) ? ecs.keyService(realmOf(kedgeId)) : undefined
  const delivered = await service?.requestKey({ kedgeId, eecId })

  // Step 6: the key comes back, or failure.
  if (delivered === undefined) throw new Refusal('KEDGE_NOT_FOUND', NOT_KNOWN)
  refuseUnless(delivered.kedgeId === kedgeId, 'NF_CONGESTION', 'the key service answered for another Kedge ID')
  refuseUnless(isKey(delivered.key), 'NF_CONGESTION', 'the key service answered no key')
  refuseUnless(delivered.expiresAt > ecs.now(), 'KEDGE_NOT_FOUND', NOT_KNOWN)

  const identity = ecs.keyProfile === 'literal' ? kedgeId : formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId })
  const { key, gpsi, expiresAt } = delivered
  ecs.hold({ identity, eecId, kedgeId, key, expiresAt, ...(gpsi !== undefined && { gpsi }) })
  return { pskEndpoint: ecs.pskEndpoint, keyProfile: ecs.keyProfile, expiresAt: new Date(expiresAt).toISOString() }
}

/** As configured: `mnc001.mcc001`, with `nid` before it for a stand-alone network. */
function realmOf(kedgeId: KedgeId): string {
  const { homeNetwork } = kedgeIdParts(kedgeId)
  const nid = homeNetwork.nid === undefined ? '' : `nid${homeNetwork.nid}.`
  return `${nid}mnc${homeNetwork.mnc}.mcc${homeNetwork.mcc}`
}

/** THREATS PS-09: exactly 32 octets, and not all the same. */
function isKey(key: Buffer): boolean {
  return key.length === 32 && key.some((octet) => octet !== key[0])
}
