import { createPublicKey } from 'node:crypto'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { type FilePair, readPair } from '../../store/file-pair.ts'
import { FileRefused } from '../../store/private-file.ts'
import type { ServerCredential } from '../../tls/profile.ts'

/** A certificate with its key, as they are read from files. */
export interface ReadCredential extends ServerCredential {
  readonly certificate: Certificate
}

/**
 * @param openKey - makes PEM of what the file of the key holds
 * @throws FileRefused if a file is not there, or the certificate is for another key
 */
export async function readCredential(
  pair: FilePair,
  openKey: (content: Buffer) => Promise<string>,
): Promise<ReadCredential> {
  const credential = await readPair(pair, async ({ key, certificate }) =>
    credentialOf(await openKey(key), certificate.toString()),
  )
  if (credential !== undefined) return credential
  const { folder, key, certificate } = pair
  throw new FileRefused(`${key} and ${certificate} in ${folder} do not belong together, or one of them is not there`)
}

function credentialOf(privateKey: string, certificateChain: string): ReadCredential | undefined {
  const [certificate] = readCertificateList(certificateChain)
  if (!certificate?.publicKey.equals(createPublicKey(privateKey))) return undefined
  return { certificateChain, privateKey, certificate }
}
