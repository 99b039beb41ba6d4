import { type AuthenticationKeys, type EapMethod, type Subtype, sealEapPacket, writeEapPacket } from './eap.ts'
import type { Attribute } from './eap-attributes.ts'

/**
 * The packets that EAP-AKA and EAP-AKA' write in the same way. `identifier` is always 0 to 255,
 * in a response that of the request.
 */

/** The server asks who is there, before it has a challenge: RFC 4187 9.1. */
export function identityRequest(
  method: EapMethod,
  identifier: number,
  which: 'AT_PERMANENT_ID_REQ' | 'AT_FULLAUTH_ID_REQ' | 'AT_ANY_ID_REQ',
): Buffer {
  const attributes: Attribute[] = [{ name: which, value: true }]
  return writeEapPacket({ code: 'request', identifier, method, subtype: 'identity', attributes })
}

/** RFC 4187 9.2. */
export function identityResponse(method: EapMethod, identifier: number, identity: string): Buffer {
  return response(method, identifier, 'identity', [{ name: 'AT_IDENTITY', value: identity }])
}

/**
 * RFC 4187 9.4.
 *
 * @param answer.res - 4 to 16 octets
 * @param answer.checkcode - of `checkcode`, if the request had one
 */
export function challengeResponse<Method extends EapMethod>(
  method: Method,
  { identifier, res, checkcode }: { identifier: number; res: Buffer; checkcode?: Buffer },
  kAut: AuthenticationKeys[Method],
): Buffer {
  const attributes: Attribute[] = [{ name: 'AT_RES', value: res }]
  if (checkcode !== undefined) attributes.push({ name: 'AT_CHECKCODE', value: checkcode })
  return sealEapPacket({ code: 'response', identifier, method, subtype: 'challenge', attributes }, kAut)
}

/** AUTN was not right: RFC 4187 9.5. */
export function authenticationReject(method: EapMethod, identifier: number): Buffer {
  return response(method, identifier, 'authentication-reject', [])
}

/** SQN was not fresh: RFC 4187 9.6. @param auts - 14 octets */
export function synchronizationFailure(method: EapMethod, identifier: number, auts: Buffer): Buffer {
  return response(method, identifier, 'synchronization-failure', [{ name: 'AT_AUTS', value: auts }])
}

/** The request was an error, AT_MAC included; the only code is 0, "unable to process packet": RFC 4187 9.9, 10.20. */
export function clientError(method: EapMethod, identifier: number): Buffer {
  return response(method, identifier, 'client-error', [{ name: 'AT_CLIENT_ERROR_CODE', value: 0 }])
}

/** RFC 4187 10.19; a set bit 4000 (P) means before the challenge, a set bit 8000 (S) success. */
export const NOTIFICATION = {
  generalFailureAfterAuthentication: 0x0000,
  temporarilyDenied: 0x0402,
  notSubscribed: 0x0407,
  generalFailure: 0x4000,
  success: 0x8000,
} as const

/** A notification before the challenge, which nothing authenticates: RFC 4187 9.10. */
export function generalFailure(method: EapMethod, identifier: number): Buffer {
  const attributes: Attribute[] = [{ name: 'AT_NOTIFICATION', value: NOTIFICATION.generalFailure }]
  return writeEapPacket({ code: 'request', identifier, method, subtype: 'notification', attributes })
}

/** A notification after the challenge: RFC 4187 9.10. @param notification - without the P bit */
export function notificationRequest<Method extends EapMethod>(
  method: Method,
  { identifier, notification }: { identifier: number; notification: number },
  kAut: AuthenticationKeys[Method],
): Buffer {
  const attributes: Attribute[] = [{ name: 'AT_NOTIFICATION', value: notification }]
  return sealEapPacket({ code: 'request', identifier, method, subtype: 'notification', attributes }, kAut)
}

/** RFC 4187 9.11. @param kAut - unless the request came before the challenge */
export function notificationResponse<Method extends EapMethod>(
  method: Method,
  identifier: number,
  kAut?: AuthenticationKeys[Method],
): Buffer {
  if (kAut === undefined) return response(method, identifier, 'notification', [])
  return sealEapPacket({ code: 'response', identifier, method, subtype: 'notification', attributes: [] }, kAut)
}

function response(method: EapMethod, identifier: number, subtype: Subtype, attributes: readonly Attribute[]): Buffer {
  return writeEapPacket({ code: 'response', identifier, method, subtype, attributes })
}
