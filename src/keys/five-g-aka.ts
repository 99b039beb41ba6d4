import { sha256 } from '../octets/digest.ts'
import { requireLength } from '../octets/require-length.ts'
import { type ServingNetworkName, type Supi, withoutTypePrefix } from '../spec/subscriber-identifiers.ts'
import { kdf, utf8 } from './kdf.ts'
import { type Ck, concatenation, type Ik, type Kamf, type Kausf, type Kseaf, takeKey } from './key.ts'

/** ABBA of a network without features to protect against bidding down: TS 33.501 A.7.1. */
export const ABBA = Buffer.from('0000', 'hex')

/**
 * KAUSF of 5G AKA, in the UDM and in the ME.
 *
 *     Key = CK || IK
 *     FC  = 6A
 *     P0  = serving network name
 *     P1  = SQN xor AK             6 octets
 *
 * @param sqnXorAk - the first 6 octets of AUTN
 * @returns 32 octets
 * @see TS 33.501 A.2
 */
export function deriveKausf(ck: Ck, ik: Ik, name: ServingNetworkName, sqnXorAk: Uint8Array): Kausf {
  requireLength('SQN xor AK', sqnXorAk, 6)
  return takeKey('KAUSF', kdf(concatenation(ck, ik), 0x6a, utf8(name), sqnXorAk))
}

/**
 * RES* in the ME, XRES* in the UDM.
 *
 *     Key = CK || IK
 *     FC  = 6B
 *     P0  = serving network name
 *     P1  = RAND                   16 octets
 *     P2  = RES or XRES            4 to 16 octets
 *
 * @returns the 128 least significant bits: 16 octets
 * @see TS 33.501 A.4
 */
export function deriveResStar(ck: Ck, ik: Ik, name: ServingNetworkName, rand: Uint8Array, res: Uint8Array): Buffer {
  requireLength('RAND', rand, 16)
  requireLength('RES', res, 4, 16)
  return leastSignificant(kdf(concatenation(ck, ik), 0x6b, utf8(name), rand, res))
}

/**
 * HRES* in the SEAF, HXRES* in the AUSF.
 *
 *     S = RAND || RES*, hashed by SHA-256
 *
 * @param rand - 16 octets
 * @param resStar - 16 octets
 * @returns the 128 least significant bits: 16 octets
 * @see TS 33.501 A.5
 */
export function deriveHresStar(rand: Uint8Array, resStar: Uint8Array): Buffer {
  requireLength('RAND', rand, 16)
  requireLength('RES*', resStar, 16)
  return leastSignificant(sha256(Buffer.concat([rand, resStar])))
}

/**
 * KSEAF, the anchor key of the serving network.
 *
 *     Key = KAUSF
 *     FC  = 6C
 *     P0  = serving network name
 *
 * @returns 32 octets
 * @see TS 33.501 A.6
 */
export function deriveKseaf(kausf: Kausf, name: ServingNetworkName): Kseaf {
  return takeKey('KSEAF', kdf(kausf, 0x6c, utf8(name)))
}

/**
 * KAMF.
 *
 *     Key = KSEAF
 *     FC  = 6D
 *     P0  = SUPI                   the digits of an IMSI, or the NAI: A.7.0
 *     P1  = ABBA
 *
 * @returns 32 octets
 * @see TS 33.501 A.7
 */
export function deriveKamf(kseaf: Kseaf, supi: Supi, abba: Uint8Array = ABBA): Kamf {
  return takeKey('KAMF', kdf(kseaf, 0x6d, supiParameter(supi), abba))
}

/** SUPI as a parameter of the KDF: the digits of an IMSI or the NAI, without its type prefix (TS 33.501 A.7.0). */
export function supiParameter(supi: Supi): Buffer {
  return utf8(withoutTypePrefix(supi))
}

function leastSignificant(octets: Buffer): Buffer {
  return Buffer.from(octets.subarray(-16))
}
