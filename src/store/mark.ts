import { createHash } from 'node:crypto'
import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * What the store has acknowledged, noted outside of the database. SQLite takes a damaged write-ahead log for one that
 * ends there, and a database file has no checksums of its own: compared with the mark, both are seen at the next
 * opening (THREATS DB-03).
 */
export interface Mark {
  /** how many commits were acknowledged, at least; each is counted in the database as well */
  readonly commits: number
  readonly epoch: number
  /** SHA-256 of the database file, hexadecimal, while it is closed and complete in itself; otherwise empty */
  readonly digest: string
}

export interface MarkWriter {
  write(mark: Mark): void
  /** @throws Error if the mark is not on disk */
  sync(): void
  close(): void
}

const LENGTH = 256

/** @param file - of the database */
export function markFileOf(file: string): string {
  return `${file}-mark`
}

/**
 * @returns undefined if there is none, or it was torn by a power failure: it is a second witness, not a part of the
 *   store
 */
export function readMark(file: string): Mark | undefined {
  let line: string
  try {
    line = readFileSync(markFileOf(file), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const [version, commits, epoch, digest = ''] = line.trimEnd().split(' ')
  const mark = { commits: Number(commits), epoch: Number(epoch), digest: digest === '-' ? '' : digest }
  return version === 'edgeward-mark-1' && encode(mark) === line ? mark : undefined
}

/**
 * Each write replaces the whole mark, in place and within one sector of the disk. Without `sync` it outlives the
 * process at once and a power failure after a while; until then the older one still holds.
 */
export function openMark(file: string): MarkWriter {
  const descriptor = openSync(markFileOf(file), constants.O_CREAT | constants.O_WRONLY, 0o600)
  return {
    write: (mark) => void writeSync(descriptor, encode(mark), 0),
    sync: () => fsyncSync(descriptor),
    close: () => closeSync(descriptor),
  }
}

function encode({ commits, epoch, digest }: Mark): string {
  const content = `edgeward-mark-1 ${commits} ${epoch} ${digest || '-'}`
  const check = createHash('sha256').update(content).digest('hex')
  return `${content} ${check}`.padEnd(LENGTH - 1).concat('\n')
}
