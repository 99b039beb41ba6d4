import { isSeparationBitSet } from '../../keys/aka.ts'
import { attributeOf, checkcode, type EapMethodPacket, isMacRight, readEapPacket } from '../../keys/eap.ts'
import { deriveAkaKeys } from '../../keys/eap-aka.ts'
import {
  authenticationReject,
  challengeResponse,
  clientError,
  identityResponse,
  notificationResponse,
  synchronizationFailure,
} from '../../keys/eap-packets.ts'
import type { Key } from '../../keys/key.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { Challenge, UsimAnswer } from '../usim/authenticate.ts'

const METHOD = 'EAP-AKA'
/** Any identity, one for full authentication, the permanent one: RFC 4187 4.1.4. */
const MOST_IDENTITY_ROUNDS = 3
/** Code, identifier, length, type, subtype and two reserved octets. */
const SHORTEST_PACKET = 8
const CODE_REQUEST = 1
const TYPE_EAP_AKA = 23
/** The P bit of a notification: it stands before the challenge, and nothing authenticates it (RFC 4187 6.1). */
const BEFORE_CHALLENGE = 0x4000

/** `begun`: identities may be asked for. `answered`: RES was sent. `over`: nothing but errors follows. */
type Phase = 'begun' | 'answered' | 'over'

export interface PeerOptions {
  /** root NAI: the peer has told it before, and has no other one */
  readonly identity: string
  /** AUTHENTICATE in the USIM */
  authenticate(challenge: Challenge): Promise<UsimAnswer>
}

/**
 * The EAP-AKA peer in the ME (RFC 4187), for one exchange with a server that relays the packets over HTTP.
 *
 * What the exchange is for lies between EEC and server: MSK and EMSK are of no use here and are dropped. A challenge
 * that was made for 5G or EPS (separation bit set, TS 33.102 Annex H) is rejected, so that nobody has one of those
 * answered at this door.
 */
export class EapAkaPeer {
  readonly #options: PeerOptions
  /** AKA-Identity requests and responses, in their order */
  readonly #identityPackets: Buffer[] = []
  #phase: Phase = 'begun'
  #kAut: Key<'EAP-AKA K_aut'> | undefined
  #resynchronised = false

  constructor(options: PeerOptions) {
    this.#options = options
  }

  /**
   * @param octets - an EAP request
   * @returns the EAP response; whatever is wrong with a request of EAP-AKA, the response says so as RFC 4187 6.3.1 has
   * it
   * @throws Refusal for a packet that has no response, or one of another method
   */
  async respond(octets: Buffer): Promise<Buffer> {
    const identifier = identifierOf(octets)
    refuseUnless(identifier !== undefined, 'MANDATORY_IE_INCORRECT', 'the packet is not a request of EAP-AKA')
    const request = readEapPacket(octets)
    if (request === undefined || !('method' in request)) return this.#fail(identifier)
    switch (request.subtype) {
      case 'identity':
        return this.#identity(request, octets)
      case 'challenge':
        return this.#challenge(request, octets)
      case 'notification':
        return this.#notification(request, octets)
      default:
        return this.#fail(identifier)
    }
  }

  #identity({ identifier }: EapMethodPacket, octets: Buffer): Buffer {
    const rounds = this.#identityPackets.length / 2
    // Identities come before the challenge, also before one that had to be repeated (RFC 4187 4.1.1).
    if (this.#phase !== 'begun' || this.#resynchronised || rounds === MOST_IDENTITY_ROUNDS)
      return this.#fail(identifier)
    const response = identityResponse(METHOD, identifier, this.#options.identity)
    this.#identityPackets.push(Buffer.from(octets), response)
    return response
  }

  async #challenge(request: EapMethodPacket, octets: Buffer): Promise<Buffer> {
    const { identifier } = request
    const [rand, autn] = [attributeOf(request, 'AT_RAND'), attributeOf(request, 'AT_AUTN')]
    // One challenge is answered; for another one there is another exchange.
    if (rand === undefined || autn === undefined || this.#phase !== 'begun') return this.#fail(identifier)

    // Nothing else is taken while the USIM works.
    this.#phase = 'over'
    const answer = await this.#options.authenticate({ rand, autn })
    if (answer.outcome === 'mac-failure') return authenticationReject(METHOD, identifier)
    if (answer.outcome === 'synchronisation-failure') return this.#resynchronise(identifier, answer.auts)
    const { amf, ck, ik, res } = answer.verified
    if (isSeparationBitSet(amf)) return authenticationReject(METHOD, identifier)

    const { kAut } = deriveAkaKeys(this.#options.identity, ik, ck)
    const told = attributeOf(request, 'AT_CHECKCODE')
    const unchanged = told === undefined || told.equals(checkcode(METHOD, this.#identityPackets))
    if (!unchanged || !isMacRight(METHOD, octets, kAut)) return this.#fail(identifier)
    this.#phase = 'answered'
    this.#kAut = kAut
    return challengeResponse(METHOD, { identifier, res, ...(told && { checkcode: told }) }, kAut)
  }

  #resynchronise(identifier: number, auts: Buffer): Buffer {
    if (this.#resynchronised) return this.#fail(identifier)
    this.#resynchronised = true
    this.#phase = 'begun'
    return synchronizationFailure(METHOD, identifier, auts)
  }

  /**
   * RFC 4187 6.1: after the challenge a notification has a MAC, before it none; whichever it is, it is the last word.
   */
  #notification(request: EapMethodPacket, octets: Buffer): Buffer {
    const { identifier } = request
    const [phase, kAut] = [this.#phase, this.#kAut]
    const before = ((attributeOf(request, 'AT_NOTIFICATION') ?? 0) & BEFORE_CHALLENGE) !== 0
    const inItsPlace = before
      ? phase === 'begun'
      : phase === 'answered' && kAut !== undefined && isMacRight(METHOD, octets, kAut)
    if (!inItsPlace) return this.#fail(identifier)
    this.#phase = 'over'
    return notificationResponse(METHOD, identifier, before ? undefined : kAut)
  }

  /** The packet is not right, or has no place here: RFC 4187 6.3.1. */
  #fail(identifier: number): Buffer {
    this.#phase = 'over'
    return clientError(METHOD, identifier)
  }
}

/**
 * @returns undefined unless the packet is a request of EAP-AKA, well formed or not: that can be answered (RFC 4187 8.1)
 */
function identifierOf(octets: Buffer): number | undefined {
  const isRequest = octets.length >= SHORTEST_PACKET && octets[0] === CODE_REQUEST && octets[4] === TYPE_EAP_AKA
  return isRequest ? octets[1] : undefined
}
