import { type NfFolder, openNfFolder } from '../../nf/adapters/folder.ts'
import type { NfEnvironment } from '../../nf/server/serve-nf.ts'
import { NEF, type NefConfiguration } from '../configuration.ts'

/** A NEF that could serve. It has no store: what it relays it does not keep (THREATS KE-09). */
export interface OpenNef extends NfEnvironment, NfFolder<NefConfiguration> {}

/** @throws ConfigurationError, FileRefused */
export async function openNef(folder: string, environment: NfEnvironment): Promise<OpenNef> {
  return { ...environment, ...(await openNfFolder<NefConfiguration>(folder, NEF, environment.passphrase)) }
}
