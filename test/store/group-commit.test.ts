import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { backup } from '../../src/store/backup.ts'
import { createPrivately } from '../../src/store/exclusive-lock.ts'
import { groupCommit } from '../../src/store/group-commit.ts'
import { openMark } from '../../src/store/mark.ts'
import { connectForWriting, prepareStore } from '../../src/store/open-database.ts'
import { openReader } from '../../src/store/reader.ts'
import { unitOfWork } from '../../src/store/unit-of-work.ts'
import { verifyLedger } from '../../src/store/verify-ledger.ts'
import { lacks, program, run, storedIds } from './child-process.ts'
import { aFolder, aNote, anEntry, NOTEBOOK, notesIn, openNotebook } from './notebook.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const WITHOUT_STRACE = lacks('strace', '-o', '/dev/null', 'true')

/** Opens the store after a fault: everything acknowledged is there, nothing is half there, the ledger is whole. */
async function assertNothingLost(file: string, acknowledged: readonly string[]): Promise<void> {
  const store = await openNotebook(file)
  try {
    const notes = await notesIn(store)
    const halves = notes.filter((each) => each.notes !== 1 || each.lines !== 2 || each.entries !== 1)
    assert.deepEqual(halves, [])
    const stored = new Set(notes.map(({ id }) => id))
    assert.deepEqual(
      acknowledged.filter((id) => !stored.has(id)),
      [],
    )
    const verdict = await verifyLedger(store)
    assert.ok(verdict.ok && verdict.records === notes.length, JSON.stringify(verdict))
  } finally {
    await store.close()
  }
}

/** Interferes with the system calls by which a store of that name is written. */
function traced(file: string, injection: string, command: readonly string[]): string[] {
  const paths = ['', '-wal', '-mark'].flatMap((suffix) => ['-P', file + suffix])
  const calls = 'trace=pwrite64,fsync,fdatasync,ftruncate,unlink'
  return ['strace', '-f', '-o', '/dev/null', '-e', calls, ...paths, '-e', `inject=${injection}`, ...command]
}

describe('a killed process', () => {
  test('DB-01: at a random moment, many times: all that was acknowledged is there, nothing is half there', async (context) => {
    const file = join(aFolder(context), 'store.db')
    const acknowledged: string[] = []
    for (let round = 0; round < (DEEP ? 500 : 6); round++) {
      const answers = randomInt(1, 200)
      const { lines } = await run(program('writing-child.ts', file, `r${round}`, '1000000', '8'), (line, child) => {
        if (line.endsWith(`-${answers}`)) child.kill('SIGKILL')
      })
      assert.ok(storedIds(lines).length > 0)
      acknowledged.push(...storedIds(lines))
      await assertNothingLost(file, acknowledged)
    }
  })

  // In a new store most calls are those of the opening, in one that exists those of the commits and the end.
  const prepare = {
    'a new store': async () => {},
    'a store': async (file: string) => await (await openNotebook(file)).close(),
    'a restored backup': async (file: string) => {
      const store = await openNotebook(`${file}.original`)
      await backup(store, file)
      await store.close()
    },
  }
  const kills: { of: keyof typeof prepare; call: string; at: number[] }[] = [
    { of: 'a new store', call: 'pwrite64', at: [9, 30] },
    { of: 'a new store', call: 'fsync', at: [2, 4] },
    { of: 'a new store', call: 'unlink', at: [1] },
    { of: 'a store', call: 'pwrite64', at: [15, 40] },
    { of: 'a store', call: 'fsync', at: [7] },
    { of: 'a store', call: 'ftruncate', at: [1] },
    { of: 'a restored backup', call: 'fsync', at: [2] },
  ]
  for (const { of, call, at } of kills) {
    const positions = DEEP ? Array.from({ length: 100 }, (_, index) => index + 1) : at
    test(`DB-01: before ${call} ${DEEP ? 'of any number' : `number ${at.join(' and ')}`} of a thread, in ${of}`, {
      skip: WITHOUT_STRACE,
    }, async (context) => {
      const folder = aFolder(context)
      for (const position of positions) {
        const file = join(folder, `${position}.db`)
        await prepare[of](file)
        const child = program('writing-child.ts', file, 'n', '3', '1')
        const { lines, code } = await run(traced(file, `${call}:signal=KILL:when=${position}`, child))
        await assertNothingLost(file, storedIds(lines))
        if (code === null) continue
        assert.ok(DEEP && position > Math.max(...at), `there is no ${call} number ${position}`)
        break
      }
    })
  }
})

