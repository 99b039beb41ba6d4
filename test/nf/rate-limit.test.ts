import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createLog } from '../../src/http/log.ts'
import { createAlarms } from '../../src/nf/alarms.ts'
import { rateLimit } from '../../src/nf/rate-limit.ts'

describe('how often one caller may come', () => {
  test('in any interval no more than the burst and what flowed in since, and each caller has its own', () => {
    const rate = { perSecond: 5, burst: 10 }
    const calls = fc.array(fc.record({ wait: fc.nat(500), caller: fc.constantFrom('a', 'b') }), { maxLength: 200 })
    fc.assert(
      fc.property(calls, (sequence) => {
        let now = 0
        const allow = rateLimit(rate, () => now)
        const allowed: Record<string, number[]> = { a: [], b: [] }
        for (const { wait, caller } of sequence) {
          now += wait
          if (allow(caller)) allowed[caller]?.push(now)
        }
        for (const times of Object.values(allowed)) {
          times.forEach((from, first) => {
            times.slice(first).forEach((to, further) => {
              const most = rate.burst + ((to - from) * rate.perSecond) / 1000
              assert.ok(further + 1 <= most + 1e-6, `${further + 1} in ${to - from} ms`)
            })
          })
        }
      }),
    )
  })

  test('a caller that keeps to the rate is never refused', () => {
    let now = 0
    const allow = rateLimit({ perSecond: 4, burst: 1 }, () => now)
    for (let call = 0; call < 100; call += 1, now += 250) assert.ok(allow('a'))
  })
})

describe('alarms', () => {
  test('all are counted, the first, second, fourth ... of a party are logged', () => {
    const lines: string[] = []
    const log = createLog('nf', 'silent')
    Object.assign(log, { warn: (facts: { who: string; count: number }) => lines.push(`${facts.who} ${facts.count}`) })
    const alarms = createAlarms(log)
    for (let raised = 0; raised < 9; raised += 1) alarms.raise('caller-refused', 'a')
    alarms.raise('caller-refused', 'b')
    assert.equal(alarms.count('caller-refused'), 10)
    assert.equal(alarms.count('rate-limit'), 0)
    assert.deepEqual(lines, ['a 1', 'a 2', 'a 4', 'a 8', 'b 1'])
  })
})
