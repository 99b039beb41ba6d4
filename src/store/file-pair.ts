import { lstat, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256Base64url } from '../octets/digest.ts'
import { ensureFolder } from './ensure-folder.ts'
import { lockExclusively } from './exclusive-lock.ts'
import { readPrivateFile, syncFolder, temporaryBeside, writePrivateFile } from './private-file.ts'

/**
 * A key and its certificate, in two files of one folder. At every moment, also after a crash, they belong together:
 * replaced, the two come in a folder of their own, both names lead there through a link, and replacing that link is the
 * one step that changes both:
 *
 *     KEY -> CURRENT/KEY    CERTIFICATE -> CURRENT/CERTIFICATE    CURRENT -> pairs/<SHA-256 of the certificate>
 */
export interface FilePair {
  readonly folder: string
  readonly key: string
  readonly certificate: string
  /** name of the link */
  readonly current: string
}

/** What the two files hold. */
export interface PairContent {
  readonly key: Buffer
  readonly certificate: Buffer
}

/** Beside the files, once they were replaced. */
export const PAIRS_FOLDER = 'pairs'
export const PAIRS_LOCK = '.lock'
/** What we call a place there. */
const PLACE = /^[\w-]{43}$/

/**
 * The two are read one after the other, and another process may replace them in between: then they are read again.
 *
 * @param open - what comes out of them, or undefined if they do not belong together
 * @returns undefined if they never do, or one is not there
 * @throws FileRefused if others can read the key, and what `open` throws
 */
export async function readPair<Opened>(
  pair: FilePair,
  open: (content: PairContent) => Promise<Opened | undefined>,
): Promise<Opened | undefined> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const content = await readBoth(pair).catch(unlessMissing)
    const opened = content && (await open(content))
    if (opened !== undefined) return opened
  }
  return undefined
}

/** Both change, or none. @throws CannotOpenStore `locked` while another process replaces them */
export async function replacePair(pair: FilePair, next: PairContent): Promise<void> {
  const unlock = lockExclusively(join(pair.folder, PAIRS_LOCK))
  try {
    await replaceLocked(pair, next)
  } finally {
    unlock()
  }
}

async function readBoth({ folder, key, certificate }: FilePair): Promise<PairContent> {
  return { key: await readPrivateFile(join(folder, key)), certificate: await readFile(join(folder, certificate)) }
}

async function replaceLocked(pair: FilePair, next: PairContent): Promise<void> {
  const { folder, key, certificate, current } = pair
  const elsewhere = []
  for (const name of [key, certificate]) {
    if ((await linkAt(join(folder, name))) !== join(current, name)) elsewhere.push(name)
  }
  if (elsewhere.length > 0) {
    // What the names show does not change yet: they are led to a copy of what they hold.
    await pointAt(pair, await readBoth(pair))
    for (const name of elsewhere) await placeLink(join(folder, name), join(current, name))
  }
  await pointAt(pair, next)
  await removeOthers(folder)
}

/** Keys that no link of the folder leads to any more, also what a crash has left. */
async function removeOthers(folder: string): Promise<void> {
  const links = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isSymbolicLink())
  const used = await Promise.all(links.map(({ name }) => readlink(join(folder, name))))
  for (const name of await readdir(join(folder, PAIRS_FOLDER))) {
    const place = join(PAIRS_FOLDER, name)
    // Nothing but ours: whoever runs this may remove more than one who can make links here.
    if (PLACE.test(name) && !used.includes(place)) await rm(join(folder, place), { recursive: true, force: true })
  }
}

/** @returns where it leads, or undefined if it is no link */
async function linkAt(path: string): Promise<string | undefined> {
  return (await lstat(path)).isSymbolicLink() ? readlink(path) : undefined
}

/** Both names lead to this content from now on. */
async function pointAt({ folder, key, certificate, current }: FilePair, content: PairContent): Promise<void> {
  const target = join(PAIRS_FOLDER, sha256Base64url(content.certificate))
  const place = join(folder, target)
  await ensureFolder(place, 0o700)
  await writePrivateFile(join(place, key), content.key, { replace: true })
  await writePrivateFile(join(place, certificate), content.certificate, { replace: true })
  await syncFolder(join(folder, PAIRS_FOLDER))
  await placeLink(join(folder, current), target)
}

/** Replaces whatever has the name in one step; relative, so that the folder can be moved. */
async function placeLink(path: string, target: string): Promise<void> {
  const temporary = temporaryBeside(path)
  await symlink(target, temporary)
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
