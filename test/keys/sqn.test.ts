import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { newUsimSqnState, nextSqn, resynchronise, SQN_SCHEME, verifySqn } from '../../src/keys/sqn.ts'

const RUNS = process.env['EDGEWARD_DEEP'] ? 20_000 : 300
const schemes = fc.record(
  {
    indLength: fc.integer({ min: 0, max: 6 }),
    delta: fc.integer({ min: 1, max: 50 }),
    ageLimit: fc.integer({ min: 1, max: 50 }),
  },
  { requiredKeys: ['indLength', 'delta'] },
)

/** SQN = SEQ || IND. */
const sqnOf = (seq: number, ind: number, indLength = 5) => seq * 2 ** indLength + ind

/** The state after these SQNs were accepted. */
function after(...sqns: number[]) {
  let state = newUsimSqnState()
  for (const sqn of sqns) {
    const verdict = verifySqn(state, sqn)
    assert.ok(verdict.fresh, `SQN ${sqn} is fresh`)
    state = verdict.state
  }
  return state
}

describe('sequence numbers in the AuC: TS 33.102 C.1', () => {
  test('C.1.1.1, C.1.2: SEQ goes up by one and IND goes round', () => {
    assert.equal(nextSqn(0), sqnOf(1, 1))
    assert.equal(nextSqn(sqnOf(30, 30)), sqnOf(31, 31))
    assert.equal(nextSqn(sqnOf(31, 31)), sqnOf(32, 0))
    assert.equal(nextSqn(sqnOf(2 ** 40, 7)), sqnOf(2 ** 40 + 1, 8))
  })

  test('C.1.1.1: SQN never wraps around', () => {
    assert.equal(nextSqn(sqnOf(2 ** 43 - 2, 0)), sqnOf(2 ** 43 - 1, 1))
    assert.throws(() => nextSqn(sqnOf(2 ** 43 - 1, 1)), RangeError)
  })

  test('6.3.5: SQN_HE stays while the USIM would accept the next SQN, else it becomes SQN_MS', () => {
    const sqnMs = sqnOf(1000, 3)
    assert.equal(resynchronise(sqnOf(999, 0), sqnMs), sqnMs)
    assert.equal(resynchronise(sqnOf(10, 0), sqnMs), sqnMs)
    assert.equal(resynchronise(sqnOf(1000, 0), sqnMs), sqnOf(1000, 0))
    assert.equal(resynchronise(sqnOf(2000, 9), sqnMs), sqnOf(2000, 9))
    assert.equal(resynchronise(sqnOf(999 + 2 ** 28, 9), sqnMs), sqnOf(999 + 2 ** 28, 9))
    assert.equal(resynchronise(sqnOf(1000 + 2 ** 28, 9), sqnMs), sqnMs)
  })

  test('an SQN is an integer of 48 bits', () => {
    for (const wrong of [-1, 2 ** 48, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => nextSqn(wrong), RangeError)
      assert.throws(() => verifySqn(newUsimSqnState(), wrong), RangeError)
      assert.throws(() => resynchronise(0, wrong), RangeError)
    }
  })
})

