import type { KeyObject } from 'node:crypto'
import { parseAKid } from '../../spec/a-kid.ts'
import { parseKedgeId } from '../../spec/kedge-id.ts'
import type {
  EecAuthenticationRequest,
  EecAuthenticationResponse,
  KeyProfile,
} from '../../spec/messages/eec-authentication.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, type Gpsi, parseEecId } from '../../spec/subscriber-identifiers.ts'
import { isPreSharedKey } from '../../tls/psk-profile.ts'
import { identityOf, type KeyId, type KeyQuestion, profileOf } from './key-id.ts'
import type { EdgeKey, HeldKey } from './psk-keys.ts'

/** What the key service of the home network answers (D-21), or its AAnF (TS 33.535 6.2.1). */
export interface DeliveredKey {
  /** 32 octets */
  readonly key: KeyObject
  readonly keyId: KeyId
  readonly gpsi?: Gpsi | undefined
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** Where a key is asked for: the AUSF in our own domain, the NEF of another (P5). */
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
  /** @returns undefined if this ECS serves no subscribers of that home network, or not with keys of this kind */
  keyService(keyId: KeyId): KeyService | undefined
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
  const keyId = keyIdIn(request)
  const eecId = parseEecId(request.eecId)
  refuseUnless(eecId !== undefined, 'MANDATORY_IE_INCORRECT', 'eecId is not an EEC ID')
  refuseUnless(ecs.mayAsk(source), 'TOO_MANY_REQUESTS', 'too many authentication requests come from there')

  // Step 5: the ECS sends the key request with the Kedge ID to the AUSF, or through the NEF.
  const identity = identityOf(ecs.keyProfile, { keyId, eecId })
  const delivered = await requestKey(ecs, { keyId, eecId }).catch((error: unknown) => {
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
  refuseUnless(ecs.hold({ identity, eecId, keyId, key, expiresAt, gpsi }), 'KEDGE_NOT_FOUND', NOT_KNOWN)
  const keyProfile = profileOf(ecs.keyProfile, keyId)
  return { pskEndpoint: ecs.pskEndpoint, keyProfile, expiresAt: new Date(expiresAt).toISOString() }
}

function keyIdIn({ kedgeId, aKId }: EecAuthenticationRequest): KeyId {
  const keyId = kedgeId === undefined ? parseAKid(aKId) : parseKedgeId(kedgeId)
  refuseUnless(keyId !== undefined, 'MANDATORY_IE_INCORRECT', 'the name of the key is not a Kedge ID or A-KID')
  return keyId
}

/** @returns undefined if there is no such key that is good now */
export async function requestKey(
  ecs: Pick<PskAuthenticationPorts, 'mayAuthenticate' | 'keyService' | 'now'>,
  question: KeyQuestion,
): Promise<DeliveredKey | undefined> {
  const service = ecs.mayAuthenticate(question.eecId) ? ecs.keyService(question.keyId) : undefined
  const delivered = await service?.requestKey(question)
  if (delivered === undefined) return undefined
  refuseUnless(delivered.keyId === question.keyId, 'NF_CONGESTION', 'the key service answered for another key')
  refuseUnless(isPreSharedKey(delivered.key), 'NF_CONGESTION', 'the key service answered no key')
  return delivered.expiresAt > ecs.now() ? delivered : undefined
}

/** @returns the key that this EEC could use now; a key that is not bound to one EEC is not that of whoever names it */
function heldFor({ find }: Pick<PskAuthenticationPorts, 'find'>, identity: string, eecId: EecId): HeldKey | undefined {
  const held = find(identity)
  return held?.eecIds.has(eecId) ? held : undefined
}
