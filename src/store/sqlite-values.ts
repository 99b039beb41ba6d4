import type { SqlValue } from './store.ts'

/** What SQLite stores without changing it: NaN would become NULL, a larger integer is refused by node:sqlite. */
function isSqlValue(value: unknown): value is SqlValue {
  switch (typeof value) {
    case 'string':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'bigint':
      return BigInt.asIntN(64, value) === value
    default:
      return value === null || value instanceof Uint8Array
  }
}

/** @throws TypeError that names the position, never the value */
export function sqlValues(parameters: readonly unknown[]): SqlValue[] {
  return parameters.map((value, index) => {
    if (isSqlValue(value)) return value
    throw new TypeError(`parameter ${index + 1} is not a value that a column can hold`)
  })
}
