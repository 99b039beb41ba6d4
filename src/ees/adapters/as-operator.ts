import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CannotOpenStore } from '../../store/errors.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { OPERATOR_SOCKET } from '../operator/messages.ts'
import { openServices, type ServicesOptions } from './open-services.ts'
import { operatorClient } from './operator-client.ts'
import { readEesConfiguration } from './read-configuration.ts'

/** Runs an operator's command in the EES that serves from the folder, or on the folder itself if none does. */
export async function asEesOperator<Result>(
  options: Omit<ServicesOptions, 'configuration'>,
  command: (ees: OperatorCommands) => Promise<Result>,
): Promise<Result> {
  const { folder } = options
  const configuration = await readEesConfiguration(folder)
  const services = await openServices({ ...options, configuration }).catch((error: unknown) => {
    const serving =
      error instanceof CannotOpenStore && error.reason === 'locked' && existsSync(join(folder, OPERATOR_SOCKET))
    if (serving) return undefined
    throw error
  })
  if (services === undefined) return command(operatorClient(folder))
  return command(services.operator).finally(() => services.close())
}
