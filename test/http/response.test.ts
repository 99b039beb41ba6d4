import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RefusedByServer, requireStatus } from '../../src/http/response.ts'

function refusal(status: number, body: unknown): RefusedByServer {
  try {
    requireStatus({ status, headers: {}, body: Buffer.from(JSON.stringify(body)) }, 200)
  } catch (error) {
    if (error instanceof RefusedByServer) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('what a server says when it refuses: RFC 6749 5.2 and 8.5, RFC 9457', () => {
  test('the error of a token endpoint, also one that RFC 6749 5.2 does not list', () => {
    for (const [status, error] of [
      [400, 'invalid_scope'],
      [400, 'invalid_dpop_proof'],
      [502, 'server_error'],
      [503, 'temporarily_unavailable'],
    ] as const) {
      const { code, detail } = refusal(status, { error, error_description: 'why' })
      assert.deepEqual([code, detail], [error, 'why'])
    }
  })

  test('the cause of problem details; without one the status', () => {
    assert.equal(refusal(403, { cause: 'EEC_MISMATCH', detail: 'why' }).message, '403 EEC_MISMATCH: why')
    assert.equal(refusal(500, { title: 'System failure' }).message, '500 500: System failure')
    assert.equal(refusal(404, 'none').message, '404 404')
  })

  test('HT-09: what is no plain name is not taken for one, and reaches no terminal', () => {
    for (const name of ['a\r\nb', '\u001b[2J', 'x'.repeat(65), '', 1, ['invalid_scope']]) {
      assert.equal(refusal(400, { error: name }).code, '400')
      assert.equal(refusal(400, { cause: name }).code, '400')
    }
    assert.equal(refusal(400, { error: 'invalid_scope', error_description: 'a\u001b[2J\nb' }).detail, 'a [2J b')
  })
})
