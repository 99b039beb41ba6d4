import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TSchema } from 'typebox'
import { readCertificateList } from '../../certificates/certificate.ts'
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
import { ConfigurationError, inFolder, type NfFolder, PEERS_FILE, readPeers, rootPems } from '../adapters/folder.ts'
import { operatorPair } from '../adapters/operator-credential.ts'
import type { OwnCredential } from '../adapters/own-credential.ts'
import { renewalCommand } from '../adapters/renewal-command.ts'
import { type Alarms, createAlarms } from '../alarms.ts'
import type { NfConfiguration, PeerEntry } from '../configuration.ts'
import type { Peers } from '../peers.ts'
import { type WatchedCertificate, warnOfEnd } from './certificate-end.ts'
import { regularly } from './upkeep.ts'

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

const RELOAD = 1_000

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

interface FollowedFiles {
  readonly list: Awaited<ReturnType<typeof watchedPeers>>
  readonly credential: OwnCredential
  /** makes it hold at the listener */
  changed(): void
}

function followFiles(
  nf: Pick<NfEnvironment, 'timers' | 'log'>,
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

/** Nobody would speak to it. @throws ConfigurationError */
function refuseEnded({ folder, credential }: NfFolder<NfConfiguration>, now: number): void {
  const { notAfter } = credential.current().certificate
  if (notAfter >= now) return
  const until = new Date(notAfter).toISOString()
  throw new ConfigurationError(`the certificate in ${folder} ended at ${until}: run ${renewalCommand(folder)}`)
}

function watchedOwn({ folder, configuration, credential }: NfFolder<NfConfiguration>): WatchedCertificate[] {
  const { certificate } = credential.current()
  return [{ name: configuration.fqdn, certificate, command: renewalCommand(folder) }]
}

/** None where it has no operator, or that one keeps it elsewhere. */
async function watchedOperator({ folder, configuration }: NfFolder<NfConfiguration>): Promise<WatchedCertificate[]> {
  const file = join(folder, operatorPair(folder).certificate)
  const [certificate] = existsSync(file) ? readCertificateList(await readFile(file, 'utf8')) : []
  if (certificate === undefined) return []
  return [{ name: `the operator of ${configuration.fqdn}`, certificate, command: renewalCommand(folder) }]
}

async function watchedPeers<Entry extends PeerEntry>(folder: string, schema: TSchema) {
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
