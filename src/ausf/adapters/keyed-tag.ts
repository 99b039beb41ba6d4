import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** Octets of a tag. */
export const TAG_LENGTH = 16

/**
 * What stands for a text in the store: nobody without the data key can tell for which one.
 *
 * @param purpose - the same text has another tag for another purpose
 * @returns makes 16 octets, of HMAC-SHA-256
 */
export function keyedTags(dataKey: KeyObject, purpose: string): (text: string) => Buffer {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', dataKey, '', purpose, 32)))
  return (text) => createHmac('sha256', key).update(text).digest().subarray(0, TAG_LENGTH)
}
