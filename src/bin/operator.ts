import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ADMIN_FILE, adminClient } from '../ecs/adapters/admin-client.ts'
import { openEcs } from '../ecs/adapters/open-ecs.ts'
import { operatorCommands } from '../ecs/adapters/operator.ts'
import type { OperatorCommands } from '../ecs/operator/commands.ts'
import { withoutListeners } from '../ecs/server/context.ts'
import { createLog } from '../http/log.ts'
import { systemClock } from '../ports/clock.ts'
import { systemRandom } from '../ports/random.ts'
import { systemTimers } from '../ports/timers.ts'
import { CannotOpenStore } from '../store/errors.ts'

/** The ports of a real process. */
export const systemEnvironment = (log: string) => ({
  clock: systemClock,
  random: systemRandom,
  timers: systemTimers,
  log: createLog('edgeward', log),
  passphrase: process.env['EDGEWARD_PASSPHRASE'],
})

/** Runs an operator's command in the ECS that serves from the folder, or on the folder itself if none does. */
export async function asOperator<Result>(
  folder: string,
  command: (ecs: OperatorCommands) => Promise<Result>,
): Promise<Result> {
  const opened = await openEcs(folder, systemEnvironment('warn')).catch((error: unknown) => {
    const serving =
      error instanceof CannotOpenStore && error.reason === 'locked' && existsSync(join(folder, ADMIN_FILE))
    if (serving) return undefined
    throw error
  })
  if (opened === undefined) {
    const client = await adminClient(folder)
    return command(client).finally(() => client.close())
  }
  return command(operatorCommands(await withoutListeners(opened))).finally(() => opened.close())
}
