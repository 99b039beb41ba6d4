import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type EmbeddedStore, openStore } from '../../src/store/open-store.ts'
import type { LedgerEntry, Statement, Store } from '../../src/store/store.ts'

// A small application: a note has an owner and two lines, which are written with it or not at all.

export const NOTEBOOK = [
  {
    name: 'notes',
    statements: [
      'CREATE TABLE note (id TEXT PRIMARY KEY, owner TEXT NOT NULL, written INTEGER NOT NULL) STRICT',
      'CREATE TABLE line (note TEXT NOT NULL REFERENCES note, number INTEGER NOT NULL, text TEXT NOT NULL,' +
        ' PRIMARY KEY (note, number)) STRICT',
    ],
  },
]

export function aNote(id: string, text = `text of ${id}`): Statement[] {
  return [
    { sql: 'INSERT INTO note (id, owner, written) VALUES (?, ?, ?)', parameters: [id, `owner of ${id}`, 1000] },
    { sql: 'INSERT INTO line (note, number, text) VALUES (?, 1, ?)', parameters: [id, text] },
    { sql: 'INSERT INTO line (note, number, text) VALUES (?, 2, ?)', parameters: [id, text] },
  ]
}

export function anEntry(id: string): LedgerEntry {
  return { at: 1000, entry: { written: id } }
}

export interface Written {
  readonly id: string
  readonly notes: number
  readonly lines: number
  readonly entries: number
}

/** What there is under each id, in order; half a note, or a ledger entry without a note, would show here. */
export async function notesIn(store: Pick<Store, 'read'>): Promise<Written[]> {
  const rows = await store.read<Written>({
    sql: `SELECT id, sum(note) AS notes, sum(line) AS lines, sum(entry) AS entries FROM (
            SELECT id, 1 AS note, 0 AS line, 0 AS entry FROM note
            UNION ALL SELECT note, 0, 1, 0 FROM line
            UNION ALL SELECT json_extract(entry, '$.written'), 0, 0, 1 FROM ledger)
          GROUP BY id ORDER BY id`,
    parameters: [],
  })
  return rows.map((row) => ({ ...row }))
}

/** A folder that is removed when the test ends, after `finish`. */
export function aFolder(context: TestContext, finish = async () => {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-store-'))
  context.after(async () => {
    await finish()
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** An empty notebook that is closed and removed when the test ends. */
export async function aNotebook(context: TestContext): Promise<EmbeddedStore> {
  const file = join(
    aFolder(context, () => store.close()),
    'store.db',
  )
  const store = await openNotebook(file)
  return store
}

export async function openNotebook(file: string): Promise<EmbeddedStore> {
  return await openStore({ file, migrations: NOTEBOOK })
}
