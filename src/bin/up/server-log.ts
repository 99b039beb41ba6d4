import { open, stat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

/** One request that a server has answered, as its log tells. */
export interface Answered {
  readonly operation: string
  readonly status: number
  /** milliseconds from its arrival to its answer */
  readonly ms: number
}

/** A place in the log of a server: what comes after it is new. */
export interface LogMark {
  readonly file: string
  readonly offset: number
}

/** The line is written once the answer has left, so it may come a little after what it tells of. */
const PATIENCE = { rounds: 100, pause: 20 }

export async function markLog(file: string): Promise<LogMark> {
  return { file, offset: (await stat(file)).size }
}

/**
 * The first request for this operation that the server has answered since the mark.
 *
 * @throws Error if there is none
 */
export async function answeredSince(mark: LogMark, operation: string): Promise<Answered> {
  for (let round = 0; round < PATIENCE.rounds; round += 1) {
    const found = (await readFrom(mark)).find((line) => line.operation === operation)
    if (found !== undefined) return found
    await wait(PATIENCE.pause)
  }
  throw new Error(`${mark.file} tells of no ${operation}`)
}

async function readFrom({ file, offset }: LogMark): Promise<Answered[]> {
  const log = await open(file)
  try {
    const { size } = await log.stat()
    const { buffer } = await log.read({ buffer: Buffer.alloc(size - offset), position: offset })
    const lines = buffer.toString('utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as { msg: string } & Answered).filter(({ msg }) => msg === 'answered')
  } finally {
    await log.close()
  }
}