describe('sequence numbers in the USIM: TS 33.102 C.2', () => {
  test('C.2.2: a new USIM takes nothing with SEQ 0 and reports SQN_MS 0', () => {
    assert.deepEqual(verifySqn(newUsimSqnState(), sqnOf(0, 0)), { fresh: false, sqnMs: 0 })
    assert.deepEqual(verifySqn(newUsimSqnState(), sqnOf(0, 31)), { fresh: false, sqnMs: 0 })
    assert.equal(verifySqn(newUsimSqnState(), sqnOf(1, 0)).fresh, true)
  })

  test('C.2.2: a lower SEQ is fresh under another IND, never under the same', () => {
    const state = after(sqnOf(100, 4))
    assert.equal(verifySqn(state, sqnOf(99, 5)).fresh, true)
    assert.deepEqual(verifySqn(state, sqnOf(99, 4)), { fresh: false, sqnMs: sqnOf(100, 4) })
    assert.deepEqual(verifySqn(state, sqnOf(100, 4)), { fresh: false, sqnMs: sqnOf(100, 4) })
    assert.equal(verifySqn(state, sqnOf(101, 4)).fresh, true)
  })

  test('C.2.2: AUTS carries the highest SQN accepted anywhere in the array', () => {
    const state = after(sqnOf(5, 0), sqnOf(90, 17), sqnOf(40, 3))
    assert.deepEqual(verifySqn(state, sqnOf(40, 3)), { fresh: false, sqnMs: sqnOf(90, 17) })
  })

  test('C.2.1: SEQ may jump by Delta at most', () => {
    const state = after(sqnOf(10, 0))
    assert.equal(verifySqn(state, sqnOf(10 + 2 ** 28, 1)).fresh, true)
    assert.deepEqual(verifySqn(state, sqnOf(11 + 2 ** 28, 1)), { fresh: false, sqnMs: sqnOf(10, 0) })
  })

  test('C.2.2: SEQ may be older by less than L, if there is a limit', () => {
    const state = after(sqnOf(100, 0))
    const limited = { ...SQN_SCHEME, ageLimit: 10 }
    assert.equal(verifySqn(state, sqnOf(91, 1), limited).fresh, true)
    assert.equal(verifySqn(state, sqnOf(90, 1), limited).fresh, false)
    assert.equal(verifySqn(state, sqnOf(1, 1)).fresh, true)
  })

  test('a state of another scheme is refused', () => {
    assert.throws(() => verifySqn(newUsimSqnState(), 32, { ...SQN_SCHEME, indLength: 4 }), RangeError)
  })

  test('C.2.2: whatever comes in whatever order, no SQN is accepted twice', () => {
    fc.assert(
      fc.property(schemes, fc.array(fc.nat(2000), { maxLength: 200 }), (scheme, sqns) => {
        const accepted = new Set<number>()
        let state = newUsimSqnState(scheme)
        for (const sqn of sqns) {
          const verdict = verifySqn(state, sqn, scheme)
          if (!verdict.fresh) continue
          assert.ok(!accepted.has(sqn), `SQN ${sqn} was accepted twice`)
          accepted.add(sqn)
          state = verdict.state
          assert.equal(verifySqn(state, sqn, scheme).fresh, false)
        }
      }),
      { numRuns: RUNS },
    )
  })

  test('C.1, C.2: what the AuC makes is accepted in order, and late while the array has room', () => {
    const vectors = Array.from({ length: 200 }).reduce<number[]>((made) => [...made, nextSqn(made.at(-1) ?? 0)], [])
    const [first = 0, ...rest] = vectors
    assert.equal(after(...vectors).seqMs.length, 32)
    assert.equal(verifySqn(after(...rest.slice(0, 31)), first).fresh, true)
    assert.equal(verifySqn(after(...rest.slice(0, 32)), first).fresh, false)
  })

  test('6.3.5: after a resynchronisation the next SQN is accepted, whatever the AuC had', () => {
    fc.assert(
      fc.property(schemes, fc.array(fc.nat(2000), { maxLength: 50 }), fc.nat(5000), (scheme, sqns, sqnHe) => {
        let state = newUsimSqnState(scheme)
        for (const sqn of sqns) {
          const verdict = verifySqn(state, sqn, scheme)
          if (verdict.fresh) state = verdict.state
        }
        const verdict = verifySqn(state, nextSqn(sqnHe, scheme), scheme)
        if (verdict.fresh) return
        const next = nextSqn(resynchronise(sqnHe, verdict.sqnMs, scheme), scheme)
        assert.equal(verifySqn(state, next, scheme).fresh, true)
      }),
      { numRuns: RUNS },
    )
  })
})
