import { Refusal } from '../../spec/refusal.ts'
import type { DeliveredKey, KeyService } from './by-psk.ts'

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
 * Stands before a key service, so that whoever invents Kedge IDs reaches it rarely (THREATS KE-08): one request an ID,
 * a bounded number at once, and a short memory of what it did not know.
 */
export function guardedKeyService(service: KeyService, now: () => number, limits = KEY_REQUEST_LIMITS): KeyService {
  const pending = new Map<string, Promise<DeliveredKey | undefined>>()
  const unknown = new Map<string, number>()

  const ask = async (request: Parameters<KeyService['requestKey']>[0], name: string) => {
    const delivered = await service.requestKey(request)
    if (delivered === undefined) {
      if (unknown.size >= limits.unknown) unknown.delete(unknown.keys().next().value ?? '')
      unknown.set(name, now() + limits.unknownFor)
    }
    return delivered
  }
  return {
    async requestKey(request) {
      const name = `${request.kedgeId} ${request.eecId}`
      const under = pending.get(name)
      if (under !== undefined) return copyOf(await under)
      if ((unknown.get(name) ?? 0) > now()) return undefined
      if (pending.size >= limits.pending) throw new Refusal('NF_CONGESTION', 'too many key requests are under way')
      const asked = ask(request, name).finally(() => pending.delete(name))
      pending.set(name, asked)
      return copyOf(await asked)
    },
  }
}

/** Each who waited gets octets of its own: whoever wipes a key wipes only theirs. */
function copyOf(delivered: DeliveredKey | undefined): DeliveredKey | undefined {
  return delivered && { ...delivered, key: Buffer.from(delivered.key) }
}
