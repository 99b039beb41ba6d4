import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { PeerUnavailable } from '../../http/client.ts'
import { parseJsonContent } from '../../http/content.ts'
import type { Log } from '../../http/log.ts'
import { toProblem } from '../../http/problem.ts'
import { AnswerNotAccepted, acceptIf, RefusedByServer, requireStatus } from '../../http/response.ts'
import { isOfSchema } from '../../http/schema.ts'
import { EECContextPushRes } from '../../spec/messages/eec-context-relocation.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { EecRegistration } from '../eec-registration/registration.ts'
import { NotUsable } from '../errors.ts'
import type { OperatorCommands } from '../operator/commands.ts'

export const OPERATOR_SOCKET = 'operator.sock'

const ListEecs = Type.Object({ after: Type.String(), limit: Type.Integer({ minimum: 1, maximum: 1_000 }) })
const Relocate = Type.Object({ eecId: Type.String(), target: Type.String() })

/** The longest path that every system takes for a Unix socket. */
const LONGEST_PATH = 103
const CONTENT_LIMIT = 4_096
const BOUNDS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 4_096,
}

/**
 * What the operator's commands reach while the EES serves: HTTP/1.1 on the Unix socket `operator.sock` of mode 0600 in the
 * folder of the EES, one request a connection. Who can read the folder could read the key of the EES as well.
 *
 *     POST /eecs         {"after": "", "limit": 100}
 *     POST /relocate     {"eecId": "eec-1", "target": "https://ees2.example.com:8444"}
 */
export async function serveOperator(
  folder: string,
  commands: OperatorCommands,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const path = join(folder, OPERATOR_SOCKET)
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    log.warn({ path }, 'the path is too long for a socket: operators can work while this EES is stopped only')
    return { close: async () => {} }
  }
  await rm(path, { force: true })
  const server = createServer(BOUNDS, (message, response) => {
    const send = (status: number, content: unknown) => {
      response
        .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
        .end(JSON.stringify(content))
    }
    answer(commands, message)
      .then((content) => send(200, content))
      .catch((error: unknown) => {
        const refusal = refusalOf(error)
        log.info({ code: refusal.code, reason: String(error) }, 'refused to the operator')
        const problem = toProblem(refusal, message.url ?? '')
        send(problem.status, problem)
      })
  })
  await listenPrivately(server, path)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

async function answer(commands: OperatorCommands, message: IncomingMessage): Promise<unknown> {
  const content = parseJsonContent(await read(message))
  if (message.url === '/eecs' && isOfSchema(ListEecs, content)) return commands.listEecs(content.after, content.limit)
  if (message.url === '/relocate' && isOfSchema(Relocate, content))
    return commands.relocate(content.eecId, content.target)
  throw new Refusal('RESOURCE_URI_STRUCTURE_NOT_FOUND', 'there is no such command')
}

async function read(message: AsyncIterable<Buffer>, limit = CONTENT_LIMIT): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of message) {
    length += part.length
    refuseUnless(length <= limit, 'CONTENT_TOO_LARGE', 'the content is too long')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The operator is told what another EES, or the ECS, has said. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const isOfPeer =
    error instanceof PeerUnavailable || error instanceof RefusedByServer || error instanceof AnswerNotAccepted
  if (isOfPeer || error instanceof NotUsable) return new Refusal('NF_CONGESTION', error.message, { cause: error })
  return new Refusal('SYSTEM_FAILURE', 'the command could not be carried out', { cause: error })
}

/** There is no moment at which others could connect: the socket is made with the mode. */
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

/** The same commands, carried out by the EES that serves from the folder. */
export function operatorOf(folder: string): OperatorCommands {
  return {
    async listEecs(after, limit) {
      const answered = await ask(folder, '/eecs', { after, limit } satisfies Static<typeof ListEecs>)
      acceptIf(Array.isArray(answered), 'the answer is not a list')
      return answered as EecRegistration[]
    },
    async relocate(eecId, target) {
      const answered = await ask(folder, '/relocate', { eecId, target } satisfies Static<typeof Relocate>)
      acceptIf(isOfSchema(EECContextPushRes, answered), 'the answer is not of its type')
      return answered
    },
  }
}

const ANSWER_LIMIT = 16_777_216

async function ask(folder: string, path: string, content: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const sent = request({ socketPath: join(folder, OPERATOR_SOCKET), method: 'POST', path, headers, agent: false })
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    sent.once('response', resolve).once('error', reject),
  )
  sent.end(JSON.stringify(content))
  const response = await answered.catch((cause: unknown) => {
    throw new PeerUnavailable('connect', 'the EES that serves from this folder cannot be reached', { cause })
  })
  const body = await read(response, ANSWER_LIMIT)
  requireStatus({ status: response.statusCode ?? 0, headers: response.headers, body }, 200)
  return parseJsonContent(body)
}
