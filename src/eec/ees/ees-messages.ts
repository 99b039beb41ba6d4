import type { Message, Response } from '../../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { type EasDiscoveryReq, EasDiscoveryResp } from '../../spec/messages/eas-discovery.ts'
import { EECRegistration, type EECRegistrationPatch } from '../../spec/messages/eec-registration.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { resourceIdOf } from '../resource-id.ts'

/** Eees_EECRegistration and Eees_EASDiscovery, EDGE-1: TS 24.558. The EEC ID is always the one that is authenticated. */

const REGISTRATIONS = '/eees-eecregistration/v1/registrations'
const JSON_TYPE = { 'content-type': 'application/json' }

/** What an EEC registers beside who it is. */
export type RegistrationWishes = Omit<EECRegistration, 'eecId'>
/** What an EEC looks for beside who it is. */
export type DiscoveryWishes = Omit<EasDiscoveryReq, 'requestorId'>

export interface EecRegistered {
  readonly registrationId: string
  /** as the EES keeps it */
  readonly registration: EECRegistration
}

export function registrationRequest(eecId: EecId, wishes: RegistrationWishes): Message {
  return { method: 'POST', path: REGISTRATIONS, headers: JSON_TYPE, body: JSON.stringify({ ...wishes, eecId }) }
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processRegistrationResponse(response: Response, ees: Fqdn, eecId: EecId): EecRegistered {
  requireStatus(response, 201)
  const registration = readRegistration(response, eecId)
  return { registrationId: resourceIdOf(response, ees, REGISTRATIONS), registration }
}

/** @param change - PUT for a whole registration, PATCH for a merge patch (RFC 7396) */
export function updateRequest(
  registrationId: string,
  change: { readonly replace: EECRegistration } | { readonly patch: EECRegistrationPatch },
): Message {
  const path = pathOf(registrationId)
  if ('replace' in change) return { method: 'PUT', path, headers: JSON_TYPE, body: JSON.stringify(change.replace) }
  const headers = { 'content-type': 'application/merge-patch+json' }
  return { method: 'PATCH', path, headers, body: JSON.stringify(change.patch) }
}

/** @returns undefined if the EES says nothing of the result (204) @throws RefusedByServer, AnswerNotAccepted */
export function processUpdateResponse(response: Response, eecId: EecId): EECRegistration | undefined {
  requireStatus(response, 200, 204)
  return response.status === 204 ? undefined : readRegistration(response, eecId)
}

export function deregistrationRequest(registrationId: string): Message {
  return { method: 'DELETE', path: pathOf(registrationId) }
}

export function discoveryRequest(eecId: EecId, wishes: DiscoveryWishes): Message {
  const body: EasDiscoveryReq = { ...wishes, requestorId: { eecId } }
  const path = '/eees-easdiscovery/v1/eas-profiles/request-discovery'
  return { method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) }
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processDiscoveryResponse(response: Response): EasDiscoveryResp {
  requireStatus(response, 200)
  return readJson(response, EasDiscoveryResp)
}

const pathOf = (registrationId: string) => `${REGISTRATIONS}/${encodeURIComponent(registrationId)}`

function readRegistration(response: Response, eecId: EecId): EECRegistration {
  const registration = readJson(response, EECRegistration)
  acceptIf(registration.eecId === eecId, 'the registration is that of another EEC')
  return registration
}
