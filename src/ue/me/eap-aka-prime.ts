import { concealedSqn, isSeparationBitSet } from '../../keys/aka.ts'
import {
  attributeOf,
  attributesOf,
  type EapMethodPacket,
  type EapPacket,
  isMacRight,
  readEapPacket,
} from '../../keys/eap.ts'
import { deriveAkaPrimeKeys, deriveCkIkPrime, KDF_CK_PRIME, kausfOfEmsk } from '../../keys/eap-aka-prime.ts'
import {
  authenticationReject,
  challengeResponse,
  clientError,
  notificationResponse,
  synchronizationFailure,
} from '../../keys/eap-packets.ts'
import type { Kausf, Key } from '../../keys/key.ts'
import { type ServingNetworkName, type Supi, withoutTypePrefix } from '../../spec/subscriber-identifiers.ts'
import { AuthenticationFailed, type AuthenticationFailure } from '../errors.ts'
import { authenticate, type Usim } from '../usim/authenticate.ts'

const METHOD = "EAP-AKA'"
/** The P bit of a notification: it stands before the challenge, and nothing authenticates it (RFC 4187 6.1). */
const BEFORE_CHALLENGE = 0x4000

interface Session {
  readonly kAut: Key<"EAP-AKA' K_aut">
  readonly kausf: Kausf
}

export type PeerReply =
  /** an EAP response, to be sent */
  | { readonly response: Buffer }
  /** EAP-Success: KAUSF is taken into use (TS 33.501 6.1.3.1) */
  | { readonly kausf: Kausf }

/**
 * The EAP-AKA' peer in the ME, for one authentication: RFC 9048 as TS 33.501 6.1.3.1 and Annex F profile it.
 *
 * It never says who it is: the SUCI went before, and a server that asks again gets an error, not the SUPI. It speaks
 * one key derivation function, and takes a challenge only for the serving network that it is in.
 */
export class EapAkaPrimePeer {
  readonly #usim: Usim
  readonly #supi: Supi
  readonly #network: ServingNetworkName
  #session: Session | undefined
  #resynchronised = false
  #failure: AuthenticationFailure | undefined

  constructor(usim: Usim, supi: Supi, network: ServingNetworkName) {
    this.#usim = usim
    this.#supi = supi
    this.#network = network
  }

  /** @throws AuthenticationFailed when the exchange is over without success */
  async receive(octets: Buffer): Promise<PeerReply> {
    const packet = readEapPacket(octets)
    if (packet === undefined || packet.code === 'response') throw this.#end('method-not-supported')
    if (!('method' in packet)) return this.#result(packet)
    if (packet.method !== METHOD) throw this.#end('method-not-supported')
    if (packet.subtype === 'challenge') return { response: await this.#challenge(packet, octets) }
    if (packet.subtype === 'notification') return { response: this.#notification(packet, octets) }
    return { response: this.#refuse(packet, 'method-not-supported') }
  }

  #result({ code }: EapPacket): PeerReply {
    // A success that nobody has earned is as good as a failure (RFC 4187 6.3.1).
    if (code !== 'success' || this.#session === undefined || this.#failure !== undefined) throw this.#end('rejected')
    return { kausf: this.#session.kausf }
  }

  async #challenge(request: EapMethodPacket, octets: Buffer): Promise<Buffer> {
    const { identifier } = request
    const [rand, autn] = [attributeOf(request, 'AT_RAND'), attributeOf(request, 'AT_AUTN')]
    // One challenge is answered; a second one would replace keys that the server may count on.
    if (rand === undefined || autn === undefined || this.#session !== undefined) {
      return this.#refuse(request, 'method-not-supported')
    }
    if (attributesOf(request, 'AT_KDF')[0] !== KDF_CK_PRIME) return this.#reject(request, 'method-not-supported')
    if (attributeOf(request, 'AT_KDF_INPUT') !== this.#network) return this.#reject(request, 'network-name-mismatch')

    const answer = await authenticate(this.#usim, { rand, autn })
    if (answer.outcome === 'mac-failure') return this.#reject(request, 'mac-failure')
    if (answer.outcome === 'synchronisation-failure') return this.#resynchronise(request, answer.auts)
    const { amf, ck, ik, res } = answer.verified
    if (!isSeparationBitSet(amf)) return this.#reject(request, 'non-5g-authentication')

    const { ckPrime, ikPrime } = deriveCkIkPrime(ck, ik, this.#network, concealedSqn(autn))
    const { kAut, emsk } = deriveAkaPrimeKeys(ckPrime, ikPrime, withoutTypePrefix(this.#supi))
    const checkcode = attributeOf(request, 'AT_CHECKCODE')
    // No identity was asked for, so there is nothing that a checkcode could be over (RFC 4187 10.13).
    const authentic = isMacRight(METHOD, octets, kAut) && (checkcode === undefined || checkcode.length === 0)
    if (!authentic) return this.#refuse(request, 'mac-failure')
    this.#session = { kAut, kausf: kausfOfEmsk(emsk) }
    return challengeResponse(METHOD, { identifier, res, ...(checkcode && { checkcode }) }, kAut)
  }

  #resynchronise(request: EapMethodPacket, auts: Buffer): Buffer {
    if (this.#resynchronised) throw this.#end('synchronisation-failure')
    this.#resynchronised = true
    return synchronizationFailure(METHOD, request.identifier, auts)
  }

  /** RFC 4187 6.1: a notification after the challenge has a MAC, and ours of success has no place in 5G. */
  #notification(request: EapMethodPacket, octets: Buffer): Buffer {
    const { identifier } = request
    const before = ((attributeOf(request, 'AT_NOTIFICATION') ?? 0) & BEFORE_CHALLENGE) !== 0
    if (before && this.#session === undefined) {
      this.#failure ??= 'rejected'
      return notificationResponse(METHOD, identifier)
    }
    const kAut = this.#session?.kAut
    if (before || kAut === undefined || !isMacRight(METHOD, octets, kAut)) {
      return this.#refuse(request, 'method-not-supported')
    }
    this.#failure ??= 'rejected'
    return notificationResponse(METHOD, identifier, kAut)
  }

  /** AUTN is not right: RFC 4187 6.3.1. */
  #reject({ identifier }: EapMethodPacket, failure: AuthenticationFailure): Buffer {
    this.#failure ??= failure
    return authenticationReject(METHOD, identifier)
  }

  /** The packet is not right: RFC 4187 6.3.1. */
  #refuse({ identifier }: EapMethodPacket, failure: AuthenticationFailure): Buffer {
    this.#failure ??= failure
    return clientError(METHOD, identifier)
  }

  /** The first reason is the one that counts. */
  #end(failure: AuthenticationFailure): AuthenticationFailed {
    this.#session = undefined
    return new AuthenticationFailed(this.#failure ?? failure)
  }
}
