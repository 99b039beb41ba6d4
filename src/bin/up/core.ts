import { join } from 'node:path'
import { trustHandover } from '../../ecs/adapters/trust-handover.ts'
import { systemClock } from '../../ports/clock.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { parseEecId } from '../../spec/subscriber-identifiers.ts'
import { openUdm } from '../../udm/adapters/open-udm.ts'
import { udmCommands } from '../../udm/adapters/ports.ts'
import { allowEec, insertUsim, openUeFolder, readSubscription } from '../../ue/index.ts'
import { domainOf, initCore } from '../core/init-core.ts'
import { readAuthorities, trustEcs } from '../core/trust-ecs.ts'
import { keyServiceHandover, writeHandover } from '../core/write-handover.ts'
import { systemEnvironment } from '../operator.ts'

/** The test PLMN of 3GPP. */
export const PLMN = { mcc: '001', mnc: '01' }
export const SUPI = 'imsi-001010000000001'
export const EEC = 'eec-1'
/** another EEC on the same UE */
export const OTHER_EEC = 'eec-2'
/** one more, whose EEC ID the operator does not list for this subscriber */
export const FOREIGN_EEC = 'eec-3'

/** The core network of the operator: its folder, and the names in it. */
export interface Core {
  readonly folder: string
  readonly names: readonly Fqdn[]
}

export async function makeCore(folder: string): Promise<Core> {
  const { clock, random } = systemEnvironment('silent')
  await initCore(
    folder,
    { homeNetwork: PLMN, routingIndicator: '0', address: '127.0.0.1' },
    { clock, random, passphrase: undefined },
  )
  const domain = domainOf(PLMN)
  return { folder, names: ['udm', 'ausf', 'nef', 'amf'].map((name) => `${name}.${domain}` as Fqdn) }
}

/** Each side is told about the other: the core whom to give keys to, the ECS whom to ask for them. */
export async function introduce(core: Core, ecsFolder: string, fqdn: Fqdn, via: 'ausf' | 'nef'): Promise<void> {
  const authorities = await readAuthorities([join(ecsFolder, 'ca', 'root.crt')])
  const trusted = { fqdn, via, akma: via === 'ausf' }
  await trustEcs(core.folder, { ...trusted, authorities })
  const file = join(core.folder, `key-service-for-${fqdn}.json`)
  const now = systemClock.now()
  await writeHandover(file, await keyServiceHandover(core.folder, trusted), now)
  const resolve = new Map(core.names.map((name) => [name, '127.0.0.1']))
  await trustHandover(ecsFolder, file, { now, resolve })
}

/**
 * A subscriber of the operator, its USIM in a UE, and three EECs on it, two of which the operator knows of.
 *
 * @returns the folder of the UE
 */
export async function makeDevice(core: Core, folder: string): Promise<string> {
  const { random, clock, timers, log } = systemEnvironment('silent')
  const keys = { k: random.octets(16).toString('hex'), opc: random.octets(16).toString('hex') }
  const udm = await openUdm(join(core.folder, 'udm'), { random, clock, timers, log, passphrase: undefined })
  const commands = udmCommands(udm)
  const subscriber = { supi: SUPI, gpsi: 'msisdn-0010000001', edge: true, akma: true, eecIds: [EEC, OTHER_EEC] }
  await commands.add([{ ...subscriber, ...keys }])
  const {
    homeNetwork,
    routingIndicator,
    keys: [homeNetworkPublicKey],
  } = await commands.homeNetworkKeys()
  await udm.close()
  const subscription = {
    supi: SUPI,
    homeNetwork,
    routingIndicator,
    ...keys,
    ...(homeNetworkPublicKey && { homeNetworkPublicKey }),
  }
  await insertUsim(folder, readSubscription(JSON.stringify(subscription)), {
    random,
    passphrase: undefined,
    keyProfile: 'bound',
    replace: false,
  })
  for (const name of [EEC, OTHER_EEC, FOREIGN_EEC]) {
    const eecId = parseEecId(name)
    if (eecId === undefined) throw new Error('the EEC has no EEC ID')
    await allowEec(await openUeFolder(folder, undefined), eecId, random, { entitlement: name === EEC })
  }
  return folder
}
