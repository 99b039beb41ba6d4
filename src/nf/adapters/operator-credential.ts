import { join } from 'node:path'
import type { FilePair } from '../../store/file-pair.ts'
import { FileRefused } from '../../store/private-file.ts'
import { type ReadCredential, readCredential } from './read-credential.ts'

/** What the operator of a network function shows. The key is plain, for a program that is none of ours as well. */
export const operatorPair = (folder: string): FilePair => ({
  folder,
  key: 'operator.key',
  certificate: 'operator.crt',
  current: 'operator.current',
})

export const openPlainKey = async (content: Buffer) => content.toString()

/**
 * @param now - milliseconds since 1970
 * @param command - that renews it, for people
 * @throws FileRefused, also if the certificate is over
 */
export async function readOperatorCredential(pair: FilePair, now: number, command: string): Promise<ReadCredential> {
  const read = await readCredential(pair, openPlainKey)
  const { notAfter } = read.certificate
  if (notAfter >= now) return read
  const until = new Date(notAfter).toISOString()
  throw new FileRefused(`${join(pair.folder, pair.certificate)} ended at ${until}: run ${command}`)
}
