import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { toRefusal } from '../../http/answer.ts'
import { parseJsonContent } from '../../http/content.ts'
import type { Log } from '../../http/log.ts'
import { toProblem, wwwAuthenticate } from '../../http/problem.ts'
import { isMediaType } from '../../http/response.ts'
import { findInvalidParam } from '../../http/schema.ts'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { EdgeKeyRequest } from '../../spec/messages/edge-key.ts'
import { type Refusal, refuseUnless } from '../../spec/refusal.ts'
import { handOutKey, identifyEec, type KeyHolder } from '../edge-interface/hand-out-key.ts'
import { NotUsable } from '../errors.ts'

/** The one resource of the local interface. */
const RESOURCE = '/edge-key/v1/retrieve'
const CONTENT_LIMIT = 4_096
/** The longest path that every system takes for a Unix socket. */
const LONGEST_PATH = 103

/** A caller that is slow is one that is gone. */
const BOUNDS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 4_096,
}

const GRACE = 1_000

export interface EdgeSocket {
  /** Answers what is under way, then closes. */
  close(): Promise<void>
}

/**
 * Serves the local interface of a UE (TR 33.839 6.x.2.1 step 3): HTTP/1.1 on a Unix socket of mode 0600, one request a
 * connection, and a token for each EEC.
 *
 *     POST /edge-key/v1/retrieve   Authorization: Bearer TOKEN   {"eecId": "eec-1", "ecsFqdn": "ecs1.example.com"}
 *
 * @param path - whoever calls has made sure that no other process serves there
 * @throws NotUsable if the path is too long for a socket
 */
export async function serveEdgeSocket(path: string, ue: KeyHolder, log: Log): Promise<EdgeSocket> {
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new NotUsable(`${path} is too long for a Unix socket`)
  await rm(path, { force: true })
  const server = createServer(BOUNDS)
  server.maxConnections = 32
  server.on('request', (request, response) => {
    answer(ue, request, log)
      .then((content) => send(response, 200, 'application/json', content))
      .catch((error: unknown) => sendRefusal(response, toRefusal(error, undefined, log), pathOf(request), log))
      .catch(() => response.destroy())
  })
  await listenPrivately(server, path)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        setTimeout(() => server.closeAllConnections(), GRACE).unref()
      }),
  }
}

async function answer(ue: KeyHolder, request: IncomingMessage, log: Log): Promise<object> {
  refuseUnless(pathOf(request) === RESOURCE, 'RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this UE has no such resource')
  refuseUnless(request.method === 'POST', 'METHOD_NOT_ALLOWED', 'this resource takes POST')
  const caller = await identifyEec(ue, request.headers.authorization)
  const json = isMediaType(request.headers['content-type'], 'application/json')
  refuseUnless(json, 'UNSUPPORTED_MEDIA_TYPE', 'the content is application/json')
  const content = parseJsonContent(await read(request))
  const invalid = findInvalidParam(EdgeKeyRequest, content)
  refuseUnless(invalid === undefined, 'MANDATORY_IE_INCORRECT', 'the content is not an EdgeKeyRequest')
  const { eecId, ecsFqdn } = content as EdgeKeyRequest
  const key = await handOutKey(ue, caller, { eecId, ecsFqdn })
  log.info({ eec: eecIdTag(caller), ecs: ecsFqdn.toLowerCase() }, 'key handed out')
  return key
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    refuseUnless(length <= CONTENT_LIMIT, 'CONTENT_TOO_LARGE', 'the content is longer than this operation takes')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function send(response: ServerResponse, status: number, mediaType: string, content: object): void {
  const headers = { 'content-type': mediaType, 'cache-control': 'no-store', connection: 'close' }
  response.writeHead(status, headers).end(JSON.stringify(content))
}

function sendRefusal(response: ServerResponse, refusal: Refusal, instance: string, log: Log): void {
  log.info({ code: refusal.code }, 'refused')
  const challenge = wwwAuthenticate(refusal, 'ue')
  if (challenge !== undefined) response.setHeader('www-authenticate', challenge)
  const problem = toProblem(refusal, instance)
  send(response, problem.status, 'application/problem+json', problem)
}

const pathOf = ({ url = '' }: IncomingMessage) => url.split('?', 1)[0] ?? ''

/** There is no moment at which others could connect: the socket is made with the mode, and its folder is closed too. */
function listenPrivately(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const umask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
  return listening
}
