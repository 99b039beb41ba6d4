import { operatorClient } from '../../nf/adapters/operator-client.ts'
import type { EntitlementCommands } from '../operator/commands.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'

/** The operator's commands, carried out by the entitlement server that serves from this folder. */
export async function entitlementAdminClient(folder: string): Promise<EntitlementCommands & { close(): void }> {
  const { ask, close } = await operatorClient(folder)
  const { allow, deny, list, withdraw, newSigningKey, installSigningKey } = OPERATOR_OPERATIONS
  return {
    allow: (record) => ask(allow.method, allow.path, record),
    deny: (record) => ask(deny.method, deny.path, record),
    list: (after) =>
      ask(list.method, after === undefined ? list.path : `${list.path}?${new URLSearchParams({ after })}`),
    withdraw: (supi) => ask(withdraw.method, withdraw.path, { supi }),
    newSigningKey: () => ask(newSigningKey.method, newSigningKey.path, {}),
    installSigningKey: (installation) => ask(installSigningKey.method, installSigningKey.path, installation),
    close,
  }
}
