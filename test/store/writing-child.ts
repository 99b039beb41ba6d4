import { writeSync } from 'node:fs'
import { openStore } from '../../src/store/open-store.ts'
import { aNote, anEntry, NOTEBOOK } from './notebook.ts'

// Writes notes until it has written `count`, or is killed. Prints one line for each answer: `stored ID` or
// `not stored ID ERROR`, at once and without a buffer of its own.

const [file = '', prefix = '', count = '1', callers = '4'] = process.argv.slice(2)
const store = await openStore({ file, migrations: NOTEBOOK })
writeSync(1, 'open\n')
let next = 0
await Promise.all(Array.from({ length: Number(callers) }, writeNotes))
await store.close()
writeSync(1, 'closed\n')

async function writeNotes(): Promise<void> {
  while (next < Number(count)) {
    const id = `${prefix}-${next++}`
    await store.commit(aNote(id), [anEntry(id)]).then(
      () => writeSync(1, `stored ${id}\n`),
      (error: Error) => writeSync(1, `not stored ${id} ${error.name}\n`),
    )
  }
}
