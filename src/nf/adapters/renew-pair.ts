import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { type FilePair, type PairContent, replacePair } from '../../store/file-pair.ts'
import { ConfigurationError } from './folder.ts'
import type { Renewed } from './renew-authority.ts'

/** A certificate that was looked at, and whether this run has made it. */
export interface RenewedCertificate extends Renewed {
  readonly renewed: boolean
}

/** When two files are renewed, and what takes the place of their content. */
export interface PairRenewal {
  due(present: Certificate): boolean
  make(present: Certificate): Promise<PairContent>
}

/**
 * A certificate with its key, if it is due.
 *
 * @throws ConfigurationError; CannotOpenStore `locked` while another process renews it
 */
export async function renewPair(pair: FilePair, { due, make }: PairRenewal): Promise<RenewedCertificate> {
  const file = join(pair.folder, pair.certificate)
  const before = leafOf(await readFile(file, 'utf8'), file)
  if (!due(before)) return { file, until: before.notAfter, renewed: false }
  const next = await make(before)
  await replacePair(pair, next)
  return { file, until: leafOf(next.certificate.toString(), file).notAfter, renewed: true }
}

function leafOf(chain: string, file: string): Certificate {
  const [leaf] = readCertificateList(chain)
  if (leaf === undefined) throw new ConfigurationError(`${file} holds no certificate`)
  return leaf
}
