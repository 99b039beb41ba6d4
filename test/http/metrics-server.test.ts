import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { freePorts } from '../../src/http/free-ports.ts'
import { createLog } from '../../src/http/log.ts'
import { type MetricsServer, serveMetrics } from '../../src/http/metrics-server.ts'
import { createAlarms } from '../../src/nf/alarms.ts'
import { type Running, runListener } from './a-listener.ts'

const CANARY = 'canary-of-a-client'

describe('what is measured of a process', () => {
  let listener: Running
  let metrics: MetricsServer
  let port: number
  before(async () => {
    listener = await runListener()
    port = (await freePorts('127.0.0.1', 1))[0] ?? 0
    metrics = await serveMetrics({ port })
  })
  after(async () => {
    await metrics.close()
    await listener.close()
  })

  async function statusOf(path: string): Promise<number> {
    const peer = listener.peer()
    const { status } = await peer.request({ method: 'GET', path })
    peer.close()
    return status
  }
  const shown = async () => (await ask('GET', '/metrics')).text
  function ask(method: string, path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ port, method, path }, async (response) => {
        const parts: Buffer[] = []
        for await (const part of response) parts.push(part as Buffer)
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() })
      })
      asked.once('error', reject).end()
    })
  }
  /** @returns the value of a series, 0 if it is not there */
  function valueIn(text: string, series: string): number {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `))
    return Number(line?.slice(series.length) ?? 0)
  }

  test('requests are counted by operation and status, whatever the path of the client', async () => {
    const series = (operation: string, status: number) =>
      `edgeward_request_duration_seconds_count{listener="test",operation="${operation}",status="${status}"}`
    const before = await shown()
    assert.equal(await statusOf('/notes/v1/notes/1'), 200)
    assert.equal(await statusOf(`/${CANARY}`), 404)
    assert.equal(await statusOf(`/notes/v1/notes/${CANARY}?a=1&a=2`), 400)
    const text = await shown()
    for (const [operation, status] of [
      ['GET /notes/v1/notes/{noteId}', 200],
      ['none', 404],
      ['GET /notes/v1/notes/{noteId}', 400],
    ] as const)
      assert.equal(valueIn(text, series(operation, status)) - valueIn(before, series(operation, status)), 1, operation)
  })

  test('connections and handshakes that fail are counted', async () => {
    const failed = 'edgeward_connections_total{listener="test",event="handshake_failed"}'
    const [opened, open] = [
      'edgeward_connections_total{listener="test",event="opened"}',
      'edgeward_connections_open{listener="test"}',
    ]
    const before = await shown()
    /** The server hears of a handshake after its client does. */
    const untilMore = async (series: string, more: number) => {
      while (valueIn(await shown(), series) !== valueIn(before, series) + more);
    }
    const plain = connect(listener.port, '127.0.0.1').on('error', () => {})
    plain.write('GET / HTTP/1.1\r\n\r\n')
    await once(plain.resume(), 'close')
    await untilMore(failed, 1)
    const socket = await listener.socket()
    await untilMore(opened, 1)
    await untilMore(open, 1)
    socket.destroy()
    await untilMore(open, 0)
  })

  test('KE-11: alarms are counted by their name; nothing in any series is of a client', async () => {
    createAlarms(createLog('test', 'silent')).raise('caller-refused', CANARY)
    const text = await shown()
    assert.equal(valueIn(text, 'edgeward_alarms_total{alarm="caller-refused"}'), 1)
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds \d/m)
    assert.doesNotMatch(text, new RegExp(CANARY))
  })

  test('there is one resource, and it is read', async () => {
    assert.equal((await ask('GET', '/')).status, 404)
    assert.equal((await ask('GET', '/metrics?all')).status, 404)
    assert.equal((await ask('POST', '/metrics')).status, 405)
  })

  test('a port that somebody has is told, and what is closed is not there any more', async () => {
    await assert.rejects(serveMetrics({ port }), { code: 'EADDRINUSE' })
    const [other = 0] = await freePorts('127.0.0.1', 1)
    await (await serveMetrics({ port: other })).close()
    const socket = connect(other, '127.0.0.1')
    assert.equal((await once(socket, 'error'))[0].code, 'ECONNREFUSED')
  })
})
