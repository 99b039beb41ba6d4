/** Identifier octets of the types that certificates use (X.690 8.1.2); only tag numbers below 31 exist here. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** [n] IMPLICIT of a primitive type. */
export const contextPrimitive = (n: number): number => 0x80 | n
/** [n] EXPLICIT, or [n] IMPLICIT of a constructed type. */
export const contextConstructed = (n: number): number => 0xa0 | n
