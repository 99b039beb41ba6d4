import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** The file is open to others, or its content is not what it should be. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
}

/**
 * Writes a file that its owner alone can read (0600), whole or not at all: the octets go to a new file beside it, to
 * disk, and only then get the name.
 *
 * @param options.replace - may take the place of a file of that name; otherwise one that exists is never touched
 * @throws Error with code EEXIST if the file exists and may not be replaced
 */
export async function writePrivateFile(
  file: string,
  octets: Uint8Array,
  options: { replace?: boolean } = {},
): Promise<void> {
  const temporary = temporaryBeside(file)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(octets)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // A link, unlike a rename, fails if the name is taken.
    await (options.replace ? rename(temporary, file) : link(temporary, file))
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(file))
}

/** @throws FileRefused if group or others have any right on the file (THREATS CA-12) */
export async function readPrivateFile(file: string): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const { mode } = await handle.stat()
    if (mode & 0o077) throw new FileRefused(`${file} is open to others: run chmod 600 on it, and replace what it holds`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** A name in the same folder, so that giving the file its final name is one step of the file system. */
export function temporaryBeside(file: string): string {
  return join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`)
}

/** A new name is on disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
