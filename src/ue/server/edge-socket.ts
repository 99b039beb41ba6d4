import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Static, TSchema } from 'typebox'
import { toRefusal } from '../../http/answer.ts'
import { parseJsonContent } from '../../http/content.ts'
import type { Log } from '../../http/log.ts'
import { isSocketPath, type PrivateSocket, readContent, servePrivateSocket } from '../../http/private-socket.ts'
import { toProblem, wwwAuthenticate } from '../../http/problem.ts'
import { isMediaType } from '../../http/response.ts'
import { findInvalidParam } from '../../http/schema.ts'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { EdgeKeyRequest } from '../../spec/messages/edge-key.ts'
import { EapRespondRequest, EapStartRequest } from '../../spec/messages/entitlement-eap.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { CannotOpenStore } from '../../store/errors.ts'
import type { AllowedEec, AllowList } from '../edge-interface/allow-list.ts'
import { handOutApplicationKey, handOutKey, type KeyHolder } from '../edge-interface/hand-out-key.ts'
import { identifyEec } from '../edge-interface/identify-eec.ts'
import type { EapRelay } from '../edge-interface/relay-eap.ts'
import { NotUsable } from '../errors.ts'

/** What the local interface gives access to. */
export interface EdgeInterface extends KeyHolder {
  allowed(): Promise<AllowList>
  readonly eap: EapRelay
}

interface Resource<Schema extends TSchema> {
  readonly schema: Schema
  act(ue: EdgeInterface, caller: AllowedEec, content: Static<Schema>): Promise<object>
  /** what the log says of it, beside who called */
  readonly message: string
}

const resource = <Schema extends TSchema>(declared: Resource<Schema>) => declared as Resource<TSchema>

/** The resources of the local interface, each for POST. */
const RESOURCES = new Map([
  [
    '/edge-key/v1/retrieve',
    resource({
      schema: EdgeKeyRequest,
      act: (ue, { eecId }, content) => handOutKey(ue, eecId, content),
      message: 'key handed out',
    }),
  ],
  [
    '/application-key/v1/retrieve',
    resource({
      schema: EdgeKeyRequest,
      act: (ue, { eecId }, content) => handOutApplicationKey(ue, eecId, content),
      message: 'application key handed out',
    }),
  ],
  [
    '/entitlement-eap/v1/start',
    resource({
      schema: EapStartRequest,
      act: (ue, caller, content) => ue.eap.start(caller, content),
      message: 'identity handed out',
    }),
  ],
  [
    '/entitlement-eap/v1/respond',
    resource({
      schema: EapRespondRequest,
      act: (ue, caller, content) => ue.eap.respond(caller, content),
      message: 'EAP request answered',
    }),
  ],
])

const CONTENT_LIMIT = 4_096
/** milliseconds */
const GRACE = 1_000

/**
 * Serves the local interface of a UE: HTTP/1.1 on a Unix socket of mode 0600, one request a connection, and a token for
 * each EEC (`Authorization: Bearer TOKEN`).
 *
 *     POST /edge-key/v1/retrieve          {"eecId": "eec-1", "ecsFqdn": "ecs1.example.com"}     TR 33.839 6.x.2.1 step 3
 *     POST /application-key/v1/retrieve   {"eecId": "eec-1", "ecsFqdn": "ecs1.example.com"}     TS 33.535 6.2.1 step 1
 *     POST /entitlement-eap/v1/start      {"eecId": "eec-1"}                                    TR 33.739 6.25.2 step 1
 *     POST /entitlement-eap/v1/respond    {"eecId": "eec-1", "session": "...", "eapPacket": "AQEA..."}
 *
 * @param path - whoever calls has made sure that no other process serves there
 * @throws NotUsable if the path is too long for a socket
 */
export async function serveEdgeSocket(path: string, ue: EdgeInterface, log: Log): Promise<PrivateSocket> {
  if (!isSocketPath(path)) throw new NotUsable(`${path} is too long for a Unix socket: give the UE a shorter folder`)
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      send(response, 200, 'application/json', await answer(ue, request, log))
    } catch (error) {
      sendRefusal(response, toRefusal(error, explain, log), pathOf(request), log)
    }
  }
  return servePrivateSocket(path, respond, { grace: GRACE })
}

async function answer(ue: EdgeInterface, request: IncomingMessage, log: Log): Promise<object> {
  const found = RESOURCES.get(pathOf(request))
  refuseUnless(found !== undefined, 'RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this UE has no such resource')
  refuseUnless(request.method === 'POST', 'METHOD_NOT_ALLOWED', 'this resource takes POST')
  const caller = await identifyEec(ue, request.headers.authorization)
  const json = isMediaType(request.headers['content-type'], 'application/json')
  refuseUnless(json, 'UNSUPPORTED_MEDIA_TYPE', 'the content is application/json')
  const content = parseJsonContent(await readContent(request, CONTENT_LIMIT))
  const invalid = findInvalidParam(found.schema, content)
  refuseUnless(invalid === undefined, 'MANDATORY_IE_INCORRECT', 'the content is not of the type of this resource')
  const given = await found.act(ue, caller, content)
  log.info({ eec: eecIdTag(caller.eecId) }, found.message)
  return given
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

/** One process at a time uses the USIM: "ue authenticate" has it. */
function explain(error: unknown): Refusal | undefined {
  if (!(error instanceof CannotOpenStore)) return undefined
  return new Refusal('NF_CONGESTION', 'the USIM is in use: try again')
}

const pathOf = ({ url = '' }: IncomingMessage) => url.split('?', 1)[0] ?? ''
