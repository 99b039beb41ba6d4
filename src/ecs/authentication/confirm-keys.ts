import { Refusal } from '../../spec/refusal.ts'
import { type PskAuthenticationPorts, requestKey } from './by-psk.ts'
import type { HeldKey } from './psk-keys.ts'

export interface ConfirmationPorts
  extends Pick<PskAuthenticationPorts, 'mayAuthenticate' | 'keyService' | 'now' | 'forget'> {
  /** keys that are perhaps no longer those of their EECs */
  inDoubt(): readonly HeldKey[]
  confirm(identity: string): void
}

/**
 * Asks the networks whether keys that a newer one has perhaps replaced are still good: the ECS cannot see a primary
 * authentication, and the message that names a new key proves nothing (THREATS KE-03).
 */
export async function confirmKeys(ecs: ConfirmationPorts): Promise<void> {
  for (const { identity, keyId, eecIds, key } of ecs.inDoubt()) {
    const [eecId] = eecIds
    if (eecId === undefined) continue
    try {
      const delivered = await requestKey(ecs, { keyId, eecId })
      if (delivered?.key.equals(key)) ecs.confirm(identity)
      else ecs.forget(identity)
    } catch (error) {
      // Until it can be asked, what it delivered is good.
      if (!(error instanceof Refusal)) throw error
    }
  }
}
