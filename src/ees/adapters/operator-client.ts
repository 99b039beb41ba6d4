import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import type { Static } from 'typebox'
import { PeerUnavailable } from '../../http/client.ts'
import { parseJsonContent } from '../../http/content.ts'
import { readContent } from '../../http/private-socket.ts'
import { acceptIf, requireStatus } from '../../http/response.ts'
import { isOfSchema } from '../../http/schema.ts'
import { EECContextPushRes } from '../../spec/messages/eec-context-relocation.ts'
import type { EecRegistration } from '../eec-registration/registration.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { type ListEecs, OPERATOR_SOCKET, type Relocate } from '../operator/messages.ts'

const ANSWER_LIMIT = 16_777_216

/**
 * The operator's commands, carried out by the EES that serves from this folder.
 *
 * @throws PeerUnavailable if none serves; RefusedByServer, AnswerNotAccepted
 */
export function operatorClient(folder: string): OperatorCommands {
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
  const body = await readContent(response, ANSWER_LIMIT)
  requireStatus({ status: response.statusCode ?? 0, headers: response.headers, body }, 200)
  return parseJsonContent(body)
}
