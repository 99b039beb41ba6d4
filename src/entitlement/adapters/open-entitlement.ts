import { join } from 'node:path'
import { type NfFolder, openNfFolder } from '../../nf/adapters/folder.ts'
import { readDataKey } from '../../nf/adapters/own-keys.ts'
import type { NfEnvironment } from '../../nf/server/serve-nf.ts'
import { type EmbeddedStore, openStore } from '../../store/open-store.ts'
import { ENTITLEMENT_SERVER, type EntitlementConfiguration } from '../configuration.ts'
import { ENTITLEMENT_MIGRATIONS } from '../tables.ts'
import { type KeyRing, openKeyRing } from './key-ring.ts'

/** An entitlement configuration server whose store is open; it need not serve for its operator to work on it. */
export interface OpenEntitlement extends NfEnvironment, NfFolder<EntitlementConfiguration> {
  readonly store: EmbeddedStore
  readonly keyRing: KeyRing
  close(): Promise<void>
}

export const ENTITLEMENT_STORE = 'entitlement.db'
export const ENTITLEMENT_DATA_KEY = 'data.key'

/** @throws ConfigurationError, FileRefused, CannotOpenStore */
export async function openEntitlement(folder: string, environment: NfEnvironment): Promise<OpenEntitlement> {
  const opened = await openNfFolder<EntitlementConfiguration>(folder, ENTITLEMENT_SERVER, environment.passphrase)
  const { configuration, root } = opened
  const dataKey = await readDataKey(join(folder, ENTITLEMENT_DATA_KEY), opened.secret)
  const store = await openStore({ file: join(folder, ENTITLEMENT_STORE), migrations: ENTITLEMENT_MIGRATIONS })
  const { clock, random } = environment
  const publishedBefore = configuration.signingKeys.publishedBefore * 1000
  try {
    const keyRing = await openKeyRing({
      store,
      dataKey,
      random,
      clock,
      fqdn: configuration.fqdn,
      root,
      publishedBefore,
    })
    return { ...environment, ...opened, store, keyRing, close: () => store.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}
