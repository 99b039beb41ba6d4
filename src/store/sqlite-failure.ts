/** Result codes of SQLite: https://www.sqlite.org/rescode.html */
const ERROR = 1
const BUSY = 5
const CORRUPT = 11
const TOOBIG = 18
const CONSTRAINT = 19
const MISMATCH = 20
const AUTH = 23
const RANGE = 25
const NOTADB = 26
const CONSTRAINT_FOREIGNKEY = 787
const CONSTRAINT_PRIMARYKEY = 1555
const CONSTRAINT_UNIQUE = 2067
const CONSTRAINT_ROWID = 2579

/** These tell of the statement. All others tell of the disk, the file or the memory. */
const OF_THE_STATEMENT = [ERROR, TOOBIG, CONSTRAINT, MISMATCH, AUTH, RANGE]

/** @returns the extended result code, or undefined if SQLite did not throw this */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR')) return undefined
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

/** Whether the statement itself is at fault, so that the same connection can go on with others. */
export function isOfStatement(error: unknown): boolean {
  const code = resultCode(error)
  if (code !== undefined) return OF_THE_STATEMENT.includes(code & 0xff)
  // "database is not open", "statement has been finalized"
  return !(error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE')
}

/** Whether another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === BUSY
}

/** Whether SQLite found that the file is not what it wrote. */
export function isDamage(error: unknown): boolean {
  return [CORRUPT, NOTADB].includes((resultCode(error) ?? 0) & 0xff)
}

/**
 * Which rule about several rows an error tells of.
 *
 * @returns the columns of a unique index, `foreign key`, or undefined for any other error
 */
export function violatedConstraint(error: unknown): string | undefined {
  switch (resultCode(error)) {
    case CONSTRAINT_UNIQUE:
    case CONSTRAINT_PRIMARYKEY:
    case CONSTRAINT_ROWID:
      return error instanceof Error ? error.message.replace('UNIQUE constraint failed: ', '') : undefined
    case CONSTRAINT_FOREIGNKEY:
      return 'foreign key'
    default:
      return undefined
  }
}
