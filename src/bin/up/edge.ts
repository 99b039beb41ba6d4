import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { adminClient } from '../../ecs/adapters/admin-client.ts'
import { initFolder } from '../../ecs/adapters/init-folder.ts'
import type { OperatorCommands } from '../../ecs/operator/commands.ts'
import type { Resolve } from '../../http/client.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { systemEnvironment } from '../operator.ts'
import { introduce, makeCore, makeDevice } from './core.ts'
import { type ServerProcess, startServer } from './process.ts'

/** One ECS of the edge: its own process, and its operator's commands. */
export interface EcsOfEdge {
  readonly folder: string
  readonly server: ServerProcess
  readonly operator: OperatorCommands
}

/** Everything that runs, and where it stands. */
export interface Edge {
  readonly folder: string
  /** every name of this edge is on this machine */
  readonly resolve: Resolve
  readonly ecs1: EcsOfEdge
  /** the folder of the UE */
  readonly ue: string
  /** Starts another server of the edge; it is stopped with it. */
  start(name: string, ...arguments_: string[]): Promise<ServerProcess>
  stop(): Promise<void>
}

const NAMES = ['ecs1', 'ees1', 'ees2'].map((label) => `${label}.edge.example.com` as Fqdn)
export const [ECS1 = '' as Fqdn, EES1 = '' as Fqdn, EES2 = '' as Fqdn] = NAMES

/** @param folder - empty */
export async function startEdge(folder: string): Promise<Edge> {
  await chmod(folder, 0o700)
  const servers: ServerProcess[] = []
  const clients: (() => void)[] = []
  const start = async (name: string, ...arguments_: string[]) => {
    const server = await startServer(name, folder, ...arguments_)
    servers.push(server)
    return server
  }
  const stop = async () => {
    for (const close of clients) close()
    // In the order against their start: nobody is left asking a server that is gone.
    for (const server of servers.reverse()) await server.stop()
  }
  try {
    const core = await makeCore(join(folder, 'core'))
    const ue = await makeDevice(core, join(folder, 'ue'))
    const made = await makeEcs(join(folder, 'ecs1'), ECS1)
    await introduce(core, made, ECS1, 'ausf')
    await start('udm', 'udm', 'serve', '--dir', join(core.folder, 'udm'))
    await start('ausf', 'ausf', 'serve', '--dir', join(core.folder, 'ausf'))
    const ecs1 = await startEcs(made, ECS1, start)
    clients.push(ecs1.close)
    await start('ue', 'ue', 'serve', '--dir', ue)
    const resolve = new Map([...NAMES, ...core.names].map((name) => [name, '127.0.0.1']))
    return { folder, resolve, ecs1, ue, start, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function makeEcs(folder: string, fqdn: Fqdn): Promise<string> {
  const { clock, random } = systemEnvironment('silent')
  const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
  await initFolder(folder, fqdn, { clock, random, listen })
  return folder
}

async function startEcs(folder: string, fqdn: Fqdn, start: Edge['start']): Promise<EcsOfEdge & { close(): void }> {
  const server = await start(fqdn.split('.')[0] ?? fqdn, 'ecs', 'serve', '--dir', folder)
  const operator = await adminClient(folder)
  return { folder, server, operator, close: () => operator.close() }
}
