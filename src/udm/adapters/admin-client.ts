import { operatorClient } from '../../nf/adapters/operator-client.ts'
import type { UdmCommands } from '../operator/commands.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'

/** The operator's commands, carried out by the UDM that serves from this folder. */
export async function udmAdminClient(folder: string): Promise<UdmCommands & { close(): void }> {
  const { ask, close } = await operatorClient(folder)
  const { add, list, remove, setEecIds, homeNetworkKeys } = OPERATOR_OPERATIONS
  return {
    add: (subscribers) => ask(add.method, add.path, { subscribers }),
    list: (after) =>
      ask(list.method, after === undefined ? list.path : `${list.path}?${new URLSearchParams({ after })}`),
    remove: (supi) => ask(remove.method, remove.path, { supi }),
    setEecIds: (supi, eecIds) => ask(setEecIds.method, setEecIds.path, { supi, ...(eecIds && { eecIds }) }),
    homeNetworkKeys: () => ask(homeNetworkKeys.method, homeNetworkKeys.path),
    close,
  }
}
