import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** The message says where no folder can be made. */
export class FolderRefused extends Error {
  override readonly name = 'FolderRefused'
}

/**
 * Makes a folder, and those above it that are not there. Node's own `recursive` never ends where the system says of a
 * new folder that it is not there, as below `/proc`.
 *
 * @param mode - of every folder that is made, less the umask
 * @throws FolderRefused, and the error of the system where its code says enough
 */
export async function ensureFolder(path: string, mode = 0o777): Promise<void> {
  const folder = resolve(path)
  if (await isFolder(folder)) return
  const above = dirname(folder)
  if (above !== folder) await ensureFolder(above, mode)
  await mkdir(folder, { mode }).catch(async (cause: NodeJS.ErrnoException) => {
    // Another process may have made it meanwhile.
    if (cause.code === 'EEXIST' && (await isFolder(folder))) return
    if (cause.code !== 'ENOENT') throw cause
    throw new FolderRefused(`no folder can be made in ${above}: take another one`, { cause })
  })
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
