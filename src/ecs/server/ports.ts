import { freePorts, isFree } from '../../http/free-ports.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { readSetting, writeSetting } from '../adapters/settings.ts'

const LISTENERS = ['server', 'mtls', 'psk', 'admin'] as const
export type ListenerName = (typeof LISTENERS)[number]
export type Ports = Readonly<Record<ListenerName, number>>

/**
 * The ports to listen on: as configured, or where 0 is configured the one that was free before, because addresses
 * stand in bundles and in certificates. If somebody else has it by now, another free one takes its place for good.
 */
export async function choosePorts(ecs: OpenEcs): Promise<Ports> {
  const { address } = ecs.configuration.listen
  const chosen = { ...(await knownPorts(ecs)) }
  for (const name of LISTENERS) {
    if (ecs.configuration.listen[name] !== 0) continue
    if (chosen[name] !== 0 && (await isFree(address, chosen[name]))) continue
    const [port = 0] = await freePorts(address, 1)
    chosen[name] = port
    ecs.log.warn(
      { listener: name, port: chosen[name] },
      'another port than before: bundles made earlier name the old one',
    )
    await ecs.store.commit([writeSetting(`port.${name}`, String(chosen[name]))])
  }
  return chosen
}

/** The ports that the ECS was last given. */
export async function knownPorts({ store, configuration }: OpenEcs): Promise<Ports> {
  const kept = async (name: ListenerName) =>
    configuration.listen[name] || Number((await readSetting(store, `port.${name}`)) ?? 0)
  return { server: await kept('server'), mtls: await kept('mtls'), psk: await kept('psk'), admin: await kept('admin') }
}
