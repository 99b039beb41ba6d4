import { sameOctets } from '../octets/digest.ts'
import { requireLength } from '../octets/require-length.ts'
import { xor } from '../octets/xor.ts'
import type { Ck, Ik } from './key.ts'
import { f1, f5star, f2345, type SubscriberKeys } from './milenage.ts'

/** What the AuC makes for one authentication: TS 33.102 6.3.2. */
export interface AuthenticationVector {
  /** 16 octets */
  readonly rand: Buffer
  /** 16 octets: SQN xor AK (6), AMF (2), MAC-A (8) */
  readonly autn: Buffer
  /** 8 octets */
  readonly xres: Buffer
  readonly ck: Ck
  readonly ik: Ik
}

/** What the USIM knows after AUTN proved to come from the home network: TS 33.102 6.3.3. SQN is not judged yet. */
export interface VerifiedChallenge {
  /** 0 to 2^48 - 1 */
  readonly sqn: number
  /** 0 to 65535 */
  readonly amf: number
  /** 8 octets */
  readonly res: Buffer
  readonly ck: Ck
  readonly ik: Ik
}

/** The AMF of 5G: nothing but the separation bit (TS 33.501 6.1.3.2 step 1, TS 33.102 Annex H). */
export const AMF_SEPARATION_BIT = 0x8000

/** MAC-S is calculated with a dummy AMF of all zeros, so that it need not travel: TS 33.102 6.3.3. */
const RESYNCHRONISATION_AMF = Buffer.alloc(2)

/**
 * In the AuC. AUTN = SQN xor AK || AMF || MAC-A.
 *
 * @param rand - 16 unpredictable octets, never used before with this K
 * @param sqn - of `nextSqn`, 0 to 2^48 - 1
 * @see TS 33.102 6.3.2
 */
export function authenticationVector(
  keys: SubscriberKeys,
  { rand, sqn, amf = AMF_SEPARATION_BIT }: { rand: Uint8Array; sqn: number; amf?: number },
): AuthenticationVector {
  const [sqnOctets, amfOctets] = [unsigned(sqn, 6), unsigned(amf, 2)]
  const { res, ck, ik, ak } = f2345(keys, rand)
  const { macA } = f1(keys, rand, sqnOctets, amfOctets)
  return { rand: Buffer.from(rand), autn: Buffer.concat([xor(sqnOctets, ak), amfOctets, macA]), xres: res, ck, ik }
}

/**
 * In the USIM: does AUTN come from the home network?
 *
 * @param rand - 16 octets
 * @param autn - 16 octets
 * @returns undefined if MAC-A is not the expected one ("MAC failure"); what SQN is worth is for `verifySqn`
 * @see TS 33.102 6.3.3
 */
export function verifyAutn(keys: SubscriberKeys, rand: Uint8Array, autn: Uint8Array): VerifiedChallenge | undefined {
  requireLength('AUTN', autn, 16)
  const { res, ck, ik, ak } = f2345(keys, rand)
  const [sqn, amf] = [xor(autn.subarray(0, 6), ak), Buffer.from(autn.subarray(6, 8))]
  const { macA } = f1(keys, rand, sqn, amf)
  if (!sameOctets(macA, autn.subarray(8))) return undefined
  return { sqn: sqn.readUIntBE(0, 6), amf: amf.readUInt16BE(), res, ck, ik }
}

/** What the ME looks at before it goes on with 5G AKA or EAP-AKA': TS 33.501 6.1.3.2 step 7, RFC 9048 3.3. */
export function isSeparationBitSet(amf: number): boolean {
  return (amf & AMF_SEPARATION_BIT) !== 0
}

/**
 * In the USIM, after a failed `verifySqn`. AUTS = SQN_MS xor AK* || MAC-S.
 *
 * @param sqnMs - the highest SQN that the USIM accepted, 0 to 2^48 - 1
 * @returns 14 octets
 * @see TS 33.102 6.3.3
 */
export function buildAuts(keys: SubscriberKeys, rand: Uint8Array, sqnMs: number): Buffer {
  const sqn = unsigned(sqnMs, 6)
  const { macS } = f1(keys, rand, sqn, RESYNCHRONISATION_AMF)
  return Buffer.concat([xor(sqn, f5star(keys, rand)), macS])
}

/**
 * In the AuC: does AUTS come from this USIM, and answer this RAND?
 *
 * @param rand - 16 octets, of the challenge that AUTS answers
 * @param auts - 14 octets
 * @returns SQN_MS, or undefined if MAC-S is not the expected one
 * @see TS 33.102 6.3.5
 */
export function verifyAuts(keys: SubscriberKeys, rand: Uint8Array, auts: Uint8Array): number | undefined {
  requireLength('AUTS', auts, 14)
  const sqnMs = xor(auts.subarray(0, 6), f5star(keys, rand))
  const { macS } = f1(keys, rand, sqnMs, RESYNCHRONISATION_AMF)
  return sameOctets(macS, auts.subarray(6)) ? sqnMs.readUIntBE(0, 6) : undefined
}

/** SQN xor AK, as AUTN carries it and the derivations of TS 33.501 A.2 and TS 33.402 A.2 take it. @returns 6 octets */
export function concealedSqn(autn: Uint8Array): Uint8Array {
  requireLength('AUTN', autn, 16)
  return autn.subarray(0, 6)
}

function unsigned(value: number, octets: 2 | 6): Buffer {
  const buffer = Buffer.alloc(octets)
  buffer.writeUIntBE(value, 0, octets)
  return buffer
}
