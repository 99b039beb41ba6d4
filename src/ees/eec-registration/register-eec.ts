import { checkEecId, checkUeId, type EecIdentity } from '../../eec-authentication/eec-identity.ts'
import type { EECContext } from '../../spec/messages/eec-context-relocation.ts'
import type { EECRegistration, EECRegistrationPatch } from '../../spec/messages/eec-registration.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { carriedOf, contentOf, contentOfContext, type EecRegistration, endOf, refuseMoving } from './registration.ts'

export interface EecRegistrationPorts {
  now(): number
  /** milliseconds */
  readonly longest: number
  newId(): string
  findByEecId(eecId: string): Promise<EecRegistration | undefined>
  findByRegistrationId(registrationId: string): Promise<EecRegistration | undefined>
  /** @throws Overtaken if the EEC was registered meanwhile */
  insert(registration: EecRegistration): Promise<void>
  update(next: EecRegistration): Promise<void>
  remove(registration: EecRegistration): Promise<void>
  /**
   * Eees_EECContextRelocation, pull: the context that the EEC says it has at another EES.
   *
   * @returns undefined if it cannot be had
   */
  fetchContext?(srcEesId: string, contextId: string, eecId: string): Promise<EECContext | undefined>
}

/**
 * Eees_EECRegistration, POST: TS 23.558 8.4.2.2.2. An EEC has one registration at an EES, so one that registers again,
 * after its context was pushed here or its answer was lost, gets that one.
 */
export async function registerEec(
  ees: EecRegistrationPorts,
  peer: EecIdentity,
  message: EECRegistration,
): Promise<EecRegistration> {
  const { eecId, ueId, expTime, eecCntxId, srcEesId } = message
  checkEecId(peer, eecId)
  checkUeId(peer, ueId)
  const expiresAt = endOf(expTime, ees.now(), ees.longest)
  const known = await ees.findByEecId(eecId)
  if (known !== undefined) return change(ees, known, message, expiresAt)

  // "The EES may fetch the EEC context from the source EES": TS 23.558 8.4.2.2.2 step 3.
  const context =
    eecCntxId !== undefined && srcEesId !== undefined ? await ees.fetchContext?.(srcEesId, eecCntxId, eecId) : undefined
  const registration: EecRegistration = {
    registrationId: ees.newId(),
    eecId,
    contextId: ees.newId(),
    ...(ueId !== undefined && { gpsi: ueId }),
    content: { ...(context && contentOfContext(context)), ...contentOf(message) },
    carried: context === undefined ? {} : carriedOf(context),
    version: 1,
    expiresAt,
  }
  await ees.insert(registration)
  return registration
}

/** Eees_EECRegistration, PUT. */
export async function replaceEec(
  ees: EecRegistrationPorts,
  peer: EecIdentity,
  registrationId: string | undefined,
  message: EECRegistration,
): Promise<EecRegistration> {
  const registration = await ownRegistration(ees, peer, registrationId)
  checkEecId(peer, message.eecId)
  checkUeId(peer, message.ueId)
  return change(ees, registration, message, endOf(message.expTime, ees.now(), ees.longest))
}

async function change(
  ees: EecRegistrationPorts,
  known: EecRegistration,
  message: EECRegistration,
  expiresAt: number,
): Promise<EecRegistration> {
  refuseMoving(known)
  const { gpsi: _, ...same } = known
  const gpsi = message.ueId === undefined ? {} : { gpsi: message.ueId }
  const next = { ...same, ...gpsi, content: contentOf(message), expiresAt, version: known.version + 1 }
  await ees.update(next)
  return next
}

/** Eees_EECRegistration, PATCH. */
export async function modifyEec(
  ees: EecRegistrationPorts,
  peer: EecIdentity,
  registrationId: string | undefined,
  patch: EECRegistrationPatch,
): Promise<EecRegistration> {
  const known = await ownRegistration(ees, peer, registrationId)
  refuseMoving(known)
  const expiresAt = patch.expTime === undefined ? known.expiresAt : endOf(patch.expTime, ees.now(), ees.longest)
  const content = { ...known.content, ...contentOf(patch) }
  const next = { ...known, content, expiresAt, version: known.version + 1 }
  await ees.update(next)
  return next
}

/** Eees_EECRegistration, DELETE. */
export async function deregisterEec(
  ees: EecRegistrationPorts,
  peer: EecIdentity,
  registrationId: string | undefined,
): Promise<void> {
  const registration = await ownRegistration(ees, peer, registrationId)
  refuseMoving(registration)
  await ees.remove(registration)
}

/** Somebody else's and none at all answer alike (THREATS RS-01, HT-12). */
async function ownRegistration(
  ees: EecRegistrationPorts,
  peer: EecIdentity,
  registrationId = '',
): Promise<EecRegistration> {
  const registration = await ees.findByRegistrationId(registrationId)
  const isOwn = registration?.eecId === peer.eecId
  refuseUnless(registration !== undefined && isOwn, 'REGISTRATION_NOT_FOUND', 'the caller has no such registration')
  return registration
}
