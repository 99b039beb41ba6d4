import type { Message, Response } from '../../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import { EESRegistration, type EESRegistrationPatch } from '../../spec/messages/ees-registration.ts'
import type { RegistrationRecord } from './record.ts'

/** Eecs_EESRegistration on one registration: TS 29.558 9.1.3.3. */

const pathOf = ({ registrationId }: RegistrationRecord) => `/eecs-eesregistration/v1/registrations/${registrationId}`

/** So that a change made elsewhere since is not undone (THREATS ON-12). */
const ifUnchanged = ({ etag }: RegistrationRecord): Record<string, string> =>
  etag === undefined ? {} : { 'if-match': etag }

export function showRequest(record: RegistrationRecord): Message {
  return { method: 'GET', path: pathOf(record) }
}

/** Replaces the registration whole. */
export function updateRequest(record: RegistrationRecord, registration: EESRegistration): Message {
  return {
    method: 'PUT',
    path: pathOf(record),
    headers: { 'content-type': 'application/json', ...ifUnchanged(record) },
    body: JSON.stringify(registration),
  }
}

/** A merge patch (RFC 7396): it says which members shall change, so it holds whatever the others are by then. */
export function modifyRequest(record: RegistrationRecord, patch: EESRegistrationPatch): Message {
  return {
    method: 'PATCH',
    path: pathOf(record),
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify(patch),
  }
}

export function deregisterRequest(record: RegistrationRecord): Message {
  return { method: 'DELETE', path: pathOf(record) }
}

/**
 * @returns what the record is by this answer, or undefined if the ECS did not repeat the registration (204)
 * @throws RefusedByServer, AnswerNotAccepted
 */
export function processRegistrationResponse(
  response: Response,
  record: RegistrationRecord,
): RegistrationRecord | undefined {
  requireStatus(response, 200, 204)
  if (response.status === 204) return undefined
  const registration = readJson(response, EESRegistration)
  acceptIf(registration.eesProf.eesId === record.eesId, 'the registration is of another EES')
  const { etag: _, ...rest } = record
  const { etag } = response.headers
  return { ...rest, registration, ...(etag !== undefined && { etag }) }
}
