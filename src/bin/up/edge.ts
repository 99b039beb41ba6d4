import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { adminClient } from '../../ecs/adapters/admin-client.ts'
import { initFolder } from '../../ecs/adapters/init-folder.ts'
import type { OperatorCommands } from '../../ecs/operator/commands.ts'
import type { Resolve } from '../../http/client.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { systemEnvironment } from '../operator.ts'
import { type Core, introduce, makeCore, makeDevice } from './core.ts'
import { admitTokens, ENT, entitle } from './entitlement-server.ts'
import { type ServerPlace, type ServerProcess, startServer } from './process.ts'

/** One ECS of the edge: its own process, and its operator's commands. */
export interface EcsOfEdge {
  /** as it is called in the figures: `ecs1` */
  readonly name: string
  readonly folder: string
  readonly server: ServerProcess
  readonly operator: OperatorCommands
}

/** Everything that runs, and where it stands. */
export interface Edge {
  readonly folder: string
  /** every name of this edge is on this machine */
  readonly resolve: Resolve
  readonly core: Core
  /** in the operator's domain: it gets keys from the AUSF */
  readonly ecs1: EcsOfEdge
  /** another provider's, outside that domain: it gets keys through the NEF */
  readonly ecs2: EcsOfEdge
  /** the folder of the UE */
  readonly ue: string
  /** a server that runs, by its name: `ausf` */
  serverOf(name: string): ServerProcess
  /** Starts a server of the edge, also again after its end; it is stopped with the edge. */
  start(name: string, ...arguments_: string[]): Promise<ServerProcess>
  /** Makes one more ECS, which has no part in the core, and starts it. */
  startEcs(fqdn: Fqdn): Promise<EcsOfEdge>
  stop(): Promise<void>
}

const fqdnOf = (name: string) => name as Fqdn
export const ECS1 = fqdnOf('ecs1.edge.example.com')
export const ECS2 = fqdnOf('ecs2.edge.example.net')
export const EES1 = fqdnOf('ees1.edge.example.com')
export const EES2 = fqdnOf('ees2.edge.example.com')
export const EES3 = fqdnOf('ees3.edge.example.net')
/** a third provider's, which joins for the last case of P4 */
export const ECS3 = fqdnOf('ecs3.edge.example.org')
export const EES4 = fqdnOf('ees4.edge.example.org')
const ECSS = [ECS1, ECS2, ECS3]

/**
 * @param folder - empty
 * @param announce - hears of everything that is made, and of every server that runs
 * @param stopping - ends it where it is
 */
export async function startEdge(
  folder: string,
  announce: (what: string) => void,
  stopping: AbortSignal,
): Promise<Edge> {
  await chmod(folder, 0o700)
  const { start, serverOf, stop: stopServers } = keepServers({ folder, stopping })
  const tell = (what: string) => {
    stopping.throwIfAborted()
    announce(what)
  }
  const operators: { close(): void }[] = []
  const stop = async () => {
    for (const operator of operators) operator.close()
    await stopServers()
  }
  try {
    const core = await makeCore(join(folder, 'core'))
    tell('made: the core of one operator, UDM, AUSF, NEF and entitlement server')
    const ue = await makeDevice(core, join(folder, 'ue'))
    tell('made: a subscriber, and a UE with its USIM and two EECs')
    const [folder1, folder2] = [await makeEcs(folder, ECS1), await makeEcs(folder, ECS2)]
    await introduce(core, folder1, ECS1, 'ausf')
    await introduce(core, folder2, ECS2, 'nef')
    await entitle(core.folder)
    await admitTokens(core.folder, folder1, ECS1, 'certificate')
    await admitTokens(core.folder, folder2, ECS2, 'introspection')
    await Promise.all([folder1, folder2].map(resolveEcss))
    tell(`made: ${ECS1} in the domain of the operator, ${ECS2} outside it`)
    const startFirst: Edge['start'] = async (name, ...arguments_) => {
      const server = await start(name, ...arguments_)
      tell(`runs: ${name}`)
      return server
    }
    const ofCore = (name: string) => startFirst(name, name, 'serve', '--dir', join(core.folder, name))
    const [ecs1, ecs2] = await all(
      startEcs(folder1, ECS1, startFirst),
      startEcs(folder2, ECS2, startFirst),
      ofCore('udm'),
      ofCore('ausf'),
      ofCore('nef'),
      ofCore('entitlement'),
      startFirst('ue', 'ue', 'serve', '--dir', ue),
    )
    operators.push(ecs1.operator, ecs2.operator)
    const names = [...ECSS, EES1, EES2, EES3, EES4, ENT, ...core.names]
    const resolve = new Map(names.map((name) => [name, '127.0.0.1']))
    const oneMore = async (fqdn: Fqdn) => {
      const made = await makeEcs(folder, fqdn)
      await resolveEcss(made)
      const ecs = await startEcs(made, fqdn, start)
      operators.push(ecs.operator)
      return ecs
    }
    return { folder, resolve, core, ecs1, ecs2, ue, serverOf, start, startEcs: oneMore, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** As `Promise.all`, but nothing is under way any more when it throws. */
async function all<Results extends unknown[]>(...work: { [Index in keyof Results]: Promise<Results[Index]> }) {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/** The processes of one edge, by name. */
function keepServers(place: ServerPlace) {
  const servers = new Map<string, ServerProcess>()
  return {
    async start(name: string, ...arguments_: string[]): Promise<ServerProcess> {
      const server = await startServer(name, place, ...arguments_)
      servers.set(name, server)
      return server
    },
    serverOf(name: string): ServerProcess {
      const server = servers.get(name)
      if (server === undefined) throw new Error(`${name} does not run`)
      return server
    },
    async stop(): Promise<void> {
      await Promise.all([...servers.values()].map((server) => server.stop()))
    },
  }
}

async function makeEcs(folder: string, fqdn: Fqdn): Promise<string> {
  const { clock, random } = systemEnvironment('silent')
  const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
  const own = join(folder, nameOf(fqdn))
  await initFolder(own, fqdn, { clock, random, listen })
  return own
}

/** The ECSs of this edge find each other on this machine. */
async function resolveEcss(folder: string): Promise<void> {
  const file = join(folder, 'ecs.yaml')
  const configuration = parseDocument(await readFile(file, 'utf8'))
  for (const name of ECSS) configuration.setIn(['resolve', name], '127.0.0.1')
  await writeFile(file, String(configuration))
}

async function startEcs(folder: string, fqdn: Fqdn, start: Edge['start']) {
  const name = nameOf(fqdn)
  const server = await start(name, 'ecs', 'serve', '--dir', folder)
  return { name, folder, server, operator: await adminClient(folder) }
}

const nameOf = (fqdn: Fqdn) => fqdn.split('.')[0] ?? fqdn
