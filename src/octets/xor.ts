/** @throws RangeError if the lengths differ */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  if (a.length !== b.length) throw new RangeError('only octets of one length can be combined by xor')
  // Written where it stays: a second copy would be one more to zero.
  const result = Buffer.alloc(a.length)
  for (const [index, octet] of a.entries()) result[index] = octet ^ (b[index] ?? 0)
  return result
}
