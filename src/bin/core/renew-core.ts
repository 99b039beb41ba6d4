import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AUSF } from '../../ausf/configuration.ts'
import { ENTITLEMENT_SERVER } from '../../entitlement/configuration.ts'
import { NEF } from '../../nef/configuration.ts'
import type { Making } from '../../nf/adapters/core-authority.ts'
import { ConfigurationError, openNfFolder } from '../../nf/adapters/folder.ts'
import { renewCoreAuthority } from '../../nf/adapters/renew-authority.ts'
import { renewNf } from '../../nf/adapters/renew-nf.ts'
import type { RenewedCertificate } from '../../nf/adapters/renew-pair.ts'
import { SEAF } from '../../nf/serving-network.ts'
import { UDM } from '../../udm/configuration.ts'

const KINDS = [UDM, AUSF, NEF, ENTITLEMENT_SERVER, SEAF]

export interface Renewal {
  /** folders below that of the core, or paths of others; all of those below unless stated */
  readonly names?: readonly string[] | undefined
  /** milliseconds: what ends within them is renewed */
  readonly notice: number
}

/**
 * New certificates for the network functions of a core and for their operators, where they end soon, and what its
 * authority has to sign again by then. Each network function has its own step: what a crash leaves is done the next time.
 *
 * @throws ConfigurationError, FileRefused, CannotOpenStore `locked`
 */
export async function renewCore(
  core: string,
  { names, notice }: Renewal,
  making: Making,
): Promise<RenewedCertificate[]> {
  // Before the first is renewed: a name that is wrong changes nothing.
  const folders = await foldersOf(core, names)
  const opened = await Promise.all(folders.map((folder) => openNfFolder(folder, kindOf(folder), making.passphrase)))
  const { authority, renewed } = await renewCoreAuthority(join(core, 'ca'), notice, making)
  const all: RenewedCertificate[] = renewed.map((each) => ({ ...each, renewed: true }))
  for (const nf of opened) all.push(...(await renewNf(nf, notice, authority, making)))
  return all
}

async function foldersOf(core: string, names: readonly string[] | undefined): Promise<string[]> {
  if (names !== undefined) return names.map((name) => [join(core, name), resolve(name)].find(holdsNf) ?? name)
  const entries = await readdir(core, { withFileTypes: true })
  return entries.map(({ name }) => join(core, name)).filter(holdsNf)
}

const holdsNf = (folder: string) => existsSync(join(folder, 'nf.crt'))

function kindOf(folder: string) {
  const kind = KINDS.find(({ name }) => existsSync(join(folder, `${name}.yaml`)))
  if (kind === undefined) throw new ConfigurationError(`${folder} is not the folder of a network function`)
  return kind
}
