import { type KeyObject, timingSafeEqual } from 'node:crypto'
import { MOST_EEC_IDS } from '../../spec/messages/kedge-request.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { keyedTags, TAG_LENGTH } from './keyed-tag.ts'

/** The EEC IDs of a subscriber, as the store has them beside its Kedge: a tag for each, nothing where there is no list. */
export interface EecIdLists {
  /** @param eecIds - up to 16 */
  of(eecIds: readonly EecId[]): Buffer
  /** Takes the same steps whatever stands in the list, and where there is none (THREATS KE-07). */
  has(list: Uint8Array, eecId: EecId | undefined): boolean
}

export function eecIdLists(dataKey: KeyObject): EecIdLists {
  const tagOf = keyedTags(dataKey, 'edgeward EEC ID')
  return {
    of: (eecIds) => Buffer.concat(eecIds.map(tagOf)),
    has(list, eecId) {
      // No EEC ID is empty, and no tag is zeros but for one text in 2^128.
      const tag = tagOf(eecId ?? '')
      const slots = Buffer.alloc(MOST_EEC_IDS * TAG_LENGTH)
      slots.set(list)
      let matches = 0
      for (let slot = 0; slot < slots.length; slot += TAG_LENGTH) {
        matches += Number(timingSafeEqual(slots.subarray(slot, slot + TAG_LENGTH), tag))
      }
      return matches > 0
    },
  }
}
