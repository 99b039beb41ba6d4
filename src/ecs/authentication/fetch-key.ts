import {
  type KedgeId,
  type PskIdentity,
  parseKedgeId,
  parsePskIdentity,
  pskIdentityParts,
} from '../../spec/kedge-id.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { authenticateByPsk, type PskAuthenticationPorts } from './by-psk.ts'

export interface FetchPorts extends PskAuthenticationPorts {
  /** the EEC that has proven a key here before, of which this identity speaks */
  eecIdOf(identity: PskIdentity | KedgeId): EecId | undefined
}

/** @returns undefined for what cannot be the identity of an EEC in this profile (D-20b) */
export function parseIdentity(keyProfile: KeyProfile, text: string): PskIdentity | KedgeId | undefined {
  return keyProfile === 'literal' ? parseKedgeId(text) : parsePskIdentity(text)
}

/** What stays of an identity when its EEC has a new key: the tag of the EEC ID, where there is one. */
export function eecOfIdentity(identity: PskIdentity | KedgeId): string {
  const bound = parsePskIdentity(identity)
  return bound === undefined ? identity : pskIdentityParts(bound).eecIdTag
}

/**
 * TR 33.839 6.x.2 steps 5 and 6 while the handshake of step 7 waits, for an EEC that leaves step 4 out: one that was
 * here before, and whose key was forgotten or is new. The message of step 4 is made up for it, and everything that
 * holds for that message holds here, limits first.
 *
 * Whether there is a key then, the handshake finds out; nothing is told here.
 */
export async function fetchKey(ecs: FetchPorts, text: string, source: string): Promise<void> {
  const identity = parseIdentity(ecs.keyProfile, text)
  if (identity === undefined || ecs.find(identity) !== undefined) return
  const eecId = ecs.eecIdOf(identity)
  if (eecId === undefined) return
  const bound = parsePskIdentity(identity)
  const kedgeId = bound === undefined ? identity : pskIdentityParts(bound).kedgeId
  try {
    await authenticateByPsk(ecs, { eecId, kedgeId }, source)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}
