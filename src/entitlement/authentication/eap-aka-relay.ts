import { attributeOf, type EapMethodPacket, isMacRight, readEapPacket } from '../../keys/eap.ts'
import { akaChallenge, deriveAkaKeys } from '../../keys/eap-aka.ts'
import type { Ck, Ik, Key } from '../../keys/key.ts'
import { sameOctets, sha256Base64url } from '../../octets/digest.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { PlmnId, Supi } from '../../spec/subscriber-identifiers.ts'
import { subscriberOfRootNai } from './root-nai.ts'

/** A vector of the UDM, judged. */
export interface AkaVector {
  /** 16 octets each */
  readonly rand: Buffer
  readonly autn: Buffer
  /** 4 to 16 octets */
  readonly xres: Buffer
  readonly ck: Ck
  readonly ik: Ik
}

/** What is remembered while a terminal answers, and what it asked for in the beginning. */
export interface Exchange<Asked> {
  readonly supi: Supi
  /** the root NAI as the terminal sent it, which enters the keys (RFC 4187 7) */
  readonly identity: string
  /** of the open EAP request, 0 to 255 */
  readonly identifier: number
  readonly rand: Buffer
  readonly xres: Buffer
  readonly kAut: Key<'EAP-AKA K_aut'>
  readonly resynchronised: boolean
  /** SHA-256 of how the terminal describes itself, which may be long: another one does not go on (THREATS EN-03) */
  readonly userAgentDigest: string
  readonly asked: Asked
}

export interface RelayPorts<Asked> {
  readonly homeNetwork: PlmnId
  /** @throws Refusal USER_NOT_FOUND, AUTHENTICATION_REJECTED, NF_CONGESTION */
  generateAv(supi: Supi, resynchronisation?: { readonly rand: Buffer; readonly auts: Buffer }): Promise<AkaVector>
  readonly exchanges: {
    /** @returns the name under which it can be taken once, within its time: unpredictable */
    open(exchange: Exchange<Asked>): string
    take(session: string): Exchange<Asked> | undefined
  }
}

/** An EAP request for the terminal, to be answered in this session. */
export interface Challenged {
  readonly outcome: 'challenged'
  readonly session: string
  readonly eapPacket: Buffer
}

export interface Authenticated<Asked> {
  readonly outcome: 'authenticated'
  readonly supi: Supi
  readonly asked: Asked
}

const FIRST_IDENTIFIER = 1

/**
 * A terminal names its subscriber: TS.43 2.8.1, RFC 4187 3. It has given its identity already, so the challenge comes
 * first.
 *
 * @throws Refusal AUTHENTICATION_REJECTED, NF_CONGESTION
 */
export async function startRelay<Asked>(
  ent: RelayPorts<Asked>,
  { identity, userAgent, asked }: Pick<Exchange<Asked>, 'identity' | 'asked'> & { readonly userAgent: string },
): Promise<Challenged> {
  const supi = subscriberOfRootNai(identity, ent.homeNetwork)
  refuseUnless(supi !== undefined, 'AUTHENTICATION_REJECTED', 'EAP_ID is no root NAI of this network')
  const vector = await ent.generateAv(supi)
  const userAgentDigest = sha256Base64url(userAgent)
  const exchange = { supi, identity, userAgentDigest, identifier: FIRST_IDENTIFIER, resynchronised: false, asked }
  return challenge(ent, vector, exchange)
}

/**
 * A terminal brings an EAP packet. Whatever it is, the session ends with it; only a synchronisation failure opens
 * another one, and once (TS 33.102 6.3.5, THREATS EN-03).
 *
 * @throws Refusal EAP_EXCHANGE_INVALID, AUTHENTICATION_REJECTED, NF_CONGESTION
 */
export async function continueRelay<Asked>(
  ent: RelayPorts<Asked>,
  { session, userAgent, octets }: { readonly session: string; readonly userAgent: string; readonly octets: Buffer },
): Promise<Challenged | Authenticated<Asked>> {
  const exchange = ent.exchanges.take(session)
  const isTheirs = exchange !== undefined && exchange.userAgentDigest === sha256Base64url(userAgent)
  refuseUnless(isTheirs, 'EAP_EXCHANGE_INVALID', 'no such authentication is under way')
  const packet = answerTo(exchange, octets)
  refuseUnless(packet !== undefined, 'EAP_EXCHANGE_INVALID', 'the packet is no answer to the open request')
  if (packet.subtype === 'synchronization-failure') return resynchronise(ent, exchange, packet)

  // RFC 4187 6.3.1, 9.5: the USIM does not take the challenge.
  const declined = packet.subtype === 'authentication-reject' || packet.subtype === 'client-error'
  refuseUnless(!declined, 'AUTHENTICATION_REJECTED', 'the terminal does not accept the challenge')
  const right = packet.subtype === 'challenge' && isRight(exchange, packet, octets)
  refuseUnless(right, 'EAP_EXCHANGE_INVALID', 'the packet does not answer the challenge')
  const { supi, asked } = exchange
  return { outcome: 'authenticated', supi, asked }
}

function challenge<Asked>(
  ent: RelayPorts<Asked>,
  { rand, autn, xres, ck, ik }: AkaVector,
  exchange: Omit<Exchange<Asked>, 'rand' | 'xres' | 'kAut'>,
): Challenged {
  const { kAut } = deriveAkaKeys(exchange.identity, ik, ck)
  const eapPacket = akaChallenge({ identifier: exchange.identifier, rand, autn }, kAut)
  const session = ent.exchanges.open({ ...exchange, rand, xres, kAut })
  return { outcome: 'challenged', session, eapPacket }
}

function answerTo({ identifier }: Exchange<unknown>, octets: Buffer): EapMethodPacket | undefined {
  const packet = readEapPacket(octets)
  if (packet === undefined || !('method' in packet)) return undefined
  const answers = packet.code === 'response' && packet.identifier === identifier && packet.method === 'EAP-AKA'
  return answers ? packet : undefined
}

function isRight({ kAut, xres }: Exchange<unknown>, packet: EapMethodPacket, octets: Buffer): boolean {
  const res = attributeOf(packet, 'AT_RES')
  // No identity messages went before, so a checkcode over any is wrong (RFC 4187 10.13).
  const checkcode = attributeOf(packet, 'AT_CHECKCODE') ?? Buffer.alloc(0)
  return checkcode.length === 0 && isMacRight('EAP-AKA', octets, kAut) && res !== undefined && sameOctets(res, xres)
}

async function resynchronise<Asked>(
  ent: RelayPorts<Asked>,
  exchange: Exchange<Asked>,
  packet: EapMethodPacket,
): Promise<Challenged> {
  const auts = attributeOf(packet, 'AT_AUTS')
  const once = auts !== undefined && !exchange.resynchronised
  refuseUnless(once, 'AUTHENTICATION_REJECTED', 'the sequence numbers do not meet')
  const vector = await ent.generateAv(exchange.supi, { rand: exchange.rand, auts })
  const identifier = (exchange.identifier + 1) & 0xff
  return challenge(ent, vector, { ...exchange, identifier, resynchronised: true })
}
