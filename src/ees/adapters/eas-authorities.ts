import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { systemClock } from '../../ports/clock.ts'
import type { EesConfiguration } from '../configuration.ts'
import { NotUsable } from '../errors.ts'
import type { EasGuardPorts } from '../guard/eas-guard.ts'
import { EAS_AUTHORITY } from './eas-authority.ts'
import { readPems } from './read-configuration.ts'

/** Who certifies EASs here: the authorities of the configuration, and our own as soon as there is one. */
export interface EasAuthorities extends EasGuardPorts {
  /** PEM, for the handshake */
  readonly pems: readonly string[]
}

/** @throws NotUsable for a file that is no list of certificates */
export async function readEasAuthorities(folder: string, { eas }: EesConfiguration): Promise<EasAuthorities> {
  const own = await readFile(join(folder, EAS_AUTHORITY), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const pems = [...(own === undefined ? [] : [own]), ...(await readPems(folder, eas.authorities))]
  return { pems, authorities: pems.flatMap(issuerOf), refused: new Set(eas.refused), now: systemClock.now }
}

/** The issuing authority stands first, then its root, which signs no EAS. */
function issuerOf(pem: string): Certificate[] {
  const [issuer] = readCertificateList(pem)
  if (issuer === undefined) throw new NotUsable('a file of eas.authorities holds no certificate')
  return [issuer]
}
