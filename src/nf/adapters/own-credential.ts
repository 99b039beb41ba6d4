import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FilePair } from '../../store/file-pair.ts'
import { type SealingSecret, unseal } from '../../store/sealed-file.ts'
import { pemOfPkcs8 } from './own-keys.ts'
import { type ReadCredential, readCredential } from './read-credential.ts'

/** What a network function shows, as a server and as a client. The key is sealed. */
export const nfPair = (folder: string): FilePair => ({
  folder,
  key: 'nf.key',
  certificate: 'nf.crt',
  current: 'nf.current',
})

/** The certificate of a network function as it is now: another one takes its place while it serves. */
export interface OwnCredential {
  current(): ReadCredential
  /** @param work - done with each certificate that takes the place of the one before, whatever other work fails */
  onRenewal(work: () => void | Promise<void>): void
  /** Reads it again if its files have changed. @returns whether it is another one. @throws FileRefused, and what work threw */
  refresh(): Promise<boolean>
}

/** @throws FileRefused */
export async function openOwnCredential(folder: string, secret: SealingSecret): Promise<OwnCredential> {
  const pair = nfPair(folder)
  const read = () => readCredential(pair, sealedKeyOpener(secret))
  const listeners: (() => void | Promise<void>)[] = []
  let seen = await changedAt(pair)
  let current = await read()
  return {
    current: () => current,
    onRenewal: (work) => void listeners.push(work),
    async refresh() {
      const now = await changedAt(pair)
      if (now === seen) return false
      // Noted first: what does not fit is complained of once, and the old one holds until the files change again.
      seen = now
      const next = await read()
      if (next.certificateChain === current.certificateChain) return false
      current = next
      const done = await Promise.allSettled(listeners.map(async (work) => work()))
      for (const each of done) if (each.status === 'rejected') throw each.reason
      return true
    },
  }
}

/** For {@link readCredential}. @returns PEM */
export const sealedKeyOpener = (secret: SealingSecret) => async (content: Buffer) =>
  pemOfPkcs8(await unseal(content, secret))

async function changedAt({ folder, key, certificate }: FilePair): Promise<string> {
  const times = await Promise.all([key, certificate].map((name) => stat(join(folder, name))))
  return times.map(({ ino, mtimeMs }) => `${ino} ${mtimeMs}`).join(' ')
}
