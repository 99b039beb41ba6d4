import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { PROGRAM } from '../stories/program.ts'

const LEAVE = new URL('../../src/bin/leave.ts', import.meta.url).href

/** A process that leaves, a moment after what it was given to do. */
function run(work: string) {
  const program = `import { leave } from '${LEAVE}'\n${work}\nprocess.exitCode = 3\nawait leave(50)`
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

describe('a process that is done', () => {
  test('ends with its exit code, whatever is still open in it', async () => {
    const child = run('setInterval(() => {}, 1_000)')
    assert.deepEqual(await once(child, 'exit'), [3, null])
  })

  test('is heard to the end by a reader that takes its time', async () => {
    const child = run("process.stdout.write('x'.repeat(1_000_000) + '\\n')")
    const ended = once(child, 'exit')
    await once(child.stdout, 'readable')
    await Promise.race([ended, delay(1_000)])
    let length = 0
    for await (const chunk of child.stdout) length += chunk.length
    assert.equal(length, 1_000_001)
    assert.deepEqual(await ended, [3, null])
  })

  test('says nothing of a reader that left before it had everything', async () => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, 'ecs', '--help'])
    child.stdout.destroy()
    const said: Buffer[] = []
    child.stderr.on('data', (part: Buffer) => said.push(part))
    assert.deepEqual(await once(child, 'close'), [0, null])
    assert.equal(Buffer.concat(said).toString(), '')
  })
})
