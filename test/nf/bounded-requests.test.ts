import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { boundedRequests } from '../../src/nf/bounded-requests.ts'

const LIMITS = { pending: 3, pendingOfCaller: 2, unknownFor: 1_000, unknown: 2 }
const CONGESTED = { name: 'Refusal', code: 'NF_CONGESTION' }

/** Something to ask whose answers come when the test says so. */
function aSlowOne() {
  const waiting: ((answer: string | undefined | Error) => void)[] = []
  let asked = 0
  return {
    get asked() {
      return asked
    },
    ask: () => {
      asked += 1
      return new Promise<string | undefined>((resolve, reject) => {
        waiting.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)))
      })
    },
    answer: (answer: string | undefined | Error) => waiting.shift()?.(answer),
  }
}

describe('asking another network function on behalf of others', () => {
  let now = 0
  let slow = aSlowOne()
  let bounded = boundedRequests<string>(LIMITS, () => now)
  const ask = (caller: string, subject: string) => bounded(caller, subject, slow.ask)
  beforeEach(() => {
    now = 0
    slow = aSlowOne()
    bounded = boundedRequests(LIMITS, () => now)
  })

  test('KE-08: who asks for the same at once waits for one answer, and the next one asks again', async () => {
    const both = [ask('a', 'x'), ask('a', 'x')]
    assert.equal(slow.asked, 1)
    slow.answer('key')
    assert.deepEqual(await Promise.all(both), ['key', 'key'])
    const again = ask('a', 'x')
    assert.equal(slow.asked, 2, 'what was answered is not kept')
    slow.answer('new key')
    assert.equal(await again, 'new key')
  })

  test('KE-08: what one caller asks for is not what another asks for', async () => {
    const [ofA, ofB] = [ask('a', 'x'), ask('b', 'x')]
    slow.answer('of a')
    slow.answer('of b')
    assert.deepEqual(await Promise.all([ofA, ofB]), ['of a', 'of b'])
  })

  test('KE-08: what was not known is not asked for again for a while', async () => {
    const first = ask('a', 'x')
    slow.answer(undefined)
    assert.equal(await first, undefined)
    now = LIMITS.unknownFor - 1
    assert.equal(await ask('a', 'x'), undefined)
    assert.equal(slow.asked, 1)
    now = LIMITS.unknownFor
    const late = ask('a', 'x')
    assert.equal(slow.asked, 2)
    slow.answer('key')
    assert.equal(await late, 'key')
  })

  test('KE-08: the memory of what was not known is bounded', async () => {
    for (const subject of ['x', 'y', 'z']) {
      const asked = ask('a', subject)
      slow.answer(undefined)
      await asked
    }
    assert.equal(await ask('a', 'z'), undefined)
    assert.equal(await ask('a', 'y'), undefined)
    assert.equal(slow.asked, 3)
    const forgotten = ask('a', 'x')
    assert.equal(slow.asked, 4)
    slow.answer(undefined)
    await forgotten
  })

  test('KE-13: what could not be asked is asked again at once', async () => {
    const both = [ask('a', 'x'), ask('a', 'x')]
    slow.answer(new Error('down'))
    for (const each of both) await assert.rejects(each, /down/)
    const again = ask('a', 'x')
    slow.answer('key')
    assert.equal(await again, 'key')
  })

  test('KE-08: one caller cannot take the places of the others, and all together have so many', async () => {
    const ofA = [ask('a', 'x'), ask('a', 'y')]
    await assert.rejects(ask('a', 'z'), CONGESTED)
    const ofB = ask('b', 'x')
    await assert.rejects(ask('c', 'x'), CONGESTED)
    assert.equal(slow.asked, 3)
    slow.answer('1')
    slow.answer(new Error('down'))
    assert.equal(await ofA[0], '1')
    await assert.rejects(ofA[1] ?? Promise.resolve(), /down/)
    const more = [ask('c', 'x'), ask('a', 'z')]
    assert.equal(slow.asked, 5, 'each place is free again, whatever the answer was')
    for (const answer of ['2', '3', '4']) slow.answer(answer)
    assert.deepEqual(await Promise.all([ofB, ...more]), ['2', '3', '4'])
  })
})
