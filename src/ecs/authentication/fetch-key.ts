import { Refusal } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { authenticateByPsk, type PskAuthenticationPorts } from './by-psk.ts'
import { type KeyIdentity, keyIdOf, methodOf, parseIdentity } from './key-id.ts'

export interface FetchPorts extends PskAuthenticationPorts {
  /** the EEC that has proven a key here before, of which this identity speaks */
  eecIdOf(identity: KeyIdentity): EecId | undefined
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
  const keyId = keyIdOf(identity)
  try {
    const request = methodOf(keyId) === 'TLS_AKMA' ? { eecId, aKId: keyId } : { eecId, kedgeId: keyId }
    await authenticateByPsk(ecs, request, source)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}
