import { readFile } from 'node:fs/promises'
import type { TSchema } from 'typebox'
import { createListener } from '../../http/listener.ts'
import type { Log } from '../../http/log.ts'
import type { Authenticators, Route } from '../../http/route.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { Timers } from '../../ports/timers.ts'
import { Refusal } from '../../spec/refusal.ts'
import { StoreUnavailable } from '../../store/errors.ts'
import { mutualTls } from '../../tls/profile.ts'
import { readJwkSet } from '../../tokens/key-set.ts'
import { type Callers, callers } from '../adapters/callers.ts'
import { inFolder, type NfFolder, rootPems } from '../adapters/folder.ts'
import { type Alarms, createAlarms } from '../alarms.ts'
import type { NfConfiguration, PeerEntry } from '../configuration.ts'
import type { Peers } from '../peers.ts'
import { warnOfEnd } from './certificate-end.ts'
import { followFiles, watchedPeers } from './follow-files.ts'
import { refuseEnded, watchedOperator, watchedOwn } from './own-certificates.ts'

/** What a network function runs on. */
export interface NfEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly log: Log
  /** opens the sealed files in the place of a key file */
  readonly passphrase?: string | undefined
}

/** A network function that answers. */
export interface ServingNf {
  readonly fqdn: string
  /** `https://ADDRESS:PORT` of each listener, as it is reached on this machine */
  readonly listeners: { readonly mtls: string; readonly admin?: string }
  readonly alarms: Alarms
  /** Reads the allow-list and the own certificate again, if they are well formed. */
  reload(): Promise<void>
  /** Answers what is under way, then closes. */
  close(): Promise<void>
}

/** What the listener and the service behind it have in common. */
export interface SharedWithService<Entry extends PeerEntry> {
  readonly alarms: Alarms
  /** the allow-list in force */
  peers(): Peers<Entry>
}

export interface NfService<Credentials, Entry extends PeerEntry> {
  readonly routes: readonly Route<Credentials>[]
  /** what each credential of the routes means: mostly a scope */
  authenticators(callers: Callers<Entry>): Authenticators<Credentials>
  readonly longestParameter?: number
}

/**
 * The one listener of a network function: mutual TLS, callers of the allow-list only (TS 33.501 13.1.0, 13.3.0).
 * What changes in the allow-list, or in the own certificate, holds within a second.
 *
 * @param peerSchema - of an entry of the allow-list
 * @throws ConfigurationError, Error with code EADDRINUSE or EACCES
 */
export async function serveNf<Credentials, Entry extends PeerEntry>(
  nf: NfFolder<NfConfiguration>,
  { clock, timers, log }: NfEnvironment,
  peerSchema: TSchema,
  service: (shared: SharedWithService<Entry>) => NfService<Credentials, Entry>,
): Promise<ServingNf> {
  const { folder, configuration, credential, root } = nf
  const { fqdn, listen } = configuration
  refuseEnded(nf, clock.now())
  const alarms = createAlarms(log)
  const list = await watchedPeers<Entry>(folder, peerSchema)
  const { routes, authenticators, ...options } = service({ alarms, peers: list.current })
  const who = callers<Entry>({
    fqdn,
    peers: list.current,
    now: clock.now,
    alarms,
    ...(await tokenIssuers(folder, configuration)),
  })
  const tls = () => mutualTls(credential.current(), [...new Set([root, ...rootPems(list.current())])])
  const listener = createListener<Credentials>({
    name: 'mtls',
    tls: tls(),
    routes,
    authenticators: authenticators(who),
    admit: who.admit,
    hosts: [fqdn],
    explain,
    log,
    ...options,
  })
  const warnings = [
    await warnOfEnd({ clock, timers, log }, async () => watchedOwn(nf)),
    await warnOfEnd({ clock, timers, log }, () => watchedOperator(nf)),
  ]
  await listener.listen(listen.address, listen.mtls)
  const files = followFiles({ timers, log }, { list, credential, changed: () => listener.setSecureContext(tls()) })
  return {
    fqdn,
    listeners: { mtls: localUrl(listen.address, listen.mtls) },
    alarms,
    reload: files.reload,
    async close() {
      for (const stop of warnings) stop()
      files.stop()
      await listener.close()
    },
  }
}

async function tokenIssuers(folder: string, { authorization }: NfConfiguration) {
  if (authorization.mode === 'static') return {}
  const issuers = authorization.issuers.map(
    async ({ iss, keys }) => [iss, readJwkSet(await readFile(inFolder(folder, keys)))] as const,
  )
  return { issuers: new Map(await Promise.all(issuers)) }
}

/** Where a listener is reached on this machine; its certificate names it otherwise. */
export function localUrl(address: string, port: number): string {
  return `https://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Without its store a network function lets nobody in and acknowledges nothing (THREATS: fail closed). */
export function explain(error: unknown): Refusal | undefined {
  if (!(error instanceof StoreUnavailable)) return undefined
  return new Refusal('NF_CONGESTION', 'the store is not available now', { cause: error })
}
