import type { Message, Response } from '../../http/client.ts'
import { acceptIf, isMediaType, readJson, requireStatus } from '../../http/response.ts'
import { AP2015, EAP_RELAY } from '../../spec/entitlement-operations.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { EapRelayMessage, EntitlementDocument, type EntitlementRequest } from '../../spec/messages/entitlement.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'

/** GSMA TS.43 as the device speaks it: 2.3, 2.8.1, 2.8.5 and 14.1. JSON alone is asked for and read. */

const ENTITLEMENT_VERSION = '12.0'
/** How this client describes itself; the version is that of these messages. */
const [VENDOR, MODEL, VERSION] = ['Edgeward', 'EEC', '1.0']
const USER_AGENT = `PRD-TS43 term-${VENDOR}/${MODEL} client-App-Authentication/${VERSION} OS-${VENDOR}/${VERSION}`
const SUCCESS = '1'
/** RFC 6750 2.1 b64token */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,8192}=*$/

/** How the subscriber is authenticated: by the token of an earlier time, or by EAP-AKA, which takes the root NAI. */
export type SubscriberCredential = { readonly token: string } | { readonly eapId: string }

export interface Acquisition {
  readonly terminalId: string
  readonly eecId: EecId
  /** the one server that the token is for (THREATS EN-02) */
  readonly audience: Fqdn
}

/**
 * Asks for an operator token: TS.43 14.1. POST, so that no token and no IMSI stands in a URL (THREATS EN-04).
 *
 * @param dpopProof - over this request, by the key that the token gets bound to (RFC 9449 5)
 */
export function acquisitionRequest(
  { terminalId, eecId, audience }: Acquisition,
  credential: SubscriberCredential,
  dpopProof: string,
): Message {
  const body: EntitlementRequest = {
    terminal_id: terminalId,
    terminal_vendor: VENDOR,
    terminal_model: MODEL,
    terminal_sw_version: VERSION,
    entitlement_version: ENTITLEMENT_VERSION,
    app: AP2015,
    operation: 'AcquireOperatorToken',
    client_id: eecId,
    scope: `edge:${audience}`,
    ...('token' in credential ? { token: credential.token } : { EAP_ID: credential.eapId }),
  }
  return post('application/json', body, { dpop: dpopProof })
}

/** The terminal goes on with EAP: TS.43 2.8.1. @param eapPacket - base64 @param cookies - of `Cookies.headers` */
export function eapResponseRequest(eapPacket: string, cookies: Readonly<Record<string, string>>): Message {
  const body: EapRelayMessage = { 'eap-relay-packet': eapPacket }
  return post(EAP_RELAY, body, cookies)
}

/** An EAP request for the USIM, in base64, or the document. */
export type EntitlementAnswer = { readonly eapPacket: string } | { readonly document: EntitlementDocument }

/** @throws RefusedByServer, AnswerNotAccepted */
export function processEntitlementResponse(response: Response): EntitlementAnswer {
  requireStatus(response, 200)
  if (!isMediaType(response.headers['content-type'], EAP_RELAY)) {
    return { document: readJson(response, EntitlementDocument) }
  }
  const { 'eap-relay-packet': eapPacket } = readJson(response, EapRelayMessage, [EAP_RELAY])
  return { eapPacket }
}

export interface OperatorToken {
  /** opaque to this EEC */
  readonly token: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/** The fast authentication token of the document, if it has one: TS.43 2.8.5. @throws AnswerNotAccepted */
export function authenticationTokenOf({ Token }: EntitlementDocument): string | undefined {
  if (Token === undefined) return undefined
  acceptIf(/^[\x21-\x7e]{1,512}$/.test(Token.token), 'the authentication token is not one line of text')
  return Token.token
}

/** @param now - milliseconds since 1970 @throws AnswerNotAccepted */
export function operatorTokenOf({ ap2015 }: EntitlementDocument, eecId: EecId, now: number): OperatorToken {
  const { OperationResult, OperatorToken: token = '', OperatorTokenExpiry = '', ClientID = eecId } = ap2015
  acceptIf(OperationResult === SUCCESS, 'OperationResult is not success')
  acceptIf(ClientID === eecId, 'ClientID is another EEC')
  acceptIf(TOKEN.test(token), 'there is no OperatorToken')
  const expiresAt = Date.parse(OperatorTokenExpiry)
  acceptIf(expiresAt > now, 'OperatorTokenExpiry is no time, or over')
  return { token, expiresAt }
}

function post(mediaType: string, body: object, headers: Readonly<Record<string, string>>): Message {
  return {
    method: 'POST',
    path: '/',
    headers: {
      'content-type': mediaType,
      accept: `${EAP_RELAY}, application/json`,
      'user-agent': USER_AGENT,
      ...headers,
    },
    body: JSON.stringify(body),
  }
}
