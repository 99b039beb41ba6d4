import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { findInvalidSetting } from '../../http/schema.ts'
import { newUsimSqnState } from '../../keys/sqn.ts'
import { withDefaults } from '../../nf/configuration.ts'
import type { Random } from '../../ports/random.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { lockExclusively } from '../../store/exclusive-lock.ts'
import { syncFolder } from '../../store/private-file.ts'
import { createKeyFile, type SealingSecret } from '../../store/sealed-file.ts'
import { Configuration, configurationText, DEFAULTS } from '../configuration.ts'
import { NotUsable } from '../errors.ts'
import type { Subscription } from '../usim/subscription.ts'
import { newCard, writeCard } from './card.ts'
import { FILES } from './files.ts'
import { sqnFile } from './sqn-file.ts'

/** The folder of a UE, open. */
export interface UeFolder {
  /** absolute */
  readonly folder: string
  readonly configuration: Configuration
  readonly secret: SealingSecret
}

export interface InitOptions {
  readonly random: Pick<Random, 'uuid'>
  /** seals the secrets instead of a key file */
  readonly passphrase?: string | undefined
  /** of a UE that is made now */
  readonly keyProfile: KeyProfile
  /** whether another USIM may be in the UE: it is taken out, and the keys that came from it are deleted */
  readonly replace: boolean
}

/**
 * Puts a USIM into a UE, which is made if it is not there.
 *
 * @throws NotUsable if there is a USIM that may not be replaced
 */
export async function insertUsim(folder: string, subscription: Subscription, options: InitOptions): Promise<UeFolder> {
  await makeFolder(folder, options)
  const ue = await openUeFolder(folder, options.passphrase)
  await exclusively(ue, async () => {
    if (await exists(join(folder, FILES.usim))) {
      if (!options.replace) throw new NotUsable(`${folder} has a USIM: it is not replaced unless you say so`)
      await removeUsim(folder)
    }
    const card = newCard(subscription, options.random)
    await sqnFile(folder, card.id).save(newUsimSqnState())
    await writeCard(ue, card)
  })
  return ue
}

/** The configuration is written last: where it is, the rest is. */
async function makeFolder(folder: string, { passphrase, keyProfile }: InitOptions): Promise<void> {
  await ensureFolder(folder, 0o700)
  await requireClosed(folder)
  if (await exists(join(folder, FILES.configuration))) return
  const sealingKey = join(folder, FILES.sealingKey)
  if (passphrase === undefined && !(await exists(sealingKey))) await createKeyFile(sealingKey)
  await writeFile(join(folder, FILES.configuration), configurationText(keyProfile), { mode: 0o600 })
}

/** TS 33.501 6.2.2: without its USIM the UE has none of its keys. The keys go first. */
async function removeUsim(folder: string): Promise<void> {
  for (const name of [FILES.keys, FILES.usim, FILES.sqn]) {
    await rm(join(folder, name), { force: true })
    await syncFolder(folder)
  }
}

/** @throws NotUsable, FileRefused */
export async function openUeFolder(folder: string, passphrase: string | undefined): Promise<UeFolder> {
  await requireClosed(folder)
  const configuration = await readConfiguration(join(folder, FILES.configuration))
  const { keyFile } = configuration.sealing
  if (passphrase !== undefined) return { folder: resolve(folder), configuration, secret: { passphrase } }
  if (keyFile === undefined) throw new NotUsable('there is no sealing.keyFile: set EDGEWARD_PASSPHRASE')
  const secret = { keyFile: isAbsolute(keyFile) ? keyFile : join(folder, keyFile) }
  return { folder: resolve(folder), configuration, secret }
}

/** One process at a time changes USIM and keys. @throws CannotOpenStore `locked` */
export async function exclusively<Result>({ folder }: UeFolder, work: () => Promise<Result>): Promise<Result> {
  const unlock = lockExclusively(join(folder, FILES.lock))
  return work().finally(unlock)
}

/** Others could put a socket or a file of their own in the place of ours. */
async function requireClosed(folder: string): Promise<void> {
  const { mode } = await stat(folder).catch((cause: unknown) => {
    throw new NotUsable(`${folder} cannot be read: was this folder made by "edgeward ue init"?`, { cause })
  })
  if (mode & 0o077) throw new NotUsable(`${folder} is open to others: run chmod 700 on it`)
}

async function readConfiguration(file: string): Promise<Configuration> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NotUsable(`${file} cannot be read: was this folder made by "edgeward ue init"?`, { cause })
  })
  const written = readMapping(text)
  if (written === undefined) throw new NotUsable(`${file}: not a YAML mapping`)
  const configuration = withDefaults(written, DEFAULTS)
  const invalid = findInvalidSetting(Configuration, configuration)
  if (invalid !== undefined) throw new NotUsable(`${file}: ${invalid}`)
  return configuration as Configuration
}

function readMapping(text: string): Record<string, unknown> | undefined {
  try {
    const document: unknown = parse(text, { maxAliasCount: 0 })
    return typeof document === 'object' && document !== null && !Array.isArray(document) ? { ...document } : undefined
  } catch {
    return undefined
  }
}

const exists = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  )
