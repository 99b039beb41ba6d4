import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'yaml'
import { readCertificateList } from '../../certificates/certificate.ts'
import { fingerprintOf } from '../../certificates/roots.ts'
import type { Resolve } from '../../http/client.ts'
import type { TrustHandover } from '../../spec/trust-handover.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { lockExclusively } from '../../store/exclusive-lock.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import type { Configuration, KeyServiceConfiguration } from '../configuration.ts'
import type { EntitlementServerConfiguration } from '../eec-configuration.ts'
import { editConfiguration, ensureMapping, setEntry } from './edit-configuration.ts'
import { ConfigurationError, readConfiguration } from './open-folder.ts'
import { readHandover } from './read-handover.ts'

type Entry = KeyServiceConfiguration | EntitlementServerConfiguration

export interface TrustOptions {
  /** milliseconds since the epoch */
  readonly now: number
  /** where names are reached, instead of asking DNS */
  readonly resolve?: Resolve | undefined
  /** how tokens are verified; as it is written already, or by the certificate, unless stated */
  readonly verify?: EntitlementServerConfiguration['verify'] | undefined
  /** whether the root may be another than that of before */
  readonly newRoot?: boolean | undefined
}

export interface Trusted {
  /** what stands in `ecs.yaml` now */
  readonly entry: Entry
  /** what stood there for the same network, or the same server */
  readonly before: Entry | undefined
  /** SHA-256 of the roots, which people compare */
  readonly fingerprints: readonly string[]
  /** whether `ecs.yaml`, or the root that it names, is another than before */
  readonly changed: boolean
}

/** Where the roots are, in the folder of the ECS. */
const FOLDER = 'trusted'
const LOCK = 'ecs.yaml-lock'

/**
 * Takes what `edgeward core trust --out` or `edgeward entitlement trust --out` has written. What an ECS is told of a
 * network or a server that it knows already takes the place of what it was told before.
 *
 * @param folder - of the ECS; a server that runs there sees it at its next start
 * @throws ConfigurationError; CannotOpenStore `locked` while another process takes one
 */
export async function trustHandover(folder: string, file: string, options: TrustOptions): Promise<Trusted> {
  const read = await readHandover(file, options.now)
  refuseForeign(file, read.handover, await readConfiguration(join(folder, 'ecs.yaml')))
  const unlock = lockExclusively(join(folder, LOCK))
  try {
    return await enter(folder, read, options)
  } finally {
    unlock()
  }
}

/** By one process at a time: what is looked at is what is replaced. */
async function enter(
  folder: string,
  { handover, fingerprints }: Awaited<ReturnType<typeof readHandover>>,
  options: TrustOptions,
): Promise<Trusted> {
  const configuration = await readConfiguration(join(folder, 'ecs.yaml'))
  const { list, index, before, entry } = placeOf(handover, configuration, options)
  if (before !== undefined && options.newRoot !== true) await refuseOtherRoot(folder, before, fingerprints)
  const edited = await editConfiguration(folder, (document) => {
    ensureMapping(document, 'authentication')
    if (index === 0 && before === undefined) document.setIn(['authentication', list], document.createNode([]))
    setEntry(document, ['authentication', list, index], entry)
    for (const [fqdn, address] of options.resolve ?? []) setName(document, fqdn, address)
  })
  const isNewRoot = await writeRoot(join(folder, rootFileOf(handover)), handover.root)
  if (edited.changes) await edited.write()
  return { entry, before, fingerprints, changed: edited.changes || isNewRoot }
}

