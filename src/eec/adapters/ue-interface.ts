import { type IncomingMessage, request } from 'node:http'
import { PeerUnavailable, type Response } from '../../http/client.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EdgeKeyRequest } from '../../spec/messages/edge-key.ts'
import { type EdgeKey, processEdgeKeyResponse } from '../authentication/edge-key.ts'
import type { EecCredential } from '../credential.ts'

const ANSWER_LIMIT = 5_000
const CONTENT_LIMIT = 4_096

/**
 * Asks the UE of this device for the key of one ECS: TR 33.839 6.x.2.1 step 3.
 *
 * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function fetchKey({ eecId, socket, token }: EecCredential, ecsFqdn: Fqdn): Promise<EdgeKey> {
  const content: EdgeKeyRequest = { eecId, ecsFqdn }
  const response = await post(socket, token, JSON.stringify(content)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : 'no answer'
    throw new PeerUnavailable('connect', `the UE does not answer (is "edgeward ue serve" running?): ${reason}`, {
      cause,
    })
  })
  return processEdgeKeyResponse(response, eecId)
}

async function post(socketPath: string, token: string, content: string): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = {
    host: 'ue',
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(content),
  }
  const signal = AbortSignal.timeout(ANSWER_LIMIT)
  const options = { socketPath, method: 'POST', path: '/edge-key/v1/retrieve', headers, agent: false, signal } as const
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
