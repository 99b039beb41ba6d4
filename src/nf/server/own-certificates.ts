import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCertificateList } from '../../certificates/certificate.ts'
import { ConfigurationError, type NfFolder } from '../adapters/folder.ts'
import { operatorPair } from '../adapters/operator-credential.ts'
import { renewalCommand } from '../adapters/renewal-command.ts'
import type { NfConfiguration } from '../configuration.ts'
import type { WatchedCertificate } from './certificate-end.ts'

/** No peer would speak to a server whose certificate is over. @throws ConfigurationError */
export function refuseEnded({ folder, credential }: NfFolder<NfConfiguration>, now: number): void {
  const { notAfter } = credential.current().certificate
  if (notAfter >= now) return
  const until = new Date(notAfter).toISOString()
  throw new ConfigurationError(`the certificate in ${folder} ended at ${until}: run ${renewalCommand(folder)}`)
}

export function watchedOwn({ folder, configuration, credential }: NfFolder<NfConfiguration>): WatchedCertificate[] {
  const { certificate } = credential.current()
  return [{ name: configuration.fqdn, certificate, command: renewalCommand(folder) }]
}

/** None where it has no operator, or that one keeps it elsewhere. */
export async function watchedOperator({
  folder,
  configuration,
}: NfFolder<NfConfiguration>): Promise<WatchedCertificate[]> {
  const file = join(folder, operatorPair(folder).certificate)
  const [certificate] = existsSync(file) ? readCertificateList(await readFile(file, 'utf8')) : []
  if (certificate === undefined) return []
  return [{ name: `the operator of ${configuration.fqdn}`, certificate, command: renewalCommand(folder) }]
}
