import { openNfFolder } from '../../nf/adapters/folder.ts'
import { SEAF, type SeafConfiguration } from '../../nf/serving-network.ts'
import { parseServingNetworkName, type ServingNetworkName } from '../../spec/subscriber-identifiers.ts'
import { NotUsable } from '../errors.ts'
import type { ServingNetworkAccess } from './open-ue.ts'

/** The serving network whose SEAF has its folder there. @throws ConfigurationError, FileRefused, NotUsable */
export async function servingNetworkOf(folder: string, passphrase: string | undefined): Promise<ServingNetworkAccess> {
  const { configuration, credential, root } = await openNfFolder<SeafConfiguration>(folder, SEAF, passphrase)
  const { servingNetworkName, ausf, resolve } = configuration
  const known = new Map(Object.entries(resolve))
  return { name: nameOf(servingNetworkName), ausf, root, credential: credential.current(), resolve: known }
}

/** @throws NotUsable */
export function nameOf(text: string): ServingNetworkName {
  const name = parseServingNetworkName(text)
  if (name === undefined) throw new NotUsable(`${text} is not a serving network, as 5G:mnc001.mcc001.3gppnetwork.org`)
  return name
}
