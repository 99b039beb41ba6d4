import { createPublicKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { type FilePair, type PairContent, readPair } from '../../store/file-pair.ts'
import { FileRefused } from '../../store/private-file.ts'
import { type SealingSecret, unseal } from '../../store/sealed-file.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { pemOfPkcs8 } from './own-keys.ts'

/** What a network function shows, as a server and as a client. The key is sealed. */
export const nfPair = (folder: string): FilePair => ({
  folder,
  key: 'nf.key',
  certificate: 'nf.crt',
  current: 'nf.current',
})

/** What its operator shows. The key is plain, for a program that is none of ours as well. */
export const operatorPair = (folder: string): FilePair => ({
  folder,
  key: 'operator.key',
  certificate: 'operator.crt',
  current: 'operator.current',
})

/** A certificate with its key, as it is read from files. */
export interface ReadCredential extends ServerCredential {
  readonly certificate: Certificate
}

/** The certificate of a network function as it is now: another one takes its place while it serves. */
export interface OwnCredential {
  current(): ReadCredential
  /** @param work - done with each certificate that takes the place of the one before */
  onRenewal(work: () => void | Promise<void>): void
  /** Reads it again if its files have changed. @returns whether it is another one. @throws FileRefused */
  refresh(): Promise<boolean>
}

/** @throws FileRefused */
export async function openOwnCredential(folder: string, secret: SealingSecret): Promise<OwnCredential> {
  const pair = nfPair(folder)
  const listeners: (() => void | Promise<void>)[] = []
  let seen = await changedAt(pair)
  let current = await readNfCredential(pair, secret)
  return {
    current: () => current,
    onRenewal: (work) => void listeners.push(work),
    async refresh() {
      const now = await changedAt(pair)
      if (now === seen) return false
      // Noted first: what does not fit is complained of once, and the old one holds until the files change again.
      seen = now
      const read = await readNfCredential(pair, secret)
      if (read.certificateChain === current.certificateChain) return false
      current = read
      for (const work of listeners) await work()
      return true
    },
  }
}

async function readNfCredential(pair: FilePair, secret: SealingSecret): Promise<ReadCredential> {
  return required(pair, ({ key, certificate }) =>
    unseal(key, secret).then((der) => credentialOf(pemOfPkcs8(der), certificate)),
  )
}

/**
 * What an operator shows.
 *
 * @param command - that renews it
 * @throws FileRefused, also if the certificate is over
 */
export async function readOperatorCredential(pair: FilePair, now: number, command: string): Promise<ReadCredential> {
  const read = await required(pair, async ({ key, certificate }) => credentialOf(key.toString(), certificate))
  const { notAfter } = read.certificate
  if (notAfter >= now) return read
  const until = new Date(notAfter).toISOString()
  throw new FileRefused(`${join(pair.folder, pair.certificate)} ended at ${until}: run ${command}`)
}

async function required(
  pair: FilePair,
  open: (content: PairContent) => Promise<ReadCredential | undefined>,
): Promise<ReadCredential> {
  const credential = await readPair(pair, open)
  if (credential !== undefined) return credential
  const { folder, key, certificate } = pair
  throw new FileRefused(`${key} and ${certificate} in ${folder} do not belong together, or one of them is not there`)
}

/** @param privateKey - PEM. @returns undefined if the certificate is for another key */
function credentialOf(privateKey: string, chain: Buffer): ReadCredential | undefined {
  const certificateChain = chain.toString()
  const [certificate] = readCertificateList(certificateChain)
  if (!certificate?.publicKey.equals(createPublicKey(privateKey))) return undefined
  return { certificateChain, privateKey, certificate }
}

async function changedAt({ folder, key, certificate }: FilePair): Promise<string> {
  const times = await Promise.all([key, certificate].map((name) => stat(join(folder, name))))
  return times.map(({ ino, mtimeMs }) => `${ino} ${mtimeMs}`).join(' ')
}

/** What an operator runs for a network function with this folder. */
export function renewalCommand(folder: string): string {
  const core = dirname(resolve(folder))
  return existsSync(join(core, 'ca'))
    ? `edgeward core renew --dir ${core}`
    : `edgeward core renew --dir <the folder of the core> --name ${resolve(folder)}`
}
