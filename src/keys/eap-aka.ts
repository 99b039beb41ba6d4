import { createHash } from 'node:crypto'

import { sealEapPacket } from './eap.ts'
import type { Attribute } from './eap-attributes.ts'
import { fips186Generator } from './fips186-generator.ts'
import { type Ck, type Ik, type Key, takeKeys, withOctets } from './key.ts'

/** The keys of one full authentication: RFC 4187 7. */
export interface AkaKeys {
  readonly kEncr: Key<'K_encr'>
  readonly kAut: Key<'EAP-AKA K_aut'>
  readonly msk: Key<'MSK'>
  readonly emsk: Key<'EMSK'>
}

/**
 * The key hierarchy of EAP-AKA.
 *
 *     MK = SHA-1(Identity || IK || CK)
 *     K_encr (16) || K_aut (16) || MSK (64) || EMSK (64) = FIPS 186-2 generator with XKEY = MK
 *
 * @param identity - the last one that the peer sent in this exchange, as it sent it
 * @see RFC 4187 7
 */
export function deriveAkaKeys(identity: string, ik: Ik, ck: Ck): AkaKeys {
  const mk = createHash('sha1').update(identity, 'utf8')
  for (const key of [ik, ck]) withOctets(key, (octets) => mk.update(octets))
  return deriveAkaKeysOfMk(mk.digest())
}

/** What follows MK. @param mk - 20 octets, zeroed on return */
export function deriveAkaKeysOfMk(mk: Buffer): AkaKeys {
  const stretched = fips186Generator(mk, 160)
  mk.fill(0)
  const [kEncr, kAut, msk, emsk] = takeKeys(stretched, 'K_encr', 'EAP-AKA K_aut', 'MSK', 'EMSK')
  return { kEncr, kAut, msk, emsk }
}

interface Challenge {
  /** 0 to 255 */
  readonly identifier: number
  /** 16 octets */
  readonly rand: Buffer
  /** 16 octets */
  readonly autn: Buffer
  /** of `checkcode`, if AKA-Identity messages went before */
  readonly checkcode?: Buffer
  /** the server speaks EAP-AKA' as well and would rather (RFC 9048 4) */
  readonly prefersAkaPrime?: boolean
}

/** EAP-Request/AKA-Challenge: RFC 4187 9.3. */
export function akaChallenge(challenge: Challenge, kAut: Key<'EAP-AKA K_aut'>): Buffer {
  const { identifier, rand, autn, checkcode, prefersAkaPrime } = challenge
  const attributes: Attribute[] = [
    { name: 'AT_RAND', value: rand },
    { name: 'AT_AUTN', value: autn },
  ]
  if (checkcode !== undefined) attributes.push({ name: 'AT_CHECKCODE', value: checkcode })
  if (prefersAkaPrime !== undefined) attributes.push({ name: 'AT_BIDDING', value: prefersAkaPrime })
  return sealEapPacket({ code: 'request', identifier, method: 'EAP-AKA', subtype: 'challenge', attributes }, kAut)
}
