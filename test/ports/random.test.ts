import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { systemRandom } from '../../src/ports/random.ts'

describe('octets of the system', () => {
  test('are as many as asked for, whatever was drawn before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 200 }), (counts) => {
        for (const count of counts) assert.equal(systemRandom.octets(count).length, count)
      }),
    )
  })

  test('are handed out once', () => {
    const draws = Array.from({ length: 10_000 }, () => systemRandom.octets(16).toString('hex'))
    assert.equal(new Set(draws).size, draws.length)
    // Nothing that was wiped comes back: a run of eight zero octets is there once in 10^14 such lists.
    assert.ok(draws.every((octets) => !octets.includes('0000000000000000')))
  })

  test('are in memory of their own', () => {
    const [first, second] = [systemRandom.octets(32), systemRandom.octets(32)]
    const kept = Buffer.from(second)
    new Uint8Array(first.buffer).fill(0)
    assert.deepEqual(second, kept)
    assert.equal(first.buffer.byteLength, 32)
  })
})
