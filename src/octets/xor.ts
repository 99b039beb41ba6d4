/** @throws RangeError if the lengths differ */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  if (a.length !== b.length) throw new RangeError('only octets of one length can be combined by xor')
  return Buffer.from(a.map((octet, index) => octet ^ (b[index] ?? 0)))
}
