import { createHmac, type KeyObject } from 'node:crypto'

import { requireLength } from '../octets/require-length.ts'
import { sealEapPacket } from './eap.ts'
import type { Attribute } from './eap-attributes.ts'
import { kdf, utf8 } from './kdf.ts'
import { type Ck, concatenation, type Ik, type Kausf, type Key, takeKey, takeKeys, withOctets } from './key.ts'

/** AT_KDF: the derivation by CK' and IK', the only one there is without forward secrecy (RFC 9048 3.2). */
export const KDF_CK_PRIME = 1

/** The keys of one full authentication: RFC 9048 3.3. */
export interface AkaPrimeKeys {
  readonly kEncr: Key<'K_encr'>
  readonly kAut: Key<"EAP-AKA' K_aut">
  readonly kRe: Key<'K_re'>
  readonly msk: Key<'MSK'>
  readonly emsk: Key<'EMSK'>
}

/**
 * CK' and IK', in the UDM and in the ME.
 *
 *     Key = CK || IK
 *     FC  = 20
 *     P0  = network name           the serving network name in 5G
 *     P1  = SQN xor AK             6 octets
 *     CK' || IK' = the output
 *
 * @param sqnXorAk - the first 6 octets of AUTN
 * @returns 16 octets each
 * @see TS 33.501 A.3, TS 33.402 A.2
 */
export function deriveCkIkPrime(
  ck: Ck,
  ik: Ik,
  networkName: string,
  sqnXorAk: Uint8Array,
): { ckPrime: Key<"CK'">; ikPrime: Key<"IK'"> } {
  requireLength('SQN xor AK', sqnXorAk, 6)
  const output = kdf(concatenation(ck, ik), 0x20, utf8(networkName), sqnXorAk)
  const [ckPrime, ikPrime] = takeKeys(output, "CK'", "IK'")
  return { ckPrime, ikPrime }
}

/**
 * The key hierarchy of EAP-AKA'.
 *
 *     MK     = PRF'(IK' || CK', "EAP-AKA'" || Identity)
 *     K_encr = MK[0..127]          16 octets
 *     K_aut  = MK[128..383]        32 octets
 *     K_re   = MK[384..639]        32 octets
 *     MSK    = MK[640..1151]       64 octets
 *     EMSK   = MK[1152..1663]      64 octets
 *
 * @param identity - in 5G the SUPI without its type prefix, whatever was sent in EAP (TS 33.501 F.3, RFC 9048 5.3.1)
 * @see RFC 9048 3.3
 */
export function deriveAkaPrimeKeys(ckPrime: Key<"CK'">, ikPrime: Key<"IK'">, identity: string): AkaPrimeKeys {
  const mk = prfPrime(concatenation(ikPrime, ckPrime), Buffer.from(`EAP-AKA'${identity}`, 'utf8'), 208)
  const [kEncr, kAut, kRe, msk, emsk] = takeKeys(mk, 'K_encr', "EAP-AKA' K_aut", 'K_re', 'MSK', 'EMSK')
  return { kEncr, kAut, kRe, msk, emsk }
}

/**
 * KAUSF of EAP-AKA': the 256 most significant bits of EMSK.
 *
 * @returns 32 octets
 * @see TS 33.501 6.1.3.1, Annex F
 */
export function kausfOfEmsk(emsk: Key<'EMSK'>): Kausf {
  return withOctets(emsk, (octets) => takeKey('KAUSF', octets.subarray(0, 32)))
}

interface Challenge {
  /** 0 to 255 */
  readonly identifier: number
  /** 16 octets */
  readonly rand: Buffer
  /** 16 octets */
  readonly autn: Buffer
  /** the serving network name in 5G */
  readonly networkName: string
  /** of `checkcode`, if AKA'-Identity messages went before */
  readonly checkcode?: Buffer
}

/** EAP-Request/AKA'-Challenge: RFC 4187 9.3, RFC 9048 3.1 and 3.2. */
export function akaPrimeChallenge(challenge: Challenge, kAut: Key<"EAP-AKA' K_aut">): Buffer {
  const { identifier, rand, autn, networkName, checkcode } = challenge
  const attributes: Attribute[] = [
    { name: 'AT_RAND', value: rand },
    { name: 'AT_AUTN', value: autn },
    { name: 'AT_KDF', value: KDF_CK_PRIME },
    { name: 'AT_KDF_INPUT', value: networkName },
  ]
  if (checkcode !== undefined) attributes.push({ name: 'AT_CHECKCODE', value: checkcode })
  return sealEapPacket({ code: 'request', identifier, method: "EAP-AKA'", subtype: 'challenge', attributes }, kAut)
}

/** PRF'(K, S) = T1 || T2 || ..., Tn = HMAC-SHA-256(K, Tn-1 || S || n), T0 empty: RFC 9048 3.4.1. */
function prfPrime(k: KeyObject, s: Buffer, length: number): Buffer {
  const output = Buffer.alloc(length)
  let t = Buffer.alloc(0)
  for (let n = 1, filled = 0; filled < length; n += 1, filled += t.length) {
    const next = createHmac('sha256', k).update(t).update(s).update(Buffer.of(n)).digest()
    next.copy(output, filled)
    t.fill(0)
    t = next
  }
  t.fill(0)
  return output
}
