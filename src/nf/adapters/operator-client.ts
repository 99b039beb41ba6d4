import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Message } from '../../http/client.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemTimers, type Timers } from '../../ports/timers.ts'
import { isApplicationError } from '../../spec/application-errors.ts'
import { Refusal } from '../../spec/refusal.ts'
import { nfClient } from './nf-client.ts'
import { operatorPair, readOperatorCredential } from './operator-credential.ts'
import { renewalCommand } from './renewal-command.ts'

/** Where a serving network function says that its operator finds it. */
export const ADMIN_FILE = 'admin.json'

export interface AdminAddress {
  readonly fqdn: string
  /** `https://ADDRESS:PORT` */
  readonly admin: string
}

export interface OperatorClient {
  /** @throws Refusal of the network function, or NF_CONGESTION if it cannot be asked */
  ask<Answer>(method: Message['method'], path: string, body?: object): Promise<Answer>
  close(): void
}

/** How long an operator waits: an import is stored before it is answered. */
const PATIENCE = 10_000

/**
 * The connection of whoever can read the folder to the network function that serves from it.
 *
 * @throws FileRefused, also if the certificate of the operator is over
 */
export async function operatorClient(folder: string, timers: Timers = systemTimers): Promise<OperatorClient> {
  const credential = await readOperatorCredential(operatorPair(folder), systemClock.now(), renewalCommand(folder))
  const { fqdn, admin } = JSON.parse(await readFile(join(folder, ADMIN_FILE), 'utf8')) as AdminAddress
  const { hostname, port } = new URL(admin)
  const client = nfClient({
    origin: `https://${fqdn}:${port}`,
    root: await readFile(join(folder, 'root.crt'), 'utf8'),
    credential: () => credential,
    resolve: new Map([[fqdn, hostname.replaceAll(/[[\]]/g, '')]]),
    timers,
    patience: PATIENCE,
  })
  return {
    async ask<Answer>(method: Message['method'], path: string, body?: object) {
      const answer = await client.ask(method, path, body)
      if (answer.status >= 200 && answer.status < 300) return answer.body as Answer
      const { cause, detail } = (answer.body ?? {}) as { cause?: string; detail?: string }
      const code = isApplicationError(cause) ? cause : 'SYSTEM_FAILURE'
      throw new Refusal(code, detail ?? `the network function answered ${answer.status}`)
    },
    close: () => client.close(),
  }
}
