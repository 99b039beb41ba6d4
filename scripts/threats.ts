import { globSync, readFileSync } from 'node:fs'

/** A row is an attack; it is closed when a test with its ID at the front of its title passes. */
const rows = [...readFileSync('docs/threats.md', 'utf8').matchAll(/^\| ([A-Z]{2}-\d{2}) \| ([^|]+) \|/gm)]
const tests = globSync('test/**/*.test.ts').map((file) => readFileSync(file, 'utf8'))
const tested = new Set(
  tests.flatMap((text) =>
    [...text.matchAll(/(?:test|it|describe)\(\s*[`'"]((?:[A-Z]{2}-\d{2}(?:, | and )?)+)/g)].flatMap(
      ([, ids = '']) => ids.match(/[A-Z]{2}-\d{2}/g) ?? [],
    ),
  ),
)
const open = rows.filter(([, id = '']) => !tested.has(id))
for (const [, id, threat] of open) process.stdout.write(`${id}  ${threat?.trim()}\n`)
process.stdout.write(`${rows.length - open.length} of ${rows.length} rows have a test\n`)
const unknown = [...tested].filter((id) => !rows.some(([, known]) => known === id))
if (unknown.length > 0) {
  process.stdout.write(`named by a test but not in docs/threats.md: ${unknown.join(', ')}\n`)
  process.exitCode = 1
}
