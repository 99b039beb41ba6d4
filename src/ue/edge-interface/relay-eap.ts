import { decodeBase64 } from '../../octets/base64.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type {
  EapRespondRequest,
  EapRespondResponse,
  EapStartRequest,
  EapStartResponse,
} from '../../spec/messages/entitlement-eap.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { EapAkaPeer, type PeerOptions } from '../me/eap-aka.ts'
import type { AllowedEec } from './allow-list.ts'

/** As long as an entitlement server keeps its side open (THREATS EN-03). */
const LIFETIME = 300_000

export interface EapPorts {
  /** the USIM that is in the UE now; undefined if there is none, or none with an IMSI */
  subscriber(): Promise<PeerOptions | undefined>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Pick<Random, 'uuid'>
}

interface Session {
  readonly id: string
  readonly peer: EapAkaPeer
  /** by the monotonic clock */
  readonly endsAt: number
}

/**
 * EAP-AKA between the USIM and an entitlement server: GSMA TS.43 2.8.1, TR 33.739 6.25.2 step 1. The EEC carries the
 * packets; RES goes to the server in them, and no key leaves the UE.
 *
 * The EEC learns the IMSI with the root NAI, as the server shall, so it has to be permitted expressly. Each EEC has one
 * exchange at a time.
 */
export class EapRelay {
  readonly #ports: EapPorts
  readonly #sessions = new Map<EecId, Session>()

  constructor(ports: EapPorts) {
    this.#ports = ports
  }

  /** @throws Refusal */
  async start(caller: AllowedEec, request: EapStartRequest): Promise<EapStartResponse> {
    requirePermission(caller, request)
    const { clock, random } = this.#ports
    const subscriber = await this.#ports.subscriber()
    refuseUnless(subscriber !== undefined, 'USER_NOT_FOUND', 'there is no USIM with an IMSI in this UE')
    const session = { id: random.uuid(), peer: new EapAkaPeer(subscriber), endsAt: clock.monotonic() + LIFETIME }
    this.#sessions.set(caller.eecId, session)
    return { session: session.id, eapId: subscriber.identity }
  }

  /** @throws Refusal */
  async respond(caller: AllowedEec, request: EapRespondRequest): Promise<EapRespondResponse> {
    requirePermission(caller, request)
    const session = this.#sessions.get(caller.eecId)
    const isOpen = session?.id === request.session && this.#ports.clock.monotonic() < session.endsAt
    refuseUnless(isOpen, 'CONTEXT_NOT_FOUND', 'this EEC has no such exchange open')
    const packet = decodeBase64(request.eapPacket)
    refuseUnless(packet !== undefined, 'MANDATORY_IE_INCORRECT', 'eapPacket is not base64')
    return { eapPacket: (await session.peer.respond(packet)).toString('base64') }
  }
}

function requirePermission({ eecId, entitlement }: AllowedEec, request: { readonly eecId: string }): void {
  refuseUnless(request.eecId === eecId, 'EEC_MISMATCH', 'an EEC asks for itself only')
  refuseUnless(entitlement, 'POLICY_DENIED', 'this EEC may not authenticate the subscriber to an entitlement server')
}
