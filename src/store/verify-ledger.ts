import { EMPTY_LEDGER, type LedgerHead, ledgerHash } from './ledger.ts'
import type { Store } from './store.ts'

export type LedgerVerdict =
  | { readonly ok: true; readonly records: number; readonly head: LedgerHead }
  /** `firstDamaged` is the seq of the first record that is changed, missing or surplus */
  | { readonly ok: false; readonly firstDamaged: number; readonly reason: string }

interface LedgerRow {
  readonly seq: number
  /** as text: whoever changed it may have put there what is no safe integer */
  readonly at: string
  readonly entry: string
  readonly previous: string
  readonly hash: string
}

/**
 * Walks the ledger from its first record to the head row, which the store keeps apart (THREATS OP-02). Records that
 * are added meanwhile are left for the next time.
 *
 * The chain has no key: who can write the file can make a new chain and a new head. Against that, keep a head
 * elsewhere and give it as `witness`.
 *
 * @param witness - the head of an earlier verdict: the record of that number must still have that hash
 */
export async function verifyLedger(
  store: Pick<Store, 'read'>,
  witness: LedgerHead = EMPTY_LEDGER,
): Promise<LedgerVerdict> {
  const { seq, hash, before, beyond } = await readHead(store)
  const damaged = (firstDamaged: number, reason: string) => ({ ok: false, firstDamaged, reason }) as const
  if (before > 0) return damaged(0, 'there are records before the first')

  let verified = EMPTY_LEDGER
  for (let page = await readPage(store, verified, seq); page.length > 0; page = await readPage(store, verified, seq)) {
    for (const row of page) {
      const reason = damage(row, verified)
      if (reason) return damaged(verified.seq + 1, reason)
      verified = { seq: row.seq, hash: row.hash }
      if (row.seq === witness.seq && row.hash !== witness.hash) return damaged(row.seq, 'not the record of the witness')
    }
  }
  if (verified.seq < seq) return damaged(verified.seq + 1, 'missing, as is all up to the head')
  if (verified.hash !== hash) return damaged(seq, 'not the record of the head')
  if (beyond > 0) return damaged(seq + 1, 'beyond the head')
  if (seq < witness.seq) return damaged(seq + 1, 'missing, as is all up to the witness')
  return { ok: true, records: seq, head: verified }
}

function damage(row: LedgerRow, last: LedgerHead): string | undefined {
  if (row.seq !== last.seq + 1) return 'missing'
  if (row.previous !== last.hash) return 'does not follow the record before it'
  if (row.hash !== ledgerHash(row.seq, row.at, row.previous, row.entry)) return 'changed'
  return undefined
}

/** The head, and how many records lie outside of 1 to head: in one statement, so that all is of one moment. */
async function readHead(store: Pick<Store, 'read'>) {
  const [row] = await store.read<LedgerHead & { before: number; beyond: number }>({
    sql:
      'SELECT ledger_seq AS seq, ledger_hash AS hash, (SELECT count(*) FROM ledger WHERE seq < 1) AS before, ' +
      '(SELECT count(*) FROM ledger WHERE seq > ledger_seq) AS beyond FROM store_state',
    parameters: [],
  })
  if (!row) throw new Error('the store has lost its state')
  return row
}

async function readPage(store: Pick<Store, 'read'>, after: LedgerHead, upTo: number): Promise<LedgerRow[]> {
  return await store.read<LedgerRow>({
    sql:
      'SELECT seq, CAST(at AS TEXT) AS at, entry, previous, hash FROM ledger ' +
      'WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1000',
    parameters: [after.seq, upTo],
  })
}
