import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ReplayCache } from '../../src/eec-authentication/replay-cache.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const use = (name: string, seconds: number, iat = NOW / 1000) => ({ name, iat, goodUntil: NOW + seconds * 1000 })
const congestion = { name: 'Refusal', code: 'NF_CONGESTION' }

describe('what must not be used twice: RFC 9449 11.1, D-14', () => {
  test('D-14: the first use is the only one, until the thing itself has ended and after that', () => {
    const cache = new ReplayCache(NOW)
    assert.ok(cache.isFirst(use('a', 60), NOW))
    for (const at of [0, 1, 30_000, 59_999, 60_000, 60_001, 3_600_000])
      assert.ok(!cache.isFirst(use('a', 60), NOW + at), `${at}`)
    assert.ok(!cache.isFirst(use('b', 60), NOW), 'what ends later than the clock has seen cannot be new')
  })

  test('is forgotten when it has ended, and no earlier', () => {
    const cache = new ReplayCache(NOW)
    for (let n = 0; n < 100; n++) assert.ok(cache.isFirst(use(`${n}`, n + 1), NOW))
    for (let second = 1; second <= 100; second++) {
      cache.isFirst(use('end', -1), NOW + second * 1000)
      assert.equal(cache.size, 100 - second)
    }
  })

  test('TM-01: a clock that goes back makes nothing new again', () => {
    const cache = new ReplayCache(NOW)
    cache.isFirst(use('a', 60), NOW)
    cache.isFirst(use('b', 300), NOW + 120_000)
    assert.ok(!cache.isFirst(use('a', 60), NOW))
    assert.ok(!cache.isFirst(use('b', 300), NOW - 3_600_000))
  })

  test('TM-01: a clock that was ahead for a moment stops nobody for longer than it may be wrong', () => {
    const cache = new ReplayCache(NOW)
    assert.ok(cache.isFirst(use('before', 60), NOW))
    const inTenYears = NOW + 10 * 365 * 86_400_000
    cache.isFirst({ name: 'ahead', iat: inTenYears / 1000, goodUntil: inTenYears + 60_000 }, inTenYears)
    const proofAt = (iat: number, now = iat) =>
      cache.isFirst({ name: `${iat}`, iat: iat / 1000, goodUntil: iat + 60_000 }, now)

    assert.ok(!cache.isFirst(use('before', 60), NOW + 1_000), 'it was forgotten, and is refused all the same')
    assert.ok(!proofAt(NOW + 31_000, NOW + 1_000), 'a client that is ahead may have used it before')
    assert.ok(proofAt(NOW + 32_000))
    assert.ok(!proofAt(NOW + 32_000, NOW + 33_000))
    assert.ok(!cache.isFirst({ name: 'ahead', iat: inTenYears / 1000, goodUntil: inTenYears + 60_000 }, NOW + 34_000))
  })

  test('what was made before the memory began is taken for used; the second in which it began is in it', () => {
    const cache = new ReplayCache(NOW + 900)
    assert.ok(!cache.isFirst(use('a', 60, NOW / 1000 - 1), NOW + 900))
    assert.ok(cache.isFirst(use('a', 60), NOW + 900))
  })

  test('HT-11: when it is full it says no, keeps what it has, and goes on when something has ended', () => {
    const cache = new ReplayCache(NOW, 3)
    for (const name of ['a', 'b']) cache.isFirst(use(name, 10), NOW)
    cache.isFirst(use('c', 20), NOW)
    assert.throws(() => cache.isFirst(use('d', 10), NOW), congestion)
    for (const name of ['a', 'b', 'c']) assert.ok(!cache.isFirst(use(name, 20), NOW))
    assert.ok(cache.isFirst(use('d', 30), NOW + 10_000))
    assert.ok(!cache.isFirst(use('c', 20), NOW + 10_000))
  })

  test('agrees with a list that forgets nothing, for any uses in any order', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      at: fc.integer({ min: 0, max: 20_000 }),
      life: fc.integer({ min: 1, max: 20_000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const cache = new ReplayCache(NOW)
        const used: string[] = []
        for (const { name, at, life } of steps.toSorted((a, b) => a.at - b.at)) {
          const now = NOW + at
          const goodUntil = now + life
          // A thing ends when it ends: its name holds the time, as a signed proof does.
          const whole = `${name} ${goodUntil}`
          const expected = !used.includes(whole)
          assert.equal(cache.isFirst({ name: whole, iat: NOW / 1000, goodUntil }, now), expected)
          used.push(whole)
        }
      }),
      { numRuns: 500 },
    )
  })
})
