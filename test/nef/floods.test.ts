import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { KEY_REQUEST_LIMITS } from '../../src/nef/adapters/key-requests.ts'
import { type ANef, aNef, type Caller, ECS1, ECS2, honest, KEY, newKedgeId } from './a-nef.ts'

const GUESSES = process.env['EDGEWARD_DEEP'] ? 100_000 : 600
/** At once: as many streams as one connection has. */
const WIDTH = 90

describe('a NEF, and an ECS that asks for what is not there', () => {
  let a: ANef
  let guesser: Caller
  let other: Caller
  before(async () => {
    a = await aNef()
    guesser = await a.nef.trustedEcs(ECS1)
    other = await a.nef.trustedEcs(ECS2)
  })
  after(() => a.close())
  beforeEach(() => {
    a.nef.advance(60_000)
    a.ausf.answer = honest
    a.ausf.asked.length = 0
  })

  test('KE-07, KE-08: guesses find nothing and reach the AUSF no oftener than the limit; the other ECS has its keys', async () => {
    const [perSecond, burst] = [5, 50]
    await a.nef.configure({ keyRequests: { perSecond, burst } })
    const [evil, honestEcs] = [await a.nef.trustedEcs(ECS1), await a.nef.trustedEcs(ECS2)]
    const started = performance.now()
    const seen = new Map<number, number>()
    const texts = new Set<string>()
    const guess = async () => {
      const { status, text } = await evil.retrieve({ kedgeId: newKedgeId() })
      seen.set(status, (seen.get(status) ?? 0) + 1)
      texts.add(text)
    }
    for (let done = 0; done < GUESSES; done += WIDTH) {
      const guesses = Array.from({ length: Math.min(WIDTH, GUESSES - done) }, guess)
      if (done < 10 * WIDTH) assert.equal((await honestEcs.retrieve()).body.kedge, KEY)
      await Promise.all(guesses)
    }
    const allowed = burst + (perSecond * (performance.now() - started)) / 1_000
    const unknown = seen.get(404) ?? 0
    assert.ok(unknown >= burst && unknown <= allowed + 1, `${unknown} of ${allowed}`)
    assert.equal(seen.get(429), GUESSES - unknown)
    assert.equal(texts.size, 2, 'one text for each')
    assert.equal(a.ausf.asked.filter(({ body }) => body['ecsFqdn'] === ECS1).length, unknown)
    const { alarms } = a.nef.serving
    assert.deepEqual([alarms.count('rate-limit'), alarms.count('key-id-unknown')], [GUESSES - unknown, unknown])
    await a.nef.configure({ keyRequests: { perSecond: 1_000, burst: 10_000 } })
    guesser = await a.nef.trustedEcs(ECS1)
    other = await a.nef.trustedEcs(ECS2)
  })

  test('KE-08: one Kedge ID is one question to the AUSF, whoever waits for it', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => guesser.retrieve()))
    assert.ok(answers.every(({ body }) => body.kedge === KEY))
    const asked = a.ausf.asked.length
    assert.ok(asked < 10, `${asked} questions`)
    await Promise.all([guesser.retrieve(), other.retrieve()])
    const names = a.ausf.asked.slice(asked).map(({ body }) => body['ecsFqdn'])
    assert.deepEqual(names.sort(), [ECS1, ECS2], 'what one ECS waits for is not for another')
  })

  test('KE-08: what the AUSF did not know it is not asked again, for ten seconds', async () => {
    const kedgeId = newKedgeId()
    for (let time = 0; time < 20; time += 1) assert.equal((await guesser.retrieve({ kedgeId })).status, 404)
    assert.equal(a.ausf.asked.length, 1)
    assert.equal((await other.retrieve({ kedgeId })).status, 404)
    assert.equal(a.ausf.asked.length, 2)
    a.nef.advance(KEY_REQUEST_LIMITS.unknownFor)
    assert.equal((await guesser.retrieve({ kedgeId })).status, 404)
    assert.equal(a.ausf.asked.length, 3)
  })

  test('KE-08: while the AUSF is slow, one ECS has a bounded number of questions there, and leaves room', {
    timeout: 20_000,
  }, async () => {
    const held: (() => void)[] = []
    a.ausf.answer = (stream, asked) => held.push(() => honest(stream, asked))
    const ids = Array.from({ length: WIDTH }, newKedgeId)
    const waiting = Promise.all(ids.map((kedgeId) => guesser.retrieve({ kedgeId })))
    while (a.ausf.asked.length < KEY_REQUEST_LIMITS.pendingOfCaller) await new Promise((done) => setTimeout(done, 5))
    a.ausf.answer = honest
    assert.equal((await other.retrieve()).body.kedge, KEY)
    assert.equal((await guesser.retrieve()).status, 503)
    for (const answer of held) answer()
    const statuses = (await waiting).map(({ status }) => status)
    const { pendingOfCaller } = KEY_REQUEST_LIMITS
    const counts = [404, 503].map((status) => statuses.filter((each) => each === status).length)
    assert.deepEqual(counts, [pendingOfCaller, WIDTH - pendingOfCaller])
    assert.equal((await guesser.retrieve()).body.kedge, KEY)
  })
})
