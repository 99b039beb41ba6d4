import { createHmac, type KeyObject } from 'node:crypto'

/**
 * The key derivation function of 3GPP.
 *
 *     derived key = HMAC-SHA-256(Key, S)
 *     S = FC || P0 || L0 || P1 || L1 || ... || Pn || Ln
 *
 * @param key - as a KeyObject; for CK || IK see `concatenation`
 * @param fc - 00 to FE in one octet, FF00 to FFFF in two (FC1 = FF, FC2)
 * @param parameters - P0 to Pn, each of 0 to 65535 octets; Li is the length of Pi in 2 octets
 * @returns 32 octets; whoever makes them a key zeroes them
 * @throws RangeError if FC or a parameter does not fit
 * @see TS 33.220 B.2
 */
export function kdf(key: KeyObject, fc: number, ...parameters: readonly Uint8Array[]): Buffer {
  return createHmac('sha256', key)
    .update(kdfInput(fc, ...parameters))
    .digest()
}

/** S of TS 33.220 B.2. */
export function kdfInput(fc: number, ...parameters: readonly Uint8Array[]): Buffer {
  return Buffer.concat([functionCode(fc), ...parameters.flatMap((parameter) => [parameter, lengthOf(parameter)])])
}

/** A character string as a parameter: normalised by NFKC, encoded in UTF-8 (TS 33.220 B.2.1.2). */
export function utf8(text: string): Buffer {
  return Buffer.from(text.normalize('NFKC'), 'utf8')
}

function functionCode(fc: number): Buffer {
  if (!Number.isInteger(fc) || fc < 0 || fc > 0xffff) throw new RangeError('FC has one octet, or two with FC1 = FF')
  if (fc < 0xff) return Buffer.of(fc)
  if (fc < 0xff00) throw new RangeError('FC has one octet, or two with FC1 = FF')
  return Buffer.of(0xff, fc & 0xff)
}

function lengthOf(parameter: Uint8Array): Buffer {
  if (parameter.length > 0xffff) throw new RangeError('a parameter of the KDF has at most 65535 octets')
  return Buffer.of(parameter.length >> 8, parameter.length & 0xff)
}
