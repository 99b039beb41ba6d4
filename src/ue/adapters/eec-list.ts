import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Random } from '../../ports/random.ts'
import type { EecCredential } from '../../spec/messages/edge-key.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { readPrivateFile, writePrivateFile } from '../../store/private-file.ts'
import { type AllowList, allowListRecord, hashOf, newToken, parseAllowList } from '../edge-interface/allow-list.ts'
import { NotUsable } from '../errors.ts'
import { absent } from './absent.ts'
import { FILES } from './files.ts'
import { jsonOf } from './json-of.ts'
import { exclusively, type UeFolder } from './ue-folder.ts'

/** @throws NotUsable, FileRefused */
export async function readAllowed(folder: string): Promise<AllowList> {
  const file = join(folder, FILES.allowed)
  const octets = await readPrivateFile(file).catch(absent)
  const allowed = octets === undefined ? new Map() : parseAllowList(jsonOf(octets))
  if (allowed === undefined) throw new NotUsable(`${file} is not a list of EECs`)
  return allowed
}

export interface AllowOptions {
  /** where the credential goes, a file that does not exist; `U/eecs/<EEC ID>.json` unless stated */
  readonly file?: string | undefined
  /** also lets it authenticate the subscriber to an entitlement server, whereby it learns the IMSI */
  readonly entitlement?: boolean
}

/**
 * Lets an EEC ask for its keys: writes its credential to a new file (0600). A second call for one EEC ends the
 * credential before, wherever it went, and what it was permitted.
 *
 * @returns the file
 */
export async function allowEec(
  ue: UeFolder,
  eecId: EecId,
  random: Pick<Random, 'octets'>,
  { file = credentialFile(ue.folder, eecId), entitlement = false }: AllowOptions = {},
): Promise<string> {
  const credential: EecCredential = { eecId, socket: join(ue.folder, FILES.socket), token: newToken(random) }
  return exclusively(ue, async () => {
    const permission = { tokenHash: hashOf(credential.token), entitlement }
    const allowed = new Map(await readAllowed(ue.folder)).set(eecId, permission)
    await ensureFolder(dirname(file), 0o700)
    await writePrivateFile(file, Buffer.from(`${JSON.stringify(credential, null, 2)}\n`), { replace: isOurs(ue, file) })
    await writeAllowed(ue, allowed)
    return resolve(file)
  })
}

/** Ends the credential of an EEC. @returns whether it had one */
export async function disallowEec(ue: UeFolder, eecId: EecId): Promise<boolean> {
  return exclusively(ue, async () => {
    const allowed = new Map(await readAllowed(ue.folder))
    const had = allowed.delete(eecId)
    if (had) await writeAllowed(ue, allowed)
    await rm(credentialFile(ue.folder, eecId), { force: true })
    return had
  })
}

async function writeAllowed({ folder }: UeFolder, allowed: AllowList): Promise<void> {
  const text = JSON.stringify(allowListRecord(allowed))
  await writePrivateFile(join(folder, FILES.allowed), Buffer.from(text), { replace: true })
}

/** An EEC ID may hold what a file name may not. */
export function credentialFile(folder: string, eecId: EecId): string {
  return join(folder, FILES.credentials, `${encodeURIComponent(eecId)}.json`)
}

const isOurs = ({ folder }: UeFolder, file: string) => dirname(resolve(file)) === join(folder, FILES.credentials)
