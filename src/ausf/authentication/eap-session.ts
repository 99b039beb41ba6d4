import { attributeOf, type EapMethodPacket, isMacRight, readEapPacket, writeEapPacket } from '../../keys/eap.ts'
import { deriveKseaf } from '../../keys/five-g-aka.ts'
import type { Kseaf } from '../../keys/key.ts'
import { sameOctets } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import { reportFailure } from './complete.ts'
import { type ConfirmationPorts, succeed } from './confirm-5g-aka.ts'
import { type EapContext, takeOf } from './context.ts'
import { challenge, challengePacket, type StartPorts } from './start-authentication.ts'

export type EapOutcome =
  | {
      readonly authResult: 'AUTHENTICATION_SUCCESS'
      readonly eapPacket: Buffer
      readonly supi: Supi
      readonly kseaf: Kseaf
    }
  | { readonly authResult: 'AUTHENTICATION_FAILURE'; readonly eapPacket: Buffer }
  | { readonly authResult: 'AUTHENTICATION_ONGOING'; readonly eapPacket: Buffer }

/**
 * The SEAF brings an EAP packet of the UE: TS 33.501 6.1.3.1 steps 7 to 10, and 6.1.3.3.1 for a synchronisation
 * failure. Whatever is not the right answer to the open request ends the authentication.
 *
 * @param octets - undefined if the UE did not answer
 * @throws Refusal CONTEXT_NOT_FOUND, NF_CONGESTION: then the same can be sent again, unless the context is gone
 */
export async function eapSession(
  ausf: StartPorts & ConfirmationPorts,
  seaf: Fqdn,
  { authCtxId, octets }: { readonly authCtxId: string; readonly octets: Buffer | undefined },
): Promise<EapOutcome> {
  const context = takeOf(ausf.contexts, { authCtxId, seaf, method: 'EAP_AKA_PRIME' })
  const packet = octets && answerTo(context, octets)
  if (packet?.subtype === 'synchronization-failure') return resynchronise(ausf, { authCtxId, context, packet })

  // Step 8: the AUSF verifies AT_MAC and compares RES with XRES. There is one try.
  if (octets === undefined || packet === undefined || !isRight(context, packet, octets)) return fail(ausf, context)
  await succeed(ausf, authCtxId, context)

  // Step 9 and 10: EAP-Success, KSEAF and SUPI go to the SEAF.
  const { identifier, supi, kausf, servingNetworkName } = context
  const eapPacket = writeEapPacket({ code: 'success', identifier })
  return { authResult: 'AUTHENTICATION_SUCCESS', eapPacket, supi, kseaf: deriveKseaf(kausf, servingNetworkName) }
}

function answerTo({ identifier }: EapContext, octets: Buffer): EapMethodPacket | undefined {
  const packet = readEapPacket(octets)
  if (packet === undefined || !('method' in packet)) return undefined
  const answers = packet.code === 'response' && packet.identifier === identifier && packet.method === "EAP-AKA'"
  return answers ? packet : undefined
}

function isRight({ kAut, xres }: EapContext, packet: EapMethodPacket, octets: Buffer): boolean {
  const res = attributeOf(packet, 'AT_RES')
  // No identity messages went before, so a checkcode over any is wrong (RFC 4187 10.13).
  const checkcode = attributeOf(packet, 'AT_CHECKCODE') ?? Buffer.alloc(0)
  const isResponse = packet.subtype === 'challenge' && res !== undefined && checkcode.length === 0
  return isResponse && isMacRight("EAP-AKA'", octets, kAut) && sameOctets(res, xres)
}

interface Failed {
  readonly authCtxId: string
  readonly context: EapContext
  readonly packet: EapMethodPacket
}

/** 6.1.3.3.1: a new challenge under the SQN that the USIM asks for; of those there is one. */
async function resynchronise(
  ausf: StartPorts & ConfirmationPorts,
  { authCtxId, context, packet }: Failed,
): Promise<EapOutcome> {
  const auts = attributeOf(packet, 'AT_AUTS')
  if (auts === undefined || context.resynchronised) return fail(ausf, context)
  const { supi, servingNetworkName, rand, seaf, edge } = context
  try {
    const asked = { supiOrSuci: supi, servingNetworkName, resynchronisation: { rand, auts } }
    const data = await ausf.generateAuthData(asked)
    const identifier = (context.identifier + 1) & 0xff
    const next = challenge(data, { servingNetworkName, seaf, edge, resynchronised: true, identifier })
    refuseUnless(next.method === 'EAP_AKA_PRIME', 'AUTHENTICATION_REJECTED', 'the UDM changed the method')
    ausf.contexts.putBack(authCtxId, next)
    return { authResult: 'AUTHENTICATION_ONGOING', eapPacket: challengePacket(next, data.autn) }
  } catch (error) {
    if (error instanceof Refusal && error.code === 'AUTHENTICATION_REJECTED') return fail(ausf, context)
    ausf.contexts.putBack(authCtxId, context)
    throw error
  }
}

async function fail(ausf: ConfirmationPorts, context: EapContext): Promise<EapOutcome> {
  await reportFailure(ausf, context)
  const eapPacket = writeEapPacket({ code: 'failure', identifier: context.identifier })
  return { authResult: 'AUTHENTICATION_FAILURE', eapPacket }
}
