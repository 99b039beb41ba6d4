import { Refusal } from '../../spec/refusal.ts'
import type { DeliveredKey, KeyService } from './by-psk.ts'
import type { KeyQuestion } from './key-id.ts'

export interface KeyRequestLimits {
  /** key requests under way at once */
  readonly pending: number
  /** milliseconds for which an ID that was not known is not asked for again */
  readonly unknownFor: number
  /** how many such IDs are remembered */
  readonly unknown: number
}

export const KEY_REQUEST_LIMITS: KeyRequestLimits = { pending: 256, unknownFor: 10_000, unknown: 10_000 }

/**
 * Stands before a key service, so that whoever invents names of keys reaches it rarely (THREATS KE-08): one request an ID,
 * a bounded number at once, and a short memory of what it did not know.
 *
 * @param monotonic - milliseconds
 */
export function guardedKeyService(
  service: KeyService,
  monotonic: () => number,
  limits = KEY_REQUEST_LIMITS,
): KeyService {
  const pending = new Map<string, Promise<DeliveredKey | undefined>>()
  const unknown = new Map<string, number>()

  const ask = async (question: KeyQuestion, name: string) => {
    const delivered = await service.requestKey(question)
    if (delivered === undefined) {
      if (unknown.size >= limits.unknown) unknown.delete(unknown.keys().next().value ?? '')
      unknown.set(name, monotonic() + limits.unknownFor)
    }
    return delivered
  }
  return {
    async requestKey(question) {
      const name = `${question.keyId} ${question.eecId}`
      const underWay = pending.get(name)
      if (underWay !== undefined) return underWay
      if ((unknown.get(name) ?? 0) > monotonic()) return undefined
      unknown.delete(name)
      if (pending.size >= limits.pending) throw new Refusal('NF_CONGESTION', 'too many key requests are under way')
      const asked = ask(question, name).finally(() => pending.delete(name))
      pending.set(name, asked)
      return asked
    },
  }
}