describe('a failing disk', () => {
  // A commit of the longer run writes more pages: some must get through there as well.
  const times = DEEP ? 10 : 1
  const faults = {
    'a failed fsync': `fsync,fdatasync:error=EIO:when=9+${4 * times}`,
    'a full disk': `pwrite64:error=ENOSPC:when=47+${31 * times}`,
    'a failed write': `pwrite64:error=EIO:when=53+${29 * times}`,
  }
  for (const [name, injection] of Object.entries(faults)) {
    test(`DB-02: ${name}, again and again: nothing is acknowledged that is not stored`, {
      skip: WITHOUT_STRACE,
    }, async (context) => {
      const file = join(aFolder(context), 'store.db')
      await (await openNotebook(file)).close()
      const count = DEEP ? 5000 : 60
      const { lines } = await run(traced(file, injection, program('writing-child.ts', file, 'n', String(count), '2')))
      const refused = lines.filter((line) => line.startsWith('not stored'))
      assert.ok(refused.length > 0 && refused.every((line) => line.endsWith(' StoreUnavailable')), lines.join())
      // Between two faults it is back to normal.
      assert.match(lines.findLast((line) => line !== 'closed') ?? '', /^(not )?stored n-/)
      assert.equal(storedIds(lines).length + refused.length, count)
      assert.ok(storedIds(lines).length > refused.length, `${storedIds(lines).length} stored`)
      await assertNothingLost(file, storedIds(lines))
    })
  }

  test('DB-02: a limit of the file size, later lifted: refused, then stored', {
    skip: lacks('prlimit', '--version'),
  }, async (context) => {
    const file = join(aFolder(context), 'store.db')
    const limited = ['prlimit', '--fsize=400000:', ...program('writing-child.ts', file, 'n', '300', '1')]
    let lifted = false
    const { lines, code } = await run(limited, (line, child) => {
      if (lifted || !line.startsWith('not stored')) return
      execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:'])
      lifted = true
    })
    assert.equal(code, 0)
    assert.ok(lifted, 'the limit was never reached')
    assert.match(lines.at(-2) ?? '', /^stored n-299$/)
    await assertNothingLost(file, storedIds(lines))
  })

  test('DB-02: the writer opens the database anew after each failure, while reads go on', (context) => {
    const file = join(aFolder(context), 'store.db')
    createPrivately(file)
    prepareStore(file, NOTEBOOK)
    const kinds = [
      () => connectForWriting(file),
      () => new DatabaseSync(file, { readOnly: true }),
      () => withFewPages(file),
      () => {
        throw new Error('the disk is away')
      },
    ]
    const connections: DatabaseSync[] = []
    const connect = () => {
      const connection = (kinds.shift() ?? (() => connectForWriting(file)))()
      connections.push(connection)
      return connection
    }
    const mark = openMark(file)
    const reader = openReader(file)
    const writing = groupCommit(connect, mark)
    const ids = () =>
      reader.read<{ id: string }>({ sql: 'SELECT id FROM note ORDER BY id', parameters: [] }).map(({ id }) => id)
    const unit = (id: string, text = 'text') => unitOfWork(aNote(id, text), [anEntry(id)])
    const endingAll = unitOfWork([{ sql: "INSERT OR ROLLBACK INTO note VALUES ('a', 'x', 1)", parameters: [] }], [])

    assert.deepEqual(writing.commit([unit('a')]), [undefined])
    assert.throws(() => writing.commit([unit('b'), endingAll]))
    assert.throws(() => writing.commit([unit('c')]), /readonly/)
    assert.throws(() => writing.commit([unit('d'), unit('e', 'x'.repeat(100_000)), unit('f')]), /full/)
    assert.throws(() => writing.commit([unit('g')]), /the disk is away/)
    assert.deepEqual(ids(), ['a'])
    assert.deepEqual(writing.commit([unit('h'), unit('i')]), [undefined, undefined])
    assert.deepEqual(ids(), ['a', 'h', 'i'])
    assert.deepEqual(
      connections.map(({ isOpen }) => isOpen),
      [false, false, false, true],
    )
    reader.close()
    writing.close()
    mark.close()
  })

  test('DB-02: a store that comes back without what was acknowledged is not written', (context) => {
    const folder = aFolder(context)
    const [file, other] = [join(folder, 'store.db'), join(folder, 'other.db')]
    for (const each of [file, other]) {
      createPrivately(each)
      prepareStore(each, NOTEBOOK)
    }
    const connections = [file, other]
    const mark = openMark(file)
    const writing = groupCommit(() => connectForWriting(connections.shift() ?? other), mark)
    const ending = unitOfWork(
      [{ sql: 'INSERT OR ROLLBACK INTO note VALUES (NULL, NULL, NULL), (NULL, 1, 1)', parameters: [] }],
      [],
    )
    assert.deepEqual(writing.commit([unitOfWork(aNote('a'), [])]), [undefined])
    assert.throws(() => writing.commit([ending]))
    assert.throws(() => writing.commit([unitOfWork(aNote('b'), [])]), /lacks commits/)
    assert.throws(() => writing.commit([unitOfWork(aNote('b'), [])]), /lacks commits/)
    mark.close()
  })
})

function withFewPages(file: string): DatabaseSync {
  const database = connectForWriting(file)
  database.exec('PRAGMA max_page_count = 16')
  return database
}