/** What was made for another ECS is not taken, and no setting of this one is weakened by what others say. */
function refuseForeign(file: string, handover: TrustHandover, { fqdn, authentication }: Configuration): void {
  if (handover.ecsFqdn !== fqdn) {
    throw new ConfigurationError(
      `${file} is for the ECS ${handover.ecsFqdn}, and this is ${fqdn}: ask for one of its own`,
    )
  }
  if (!('keyService' in handover)) return
  const { via, akma = false } = handover.keyService
  if (akma && via === 'nef') throw new ConfigurationError(`${file}: keys of AKMA come via ausf alone`)
  if (handover.keyProfile === authentication.keyProfile) return
  throw new ConfigurationError(
    `the AUSF gives keys of the profile ${handover.keyProfile}, and this ECS takes ${authentication.keyProfile}: ` +
      'set authentication.keyProfile in ecs.yaml, or edge.keyProfile in ausf.yaml',
  )
}

/** Whoever sends a file cannot take the place of another: a new root is compared by people first. */
async function refuseOtherRoot(folder: string, before: Entry, offered: readonly string[]): Promise<void> {
  const files = 'root' in before ? [before.root] : before.anchors
  const known = await Promise.all(files.map((file) => fingerprintsOfFile(resolve(folder, file))))
  const isKnown = isDeepStrictEqual(known.flat().sort(), [...offered].sort())
  if (isKnown) return
  const of = 'realm' in before ? before.realm : before.issuer
  throw new ConfigurationError(
    `another root is trusted for ${of} (SHA-256 ${known.flat().join(', ') || 'not readable'}): ` +
      'ask its operator for the fingerprint, and repeat this with --new-root if it is that of the file',
  )
}

/** None of a file that is gone or damaged. */
async function fingerprintsOfFile(file: string): Promise<string[]> {
  try {
    return readCertificateList(await readFile(file, 'utf8')).map(({ der }) => fingerprintOf(der))
  } catch {
    return []
  }
}

interface Place {
  readonly list: 'keyServices' | 'entitlementServers'
  /** of the entry for the same network or server, or behind the last */
  readonly index: number
  readonly before: Entry | undefined
  readonly entry: Entry
}

function placeOf(handover: TrustHandover, { authentication }: Configuration, { verify }: TrustOptions): Place {
  const root = rootFileOf(handover)
  if ('keyService' in handover) {
    const { keyServices: known } = authentication
    const entry = { ...handover.keyService, root }
    return { list: 'keyServices', ...placeIn(known, ({ realm }) => realm, entry.realm), entry }
  }
  const { entitlementServers: known } = authentication
  const { entitlementServer } = handover
  const place = placeIn(known, ({ issuer }) => issuer, entitlementServer.issuer)
  // How tokens are verified is this operator's choice: nobody else's file changes it.
  const { before = { verify: 'certificate', unbound: 'refused' } as const } = place
  const own = { anchors: [root], verify: verify ?? before.verify, unbound: before.unbound }
  return { list: 'entitlementServers', ...place, entry: { ...entitlementServer, ...own } }
}

function placeIn<Known extends Entry>(list: readonly Known[], nameOf: (entry: Known) => string, name: string) {
  const names = list.map(nameOf)
  const found = names.indexOf(name)
  if (found !== names.lastIndexOf(name)) throw new ConfigurationError(`${name} stands in ecs.yaml twice: take one out`)
  return { index: found === -1 ? list.length : found, before: list[found] }
}

/** A server may have the name of a network: it still has a file of its own. */
function rootFileOf(handover: TrustHandover): string {
  const name =
    'keyService' in handover
      ? `core-${handover.keyService.realm}`
      : `entitlement-${handover.entitlementServer.issuer.replace('https://', '')}`
  return join(FOLDER, `${name}.crt`)
}

function setName(document: Document, fqdn: string, address: string): void {
  ensureMapping(document, 'resolve')
  document.setIn(['resolve', fqdn], address)
}

/** @returns whether it is another than before */
async function writeRoot(file: string, pem: string): Promise<boolean> {
  if ((await readFile(file, 'utf8').catch(() => '')) === pem) return false
  await ensureFolder(dirname(file), 0o700)
  await writePrivateFile(file, Buffer.from(pem), { replace: true })
  return true
}
