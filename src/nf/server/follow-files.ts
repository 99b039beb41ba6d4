import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TSchema } from 'typebox'
import type { Log } from '../../http/log.ts'
import type { Timers } from '../../ports/timers.ts'
import { PEERS_FILE, readPeers } from '../adapters/folder.ts'
import type { OwnCredential } from '../adapters/own-credential.ts'
import type { PeerEntry } from '../configuration.ts'
import type { Peers } from '../peers.ts'
import { regularly } from './upkeep.ts'

const RELOAD = 1_000

/** The allow-list as it was read last. */
export interface WatchedPeers<Entry extends PeerEntry> {
  current(): Peers<Entry>
  hasChanged(): Promise<boolean>
  /** @throws ConfigurationError; the list of before holds */
  reload(): Promise<void>
}

/** @throws ConfigurationError */
export async function watchedPeers<Entry extends PeerEntry>(
  folder: string,
  schema: TSchema,
): Promise<WatchedPeers<Entry>> {
  const changedAt = async () => (await stat(join(folder, PEERS_FILE))).mtimeMs
  let seen = await changedAt()
  let current = await readPeers<Entry>(folder, schema)
  return {
    current: () => current,
    hasChanged: async () => (await changedAt()) !== seen,
    async reload() {
      // Noted first: a list that is not well formed is complained of once, and the old one holds.
      seen = await changedAt()
      current = await readPeers<Entry>(folder, schema)
    },
  }
}

interface FollowedFiles {
  readonly list: WatchedPeers<PeerEntry>
  readonly credential: OwnCredential
  /** makes it hold at the listener */
  changed(): void
}

/** What changes in the allow-list or in the own certificate holds within a second, or at `reload`. */
export function followFiles(
  nf: { readonly timers: Timers; readonly log: Log },
  { list, credential, changed }: FollowedFiles,
): { reload(): Promise<void>; stop(): void } {
  const reloadPeers = async () => {
    await list.reload()
    changed()
    nf.log.info({ callers: list.current().entries.size }, 'allow-list read')
  }
  credential.onRenewal(async () => {
    changed()
    const { notAfter } = credential.current().certificate
    nf.log.info({ until: new Date(notAfter).toISOString() }, 'the own certificate is another one now')
    // With it may have come another certificate of the authority, which the list names.
    await reloadPeers()
  })
  const stops = [
    regularly(nf, RELOAD, 'allow-list', async () => {
      if (await list.hasChanged()) await reloadPeers()
    }),
    regularly(nf, RELOAD, 'own certificate', credential.refresh),
  ]
  return {
    async reload() {
      if (!(await credential.refresh())) await reloadPeers()
    },
    stop() {
      for (const stop of stops) stop()
    },
  }
}
