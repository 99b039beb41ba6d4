import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Running, runListener } from './a-listener.ts'
import { NAME } from './credentials.ts'

describe('HTTP/2 has one reading: RFC 9113 8.2, 8.3', () => {
  let running: Running
  before(async () => {
    running = await runListener()
  })
  after(() => running.close())

  const ask = async (headers: Record<string, string>) => {
    const peer = running.peer()
    try {
      return (await peer.request({ method: 'GET', path: '/notes/v1/notes/1', headers })).status
    } catch {
      return 'cut off'
    } finally {
      peer.close()
    }
  }

  test('HT-03: a host that differs from :authority, and connection headers, are refused; the same host is served', async () => {
    assert.equal(await ask({ ':authority': `${NAME}:${running.port}`, host: 'other.example.com' }), 400)
    assert.equal(await ask({ host: 'other.example.com' }), 421)
    assert.equal(await ask({ host: `${NAME}:${running.port}` }), 200)
    for (const name of ['connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'proxy-connection']) {
      assert.notEqual(await ask({ [name]: 'chunked' }), 200, name)
    }
  })
})
