import { createCipheriv, type KeyObject } from 'node:crypto'

import { requireLength } from '../octets/require-length.ts'
import { xor } from '../octets/xor.ts'
import { type Ck, type Ik, type Key, takeKey, withOctets } from './key.ts'

/**
 * MILENAGE, the example algorithm set of TS 35.206 for f1 to f5 and f1*, f5*, with AES-128 as its kernel.
 *
 *     TEMP = E[RAND xor OPc]K
 *     IN1  = SQN || AMF || SQN || AMF
 *     OUT1 = E[TEMP xor rot(IN1 xor OPc, r1) xor c1]K xor OPc
 *     OUTi = E[rot(TEMP xor OPc, ri) xor ci]K xor OPc           for i = 2 to 5
 */

/** What the AuC and the USIM share: K and the operator's variant of the algorithm. */
export interface SubscriberKeys {
  readonly k: Key<'K'>
  readonly opc: Key<'OPc'>
}

/** ri in octets to the left, ci as the last octet: TS 35.206 4.1. */
const ROTATION = [8, 0, 4, 8, 12] as const
const CONSTANT = [0, 1, 2, 4, 8] as const

type Output = 1 | 2 | 3 | 4 | 5

/** OPc = OP xor E[OP]K: TS 35.206 4.1. */
export function deriveOpc(k: Key<'K'>, op: Key<'OP'>): Key<'OPc'> {
  return withOctets(op, (octets) => {
    const encrypted = encrypt(k, octets)
    const opc = takeKey('OPc', xor(encrypted, octets))
    encrypted.fill(0)
    return opc
  })
}

/**
 * f1 and f1*, the message authentication codes of network and USIM.
 *
 * @param rand - 16 octets
 * @param sqn - 6 octets
 * @param amf - 2 octets; 0000 for MAC-S (TS 33.102 6.3.3)
 * @returns MAC-A = f1 and MAC-S = f1*, 8 octets each
 */
export function f1(
  keys: SubscriberKeys,
  rand: Uint8Array,
  sqn: Uint8Array,
  amf: Uint8Array,
): { macA: Buffer; macS: Buffer } {
  const in1 = Buffer.concat([sqn, amf, sqn, amf])
  const out1 = output(keys, rand, 1, in1)
  return { macA: out1.subarray(0, 8), macS: out1.subarray(8, 16) }
}

/**
 * f2 to f5.
 *
 * @param rand - 16 octets
 * @returns RES = f2 (8 octets), CK = f3, IK = f4, AK = f5 (6 octets)
 */
export function f2345(keys: SubscriberKeys, rand: Uint8Array): { res: Buffer; ck: Ck; ik: Ik; ak: Buffer } {
  const out2 = output(keys, rand, 2)
  return {
    res: out2.subarray(8, 16),
    ck: takeKey('CK', output(keys, rand, 3)),
    ik: takeKey('IK', output(keys, rand, 4)),
    ak: out2.subarray(0, 6),
  }
}

/** f5*, the anonymity key of a resynchronisation. @returns 6 octets */
export function f5star(keys: SubscriberKeys, rand: Uint8Array): Buffer {
  return output(keys, rand, 5).subarray(0, 6)
}

function output({ k, opc }: SubscriberKeys, rand: Uint8Array, i: Output, in1?: Uint8Array): Buffer {
  requireLength('RAND', rand, 16)
  return withOctets(opc, (opcOctets) => {
    const masked = xor(rand, opcOctets)
    const temp = encrypt(k, masked)
    const mixed = xor(in1 ?? temp, opcOctets)
    const rotated = rotate(mixed, ROTATION[i - 1] ?? 0)
    const block = in1 === undefined ? rotated : xor(temp, rotated)
    block[15] = (block[15] ?? 0) ^ (CONSTANT[i - 1] ?? 0)
    const encrypted = encrypt(k, block)
    const out = xor(encrypted, opcOctets)
    for (const octets of [masked, temp, mixed, rotated, block, encrypted]) octets.fill(0)
    return out
  })
}

/** E[X]K: one block of AES-128. */
function encrypt(k: KeyObject, block: Uint8Array): Buffer {
  return createCipheriv('aes-128-ecb', k, null).setAutoPadding(false).update(block)
}

function rotate(block: Buffer, octets: number): Buffer {
  return Buffer.concat([block.subarray(octets), block.subarray(0, octets)])
}
