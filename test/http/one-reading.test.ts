import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Running, runListener } from './a-listener.ts'
import { NAME } from './credentials.ts'
import { exchangeRaw, type RawAnswer } from './http1.ts'
import { AMBIGUOUS, FOREIGN_HOSTS, HONEST } from './http1-corpus.ts'

describe('an HTTP/1.1 request has one reading: RFC 9112 11.2', () => {
  let listener: Running
  before(async () => {
    listener = await runListener()
  })
  after(() => listener.close())

  const exchange = async (octets: string, patience?: number) => exchangeRaw(await listener.socket(), octets, patience)
  const wasHandled = (noteId: string) => listener.handled.some(({ request }) => request.params['noteId'] === noteId)

  test('HT-03: what has two gets one refusal and the end of its connection, and nothing behind it is served', async () => {
    assert.ok(Object.keys(AMBIGUOUS).length >= 80)
    const judged = Object.entries(AMBIGUOUS).map(async ([name, octets], index) => {
      // As long as the word it stands for: lengths in the octets stay right.
      const behind = `case-${String(index).padStart(3, '0')}`
      const { answers, closed } = await exchange(octets.replace('smuggled', behind))
      return { name, statuses: answers.map(statusOf), closed, served: wasHandled(behind) }
    })
    const verdicts = await Promise.all(judged)
    const wrong = verdicts.filter(({ name, statuses, closed, served }) => {
      const refused =
        statuses.length === 1 ? REFUSALS.has(statuses[0] ?? 0) : statuses.length === 0 && WORDLESS.has(name)
      return !closed || !refused || served
    })
    assert.deepEqual(wrong, [])
  })

  test('HT-03: the nearest honest requests are served', async () => {
    const served = Object.entries(HONEST).map(async ([name, { octets, answers: expected }]) => {
      const { answers, closed } = await exchange(octets, 500)
      const statuses = answers.map(statusOf)
      assert.deepEqual({ statuses, closed }, { statuses: Array(expected).fill(200), closed: false }, name)
    })
    await Promise.all(served)
  })

  test('HT-03: a request for another host is not answered as if it were ours', async () => {
    const judged = FOREIGN_HOSTS.map(async (host) => {
      const { answers } = await exchange(`GET /notes/v1/notes/foreign HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 500)
      assert.deepEqual(answers.map(statusOf), [421], host)
    })
    await Promise.all(judged)
    assert.equal(wasHandled('foreign'), false)
  })

  test('HT-03: after an ambiguous request nothing is served that was sent along with it', async () => {
    const honest = `GET /notes/v1/notes/behind HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
    const ambiguous = honest.replace('\r\n', '\r\nHost: evil.example\r\n')
    const { answers, closed } = await exchange(`${ambiguous}${honest.repeat(20)}`)
    assert.deepEqual(answers.map(statusOf), [400])
    assert.equal(closed, true)
    assert.equal(wasHandled('behind'), false)
  })
})

const statusOf = ({ status }: RawAnswer) => status

/** 431: the head is too large. */
const REFUSALS = new Set([400, 431])
/** Node ends these without a word: a tunnel and another protocol. */
const WORDLESS = new Set(['a tunnel', 'the preface of HTTP/2'])
