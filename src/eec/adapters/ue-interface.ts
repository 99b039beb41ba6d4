import { type IncomingMessage, request } from 'node:http'
import { PeerUnavailable, type Response } from '../../http/client.ts'
import { readJson, requireStatus } from '../../http/response.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EdgeKeyRequest } from '../../spec/messages/edge-key.ts'
import {
  type EapRespondRequest,
  EapRespondResponse,
  type EapStartRequest,
  EapStartResponse,
} from '../../spec/messages/entitlement-eap.ts'
import {
  type ApplicationKey,
  type EdgeKey,
  processApplicationKeyResponse,
  processEdgeKeyResponse,
} from '../authentication/edge-key.ts'
import type { EecCredential } from '../credential.ts'

const ANSWER_LIMIT = 5_000
const CONTENT_LIMIT = 4_096

/**
 * Asks the UE of this device for the key of one ECS: TR 33.839 6.x.2.1 step 3.
 *
 * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function fetchKey(credential: EecCredential, ecsFqdn: Fqdn): Promise<EdgeKey> {
  const content: EdgeKeyRequest = { eecId: credential.eecId, ecsFqdn }
  return processEdgeKeyResponse(await ask(credential, '/edge-key/v1/retrieve', content), credential.eecId)
}

/**
 * Asks it for KAF of one ECS: TS 33.535 6.2.1 step 1.
 *
 * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function fetchApplicationKey(credential: EecCredential, ecsFqdn: Fqdn): Promise<ApplicationKey> {
  const content: EdgeKeyRequest = { eecId: credential.eecId, ecsFqdn }
  return processApplicationKeyResponse(await ask(credential, '/application-key/v1/retrieve', content))
}

/**
 * Begins EAP-AKA at an entitlement server: TR 33.739 6.25.2 step 1.
 *
 * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function startEap(credential: EecCredential): Promise<EapStartResponse> {
  const content: EapStartRequest = { eecId: credential.eecId }
  const response = await ask(credential, '/entitlement-eap/v1/start', content)
  requireStatus(response, 200)
  return readJson(response, EapStartResponse)
}

/**
 * Has the USIM answer an EAP request.
 *
 * @param session - of {@link startEap}
 * @param eapPacket - base64
 * @returns the EAP response, base64
 * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function respondEap(credential: EecCredential, session: string, eapPacket: string): Promise<string> {
  const content: EapRespondRequest = { eecId: credential.eecId, session, eapPacket }
  const response = await ask(credential, '/entitlement-eap/v1/respond', content)
  requireStatus(response, 200)
  return readJson(response, EapRespondResponse).eapPacket
}

async function ask({ socket, token }: EecCredential, path: string, content: object): Promise<Response> {
  return post(socket, { path, token, content: JSON.stringify(content) }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : 'no answer'
    throw new PeerUnavailable('connect', `the UE does not answer (is "edgeward ue serve" running?): ${reason}`, {
      cause,
    })
  })
}

async function post(
  socketPath: string,
  { path, token, content }: { readonly path: string; readonly token: string; readonly content: string },
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = {
    host: 'ue',
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(content),
  }
  const signal = AbortSignal.timeout(ANSWER_LIMIT)
  const options = { socketPath, method: 'POST', path, headers, agent: false, signal } as const
  request(options).once('response', resolve).once('error', reject).end(content)
  const message = await promise
  const parts: Buffer[] = []
  let length = 0
  for await (const part of message as AsyncIterable<Buffer>) {
    length += part.length
    if (length > CONTENT_LIMIT) throw new Error('the answer is too long')
    parts.push(part)
  }
  const body = Buffer.concat(parts)
  for (const part of parts) part.fill(0)
  return { status: message.statusCode ?? 0, headers: message.headers, body }
}
