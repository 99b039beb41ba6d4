import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { EmbeddedStore } from '../../src/store/open-store.ts'
import { type LedgerVerdict, verifyLedger } from '../../src/store/verify-ledger.ts'
import { lacks } from './child-process.ts'
import { aNotebook } from './notebook.ts'

const RECORDS = 2500

async function aLedger(context: TestContext): Promise<EmbeddedStore> {
  const store = await aNotebook(context)
  const entries = Array.from({ length: RECORDS }, (_, index) => ({
    at: 1000 + index,
    entry: { did: `deed ${index + 1}` },
  }))
  await store.commit([], entries)
  return store
}

/** Changes the file behind the store's back, asks the verifier, and undoes the change. */
async function verdictAfter(store: EmbeddedStore, ...changes: readonly string[]): Promise<LedgerVerdict> {
  const database = new DatabaseSync(store.file, { timeout: 5000 })
  const saved = `CREATE TABLE saved AS SELECT * FROM ledger; CREATE TABLE saved_state AS SELECT * FROM store_state`
  const undo =
    'DELETE FROM ledger; INSERT INTO ledger SELECT * FROM saved; DROP TABLE saved; ' +
    'DELETE FROM store_state; INSERT INTO store_state SELECT * FROM saved_state; DROP TABLE saved_state'
  try {
    database.exec(saved)
    for (const change of changes) database.exec(change)
    return await verifyLedger(store)
  } finally {
    database.exec(undo)
    database.close()
  }
}

describe('the ledger', () => {
  test('OP-02: one changed record, whatever was changed of it: the verifier names it', async (context) => {
    const store = await aLedger(context)
    const change = fc.constantFrom(
      'at = at + 1',
      "entry = entry || ' '",
      "entry = replace(entry, 'deed', 'need')",
      "previous = replace(previous, substr(previous, 1, 1), 'g')",
      "hash = replace(hash, substr(hash, 64), 'g')",
      'at = 9223372036854775807',
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: RECORDS }), change, async (seq, set) => {
        const verdict = await verdictAfter(store, `UPDATE ledger SET ${set} WHERE seq = ${seq}`)
        assert.ok(!verdict.ok)
        assert.equal(verdict.firstDamaged, seq)
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] === undefined ? 25 : 1000 },
    )
    assert.equal((await verifyLedger(store)).ok, true)
  })

  const cases: { title: string; changes: string[]; firstDamaged: number; reason: RegExp }[] = [
    {
      title: 'a removed record',
      changes: ['DELETE FROM ledger WHERE seq = 1700'],
      firstDamaged: 1700,
      reason: /^missing$/,
    },
    {
      title: 'a removed record whose place was closed',
      changes: ['DELETE FROM ledger WHERE seq = 2499', 'UPDATE ledger SET seq = 2499 WHERE seq = 2500'],
      firstDamaged: 2499,
      reason: /does not follow/,
    },
    {
      title: 'a cut tail',
      changes: ['DELETE FROM ledger WHERE seq > 2000'],
      firstDamaged: 2001,
      reason: /missing, as is all up to the head/,
    },
    { title: 'everything removed', changes: ['DELETE FROM ledger'], firstDamaged: 1, reason: /missing/ },
    {
      title: 'a cut tail, and the head set back to another hash',
      changes: ['DELETE FROM ledger WHERE seq > 2000', 'UPDATE store_state SET ledger_seq = 2000'],
      firstDamaged: 2000,
      reason: /not the record of the head/,
    },
    {
      title: 'two swapped records',
      changes: [
        'UPDATE ledger SET seq = -1 WHERE seq = 10',
        'UPDATE ledger SET seq = 10 WHERE seq = 20',
        'UPDATE ledger SET seq = 20 WHERE seq = -1',
      ],
      firstDamaged: 10,
      reason: /does not follow/,
    },
    {
      title: 'a record added behind the head',
      changes: ["INSERT INTO ledger VALUES (9223372036854775807, 1, '{}', '', '')"],
      firstDamaged: RECORDS + 1,
      reason: /beyond the head/,
    },
    {
      title: 'a record added before the first',
      changes: ["INSERT INTO ledger VALUES (-5, 1, '{}', '', '')"],
      firstDamaged: 0,
      reason: /before the first/,
    },
  ]
  for (const { title, changes, firstDamaged, reason } of cases) {
    test(`OP-02: ${title}: found and named`, async (context) => {
      const verdict = await verdictAfter(await aLedger(context), ...changes)
      assert.ok(!verdict.ok)
      assert.equal(verdict.firstDamaged, firstDamaged)
      assert.match(verdict.reason, reason)
    })
  }

  test('OP-02: a chain that was made anew with its head: found by who kept an earlier head', async (context) => {
    const store = await aLedger(context)
    const seen = await verifyLedger(store)
    assert.ok(seen.ok)
    await store.commit([], [{ at: 1, entry: {} }])
    const other = await aNotebook(context)
    const forged = Array.from({ length: RECORDS + 1 }, (_, index) => ({ at: index, entry: { forged: true } }))
    await other.commit([], forged)

    assert.ok((await verifyLedger(store, seen.head)).ok)
    assert.ok((await verifyLedger(other)).ok)
    const verdict = await verifyLedger(other, seen.head)
    assert.ok(!verdict.ok && verdict.firstDamaged === seen.head.seq)
    const ahead = await verifyLedger(store, { seq: RECORDS + 2, hash: seen.head.hash })
    assert.ok(!ahead.ok && ahead.firstDamaged === RECORDS + 2)
  })

  test('OP-02: a record that stands where the next ones go: they are refused, and the chain goes on without it', async (context) => {
    const store = await aLedger(context)
    const twoEntries = Array.from({ length: 2 }, () => ({ at: 1, entry: {} }))
    const database = new DatabaseSync(store.file, { timeout: 5000 })
    database.exec(`INSERT INTO ledger VALUES (${RECORDS + 2}, 1, '{}', '', '')`)
    await assert.rejects(store.commit([], twoEntries), { name: 'GuardFailed', guard: 'ledger.seq' })
    database.exec(`DELETE FROM ledger WHERE seq = ${RECORDS + 2}`)
    database.close()
    await store.commit([], twoEntries)
    const verdict = await verifyLedger(store)
    assert.ok(verdict.ok && verdict.records === RECORDS + 2)
  })

  test('OP-02: is verified while it grows', async (context) => {
    const store = await aLedger(context)
    let stop = false
    const growing = (async () => {
      while (!stop) await store.commit([], [{ at: 1, entry: {} }])
    })()
    for (let round = 0; round < 5; round++) assert.ok((await verifyLedger(store)).ok)
    stop = true
    await growing
  })

  test('OP-02: can be verified with other tools', { skip: lacks('sha256sum', '--version') }, async (context) => {
    const store = await aNotebook(context)
    await store.commit([], [{ at: 1_800_000_000_000, entry: { who: 'Zoë', what: 'a\nb' } }])
    const input = `edgeward-ledger-1\n1\n1800000000000\n${'0'.repeat(64)}\n{"who":"Zoë","what":"a\\nb"}`
    const expected = execFileSync('sha256sum', { input, encoding: 'utf8' }).slice(0, 64)
    const [row] = await store.read<{ hash: string }>({ sql: 'SELECT hash FROM ledger', parameters: [] })
    assert.equal(row?.hash, expected)
  })
})
