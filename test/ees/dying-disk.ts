import { type FileHandle, default as promises } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const CHANGING = ['open', 'link', 'mkdir', 'rename', 'rm', 'symlink'] as const

/**
 * Does work with files, and kills the process before its n-th step on them: that step and all after it never happen,
 * clearing up included. What a killed process has written is there for the next, so nothing waits for the disk here.
 *
 * @param step - counted from 0
 * @returns whether the work was over before
 */
export async function dieBefore(step: number, work: () => Promise<unknown>): Promise<boolean> {
  const { open, link, mkdir, rename, rm, symlink } = promises
  let steps = 0
  const alive = () => {
    if (steps++ >= step) throw new Error('dead')
  }
  const dying = (name: (typeof CHANGING)[number]) => {
    const original = promises[name] as (...args: unknown[]) => Promise<unknown>
    return async (...args: unknown[]) => {
      alive()
      const result = await original(...args)
      return name === 'open' ? dyingHandle(result as FileHandle, alive) : result
    }
  }
  Object.assign(promises, Object.fromEntries(CHANGING.map((name) => [name, dying(name)])))
  syncBuiltinESMExports()
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof Error && error.message === 'dead') return false
    throw error
  } finally {
    Object.assign(promises, { open, link, mkdir, rename, rm, symlink })
    syncBuiltinESMExports()
  }
}

function dyingHandle(handle: FileHandle, alive: () => void): FileHandle {
  const { writeFile } = handle
  handle.writeFile = async (...args) => {
    alive()
    return writeFile.apply(handle, args)
  }
  handle.sync = async () => alive()
  return handle
}

export const quickly = (work: () => Promise<unknown>): Promise<boolean> => dieBefore(Number.POSITIVE_INFINITY, work)
