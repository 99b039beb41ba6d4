import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, temporaryBeside } from './private-file.ts'

/** Gives a file another text, whole or not at all. Its rights stay, and a link to it stays a link. */
export async function replaceFile(name: string, text: string): Promise<void> {
  const file = await realpath(name)
  const { mode } = await stat(file)
  const temporary = temporaryBeside(file)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.chmod(mode & 0o777)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(file))
}
