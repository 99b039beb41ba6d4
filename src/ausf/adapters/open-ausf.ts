import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { Making } from '../../nf/adapters/core-authority.ts'
import { type NfFolder, openNfFolder } from '../../nf/adapters/folder.ts'
import { readDataKey, writeDataKey } from '../../nf/adapters/own-keys.ts'
import type { NfEnvironment } from '../../nf/server/serve-nf.ts'
import type { PlmnId } from '../../spec/subscriber-identifiers.ts'
import { type EmbeddedStore, openStore } from '../../store/open-store.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { AUSF, type AusfConfiguration } from '../configuration.ts'
import { AUSF_MIGRATIONS } from '../tables.ts'

/** An AUSF whose store is open and whose keys are at hand. */
export interface OpenAusf extends NfEnvironment, NfFolder<AusfConfiguration> {
  readonly store: EmbeddedStore
  readonly dataKey: KeyObject
  close(): Promise<void>
}

export const AUSF_STORE = 'ausf.db'
const DATA_KEY = 'data.key'

/** @throws ConfigurationError, FileRefused, CannotOpenStore */
export async function openAusf(folder: string, environment: NfEnvironment): Promise<OpenAusf> {
  const opened = await openNfFolder<AusfConfiguration>(folder, AUSF, environment.passphrase)
  const dataKey = await readDataKey(join(folder, DATA_KEY), opened.secret)
  const store = await openStore({ file: join(folder, AUSF_STORE), migrations: AUSF_MIGRATIONS })
  return { ...environment, ...opened, store, dataKey, close: () => store.close() }
}

/** What `ausf.yaml` of a new AUSF says beside what all network functions say. */
export const newAusfMembers = (homeNetwork: PlmnId, udm: string) => ({ homeNetwork, udm })

/** Adds to the folder of a new network function what makes it an AUSF: store and data key. */
export async function addAusf(folder: string, secret: SealingSecret, { random }: Making): Promise<void> {
  await writeDataKey(join(folder, DATA_KEY), secret, random)
  const store = await openStore({ file: join(folder, AUSF_STORE), migrations: AUSF_MIGRATIONS })
  await store.close()
}
