import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { EciesPrivateKey } from '../../keys/ecies.ts'
import { inFolder, type NfFolder, openNfFolder } from '../../nf/adapters/folder.ts'
import { readDataKey, readSealedPrivateKey } from '../../nf/adapters/own-keys.ts'
import type { NfEnvironment } from '../../nf/server/serve-nf.ts'
import { type EmbeddedStore, openStore } from '../../store/open-store.ts'
import { UDM, type UdmConfiguration } from '../configuration.ts'
import { UDM_MIGRATIONS } from '../tables.ts'

/** A UDM whose store is open and whose keys are at hand; it need not serve for its operator to work on it. */
export interface OpenUdm extends NfEnvironment, NfFolder<UdmConfiguration> {
  readonly store: EmbeddedStore
  readonly dataKey: KeyObject
  readonly homeNetworkKeys: ReadonlyMap<number, EciesPrivateKey>
  close(): Promise<void>
}

export const UDM_STORE = 'udm.db'
export const UDM_DATA_KEY = 'data.key'

/** @throws ConfigurationError, FileRefused, CannotOpenStore */
export async function openUdm(folder: string, environment: NfEnvironment): Promise<OpenUdm> {
  const opened = await openNfFolder<UdmConfiguration>(folder, UDM, environment.passphrase)
  const dataKey = await readDataKey(join(folder, UDM_DATA_KEY), opened.secret)
  const homeNetworkKeys = new Map<number, EciesPrivateKey>()
  for (const { id, profile, file } of opened.configuration.homeNetworkKeys) {
    homeNetworkKeys.set(id, { profile, key: await readSealedPrivateKey(inFolder(folder, file), opened.secret) })
  }
  const store = await openStore({ file: join(folder, UDM_STORE), migrations: UDM_MIGRATIONS })
  return { ...environment, ...opened, store, dataKey, homeNetworkKeys, close: () => store.close() }
}
