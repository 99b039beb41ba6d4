import { randomBytes } from 'node:crypto'
import { type AuthenticationVector, authenticationVector, verifyAuts } from '../../src/keys/aka.ts'
import { attributeOf, checkcode, type EapMethodPacket, isMacRight, readEapPacket } from '../../src/keys/eap.ts'
import { akaChallenge, deriveAkaKeys } from '../../src/keys/eap-aka.ts'
import type { Key } from '../../src/keys/key.ts'
import { nextSqn, resynchronise } from '../../src/keys/sqn.ts'
import { aSubscription, SUBSCRIPTION } from './a-home-network.ts'

/** Of the subscription that the tests have. */
export const ROOT_NAI = `0${SUBSCRIPTION.supi.slice(5)}@nai.epc.mnc001.mcc001.3gppnetwork.org`

interface ChallengeOptions {
  readonly identifier?: number
  /** of the vector: without the separation bit, as for EAP-AKA, unless stated */
  readonly amf?: number
  /** AKA-Identity packets that went before */
  readonly identityPackets?: readonly Buffer[]
  /** makes AT_CHECKCODE; left out, there is none */
  readonly withCheckcode?: boolean
  readonly identity?: string
}

/** AuC and EAP server of one subscriber, at the level of packets. */
export class Challenger {
  sqn = 0
  vector: AuthenticationVector | undefined
  kAut: Key<'EAP-AKA K_aut'> | undefined
  readonly #keys = aSubscription().keys

  challenge(options: ChallengeOptions = {}): Buffer {
    const { identifier = 1, amf = 0, identityPackets = [], withCheckcode = false, identity = ROOT_NAI } = options
    this.sqn = nextSqn(this.sqn)
    const vector = authenticationVector(this.#keys, { rand: randomBytes(16), sqn: this.sqn, amf })
    const { kAut } = deriveAkaKeys(identity, vector.ik, vector.ck)
    this.vector = vector
    this.kAut = kAut
    const { rand, autn } = vector
    const code = withCheckcode ? { checkcode: checkcode('EAP-AKA', identityPackets) } : {}
    return akaChallenge({ identifier, rand, autn, ...code }, kAut)
  }

  /** Whether this response is the right one to the last challenge. */
  accepts(response: Buffer): boolean {
    const packet = methodPacket(response)
    const res = attributeOf(packet, 'AT_RES')
    const { vector, kAut } = this
    if (vector === undefined || kAut === undefined || res === undefined) return false
    return packet.code === 'response' && res.equals(vector.xres) && isMacRight('EAP-AKA', response, kAut)
  }

  /** @returns whether AUTS was right; the next challenge is fresh then */
  resynchronise(response: Buffer): boolean {
    const auts = attributeOf(methodPacket(response), 'AT_AUTS')
    const sqnMs = auts && this.vector && verifyAuts(this.#keys, this.vector.rand, auts)
    if (sqnMs === undefined) return false
    this.sqn = resynchronise(this.sqn, sqnMs)
    return true
  }
}

export function methodPacket(octets: Buffer): EapMethodPacket {
  const packet = readEapPacket(octets)
  if (packet === undefined || !('method' in packet)) throw new Error('not a packet of EAP-AKA')
  return packet
}
