import { join } from 'node:path'
import type { Issuer } from '../../certificates/authority.ts'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { signatureVerifies } from '../../certificates/signature-algorithm.ts'
import { type FilePair, type PairContent, replacePair } from '../../store/file-pair.ts'
import { ConfigurationError } from './folder.ts'
import { readCredential } from './read-credential.ts'
import { isDue, type Renewed } from './renew-authority.ts'

/** A certificate that was looked at, and whether this run has made it. */
export interface RenewedCertificate extends Renewed {
  readonly renewed: boolean
}

/** When two files are renewed, and what takes the place of their content. */
export interface PairRenewal {
  /** has issued the certificate, and issues the next one */
  readonly issuer: Issuer
  /** milliseconds: what ends within `notice` of `now` is due */
  readonly notice: number
  readonly now: number
  /** PEM of what the file of the key holds */
  openKey(content: Buffer): Promise<string>
  make(present: Certificate): Promise<PairContent>
}

/**
 * A certificate with its key, if it is due. Who can write in a folder gains nothing by that: the certificate of before,
 * over or not, has to be of this issuer, and its key has to be there (THREATS CA-10).
 *
 * @throws ConfigurationError, FileRefused; CannotOpenStore `locked` while another process renews it
 */
export async function renewPair(
  pair: FilePair,
  { issuer, notice, now, openKey, make }: PairRenewal,
): Promise<RenewedCertificate> {
  const file = join(pair.folder, pair.certificate)
  const { certificate: before } = await readCredential(pair, openKey)
  if (!isDue(before.notBefore, before.notAfter, { notice, now }))
    return { file, until: before.notAfter, renewed: false }
  if (!isIssuedBy(before, issuer))
    throw new ConfigurationError(`${file} is not by the authority that would renew it: put the one of before back`)
  const next = await make(before)
  await replacePair(pair, next)
  const [made = before] = readCertificateList(next.certificate.toString())
  return { file, until: made.notAfter, renewed: true }
}

function isIssuedBy(leaf: Certificate, { certificate }: Issuer): boolean {
  return leaf.issuer.equals(certificate.subject) && signatureVerifies(leaf, certificate.publicKey)
}
