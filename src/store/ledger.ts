import { hash } from 'node:crypto'

/** How far a ledger goes: the last record's number and hash. */
export interface LedgerHead {
  readonly seq: number
  /** SHA-256, 64 hexadecimal digits */
  readonly hash: string
}

/** Of a ledger without records. */
export const EMPTY_LEDGER: LedgerHead = { seq: 0, hash: '0'.repeat(64) }

/**
 * The hash of one record, over five lines in UTF-8, the last without an end:
 *
 *     edgeward-ledger-1
 *     seq         decimal
 *     at          decimal, milliseconds since epoch
 *     previous    hash of the record before, 64 hexadecimal digits; zeros for the first
 *     entry       JSON as stored
 *
 * No line but the last can hold a line break, so no two records have one encoding.
 */
export function ledgerHash(seq: number, at: number | string, previous: string, entry: string): string {
  return hash('sha256', `edgeward-ledger-1\n${seq}\n${at}\n${previous}\n${entry}`)
}
