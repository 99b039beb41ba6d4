import { createSecretKey, type KeyObject } from 'node:crypto'

/** Every secret of this room, by the standard's name, and its length in octets. */
const LENGTHS = {
  // the subscription: TS 35.206, with the 128-bit K that MILENAGE takes
  K: 16,
  OP: 16,
  OPc: 16,
  // AKA: TS 33.102 6.3, TS 33.402 A.2
  CK: 16,
  IK: 16,
  "CK'": 16,
  "IK'": 16,
  // 5G: TS 33.501 Annex A
  KAUSF: 32,
  KSEAF: 32,
  KAMF: 32,
  // AKMA: TS 33.535 Annex A
  KAKMA: 32,
  KAF: 32,
  // the edge: D-20
  Kedge: 32,
  K_ECS: 32,
  // EAP: RFC 4187 7, RFC 9048 3.3
  K_encr: 16,
  'EAP-AKA K_aut': 16,
  "EAP-AKA' K_aut": 32,
  K_re: 32,
  MSK: 64,
  EMSK: 64,
} as const

export type KeyName = keyof typeof LENGTHS

declare const keyName: unique symbol

/**
 * A secret that knows its name and that no log line can print: inspected, serialised or turned into a string,
 * a `KeyObject` shows no octet of itself (THREATS KE-11).
 */
export type Key<Name extends KeyName> = KeyObject & { readonly [keyName]: Name }

export type Ck = Key<'CK'>
export type Ik = Key<'IK'>
export type Kausf = Key<'KAUSF'>
export type Kseaf = Key<'KSEAF'>
export type Kamf = Key<'KAMF'>
export type Kakma = Key<'KAKMA'>
export type Kaf = Key<'KAF'>
export type Kedge = Key<'Kedge'>
export type Kecs = Key<'K_ECS'>

/**
 * Takes octets over as a key: they are copied into the key, and the buffer is zeroed.
 *
 * @throws RangeError if there are more or fewer octets than a key of this name has; the buffer is zeroed then as well
 */
export function takeKey<Name extends KeyName>(name: Name, octets: Uint8Array): Key<Name> {
  try {
    if (octets.length !== LENGTHS[name]) throw new RangeError(`${name} has ${LENGTHS[name]} octets`)
    return createSecretKey(octets) as Key<Name>
  } finally {
    octets.fill(0)
  }
}

/** Lends the octets of a key to `use` and zeroes them afterwards; `use` keeps none of them. */
export function withOctets<Result>(key: KeyObject, use: (octets: Buffer) => Result): Result {
  const octets = key.export()
  try {
    return use(octets)
  } finally {
    octets.fill(0)
  }
}

/** A key as it travels to another network function: in a string, which nobody can zero, so made at the very last. */
export function hexOf(key: KeyObject): string {
  return withOctets(key, (octets) => octets.toString('hex'))
}

/** a || b, as where the text says "CK || IK". */
export function concatenation(a: KeyObject, b: KeyObject): KeyObject {
  const octets = withOctets(a, (first) => withOctets(b, (second) => Buffer.concat([first, second])))
  try {
    return createSecretKey(octets)
  } finally {
    octets.fill(0)
  }
}

/**
 * Cuts octets into consecutive keys, in the order in which they are named, and zeroes them all.
 *
 * @throws RangeError if they do not suffice
 */
export function takeKeys<Names extends readonly KeyName[]>(
  octets: Uint8Array,
  ...names: Names
): { [Index in keyof Names]: Key<Names[Index]> } {
  try {
    let end = 0
    const keys = names.map((name) => {
      const start = end
      end += LENGTHS[name]
      return takeKey(name, octets.subarray(start, end))
    })
    return keys as { [Index in keyof Names]: Key<Names[Index]> }
  } finally {
    octets.fill(0)
  }
}
