import type { NfInstanceId } from '../../spec/identifiers.ts'
import type { AuthEvent } from '../../spec/messages/ueau.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { parseSupi, type Supi } from '../../spec/subscriber-identifiers.ts'

/** The latest authentication of a subscriber, as an AUSF confirmed it. */
export interface AuthStatus {
  readonly supi: Supi
  readonly authEventId: string
  readonly event: AuthEvent
}

export interface AuthEventPorts {
  newEventId(): string
  hasSubscriber(supi: Supi): Promise<boolean>
  storeAuthStatus(status: AuthStatus): Promise<void>
  /** @returns whether there was one of this identifier, from this AUSF */
  removeAuthStatus(supi: Supi, authEventId: string, nfInstanceId: NfInstanceId): Promise<boolean>
}

/**
 * Nudm_UEAuthentication_ResultConfirmation: TS 33.501 6.1.4.1a.
 *
 * @param ausf - of the caller's certificate, and no other may be named
 * @throws Refusal USER_NOT_FOUND, POLICY_DENIED, MANDATORY_IE_INCORRECT
 */
export async function confirmAuth(
  udm: AuthEventPorts,
  { name, ausf, event }: { readonly name: string; readonly ausf: NfInstanceId | undefined; readonly event: AuthEvent },
): Promise<AuthStatus> {
  refuseOther(ausf, event)
  // RFC 3339 has leap seconds, and no clock here shows them.
  const isTime = !Number.isNaN(Date.parse(event.timeStamp))
  refuseUnless(isTime, 'MANDATORY_IE_INCORRECT', 'timeStamp is not a time that a clock shows')
  const supi = await subscriberOf(udm, name)
  const status = { supi, authEventId: udm.newEventId(), event }
  await udm.storeAuthStatus(status)
  return status
}

/**
 * The result is taken back, when the subscriber is purged for instance: DeleteAuth of TS 29.503.
 *
 * @throws Refusal USER_NOT_FOUND, POLICY_DENIED, CONTEXT_NOT_FOUND
 */
export async function deleteAuth(
  udm: AuthEventPorts,
  target: { readonly name: string; readonly authEventId: string; readonly ausf: NfInstanceId | undefined },
  event: AuthEvent,
): Promise<void> {
  const ausf = refuseOther(target.ausf, event)
  refuseUnless(event.authRemovalInd === true, 'MANDATORY_IE_INCORRECT', 'authRemovalInd is not true')
  const supi = await subscriberOf(udm, target.name)
  const removed = await udm.removeAuthStatus(supi, target.authEventId, ausf)
  refuseUnless(removed, 'CONTEXT_NOT_FOUND', 'there is no such authentication')
}

function refuseOther(ausf: NfInstanceId | undefined, { nfInstanceId }: AuthEvent): NfInstanceId {
  const same = ausf !== undefined && nfInstanceId.toLowerCase() === ausf
  refuseUnless(same, 'POLICY_DENIED', 'the request names another instance than the certificate')
  return ausf
}

async function subscriberOf(udm: AuthEventPorts, name: string): Promise<Supi> {
  const supi = parseSupi(name)
  const known = supi !== undefined && (await udm.hasSubscriber(supi))
  refuseUnless(known, 'USER_NOT_FOUND', 'there is no such subscriber')
  return supi
}
