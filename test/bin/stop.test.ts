import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { untilStopped } from '../../src/bin/stop.ts'

describe('a server process', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`hears ${signal} by the time it says that it is ready, and leaves no listener behind`, async () => {
      const before = process.listenerCount(signal)
      const said: string[] = []
      const write = mock.method(process.stdout, 'write', (text: string) => {
        said.push(text)
        // A supervisor that answers the line at once.
        process.emit(signal)
        return true
      })
      await untilStopped({ ready: 'ecs' }).finally(() => write.mock.restore())
      assert.deepEqual(said, ['{"ready":"ecs"}\n'])
      assert.equal(process.listenerCount(signal), before)
    })
  }
})
