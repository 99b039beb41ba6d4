import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { PeerUnavailable } from '../../http/client.ts'
import { parseJsonContent } from '../../http/content.ts'
import type { Log } from '../../http/log.ts'
import { isSocketPath, type PrivateSocket, readContent, servePrivateSocket } from '../../http/private-socket.ts'
import { toProblem } from '../../http/problem.ts'
import { AnswerNotAccepted, RefusedByServer } from '../../http/response.ts'
import { isOfSchema } from '../../http/schema.ts'
import { Refusal } from '../../spec/refusal.ts'
import { NotUsable } from '../errors.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { ListEecs, OPERATOR_SOCKET, Relocate } from '../operator/messages.ts'

const CONTENT_LIMIT = 4_096

/**
 * What the operator's commands reach while the EES serves: the socket `operator.sock` in its folder, one request a
 * connection. Who can read the folder could read the key of the EES as well.
 *
 *     POST /eecs         {"after": "", "limit": 100}
 *     POST /relocate     {"eecId": "eec-1", "target": "https://ees2.example.com:8444"}
 */
export async function serveOperator(folder: string, commands: OperatorCommands, log: Log): Promise<PrivateSocket> {
  const path = join(folder, OPERATOR_SOCKET)
  if (!isSocketPath(path)) {
    log.warn({ path }, 'the path is too long for a socket: operators can work while this EES is stopped only')
    return { close: async () => {} }
  }
  return servePrivateSocket(path, async (message, response) => {
    const send = (status: number, content: unknown) => {
      response
        .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
        .end(JSON.stringify(content))
    }
    try {
      send(200, await answer(commands, message))
    } catch (error) {
      const refusal = refusalOf(error)
      log.info({ code: refusal.code, reason: String(error) }, 'refused to the operator')
      const problem = toProblem(refusal, message.url ?? '')
      send(problem.status, problem)
    }
  })
}

async function answer(commands: OperatorCommands, message: IncomingMessage): Promise<unknown> {
  const content = parseJsonContent(await readContent(message, CONTENT_LIMIT))
  if (message.url === '/eecs' && isOfSchema(ListEecs, content)) return commands.listEecs(content.after, content.limit)
  if (message.url === '/relocate' && isOfSchema(Relocate, content))
    return commands.relocate(content.eecId, content.target)
  throw new Refusal('RESOURCE_URI_STRUCTURE_NOT_FOUND', 'there is no such command')
}

/** The operator is told what another EES, or the ECS, has said. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const isOfPeer =
    error instanceof PeerUnavailable || error instanceof RefusedByServer || error instanceof AnswerNotAccepted
  if (isOfPeer || error instanceof NotUsable) return new Refusal('NF_CONGESTION', error.message, { cause: error })
  return new Refusal('SYSTEM_FAILURE', 'the command could not be carried out', { cause: error })
}
