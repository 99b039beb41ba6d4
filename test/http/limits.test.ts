import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import { after, before, describe, test } from 'node:test'
import type { Response } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { NOTE, type Running, runListener, TOKEN } from './a-listener.ts'
import { NAME } from './credentials.ts'
import { exchangeRaw } from './http1.ts'

const PUT = `PUT /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\nContent-Type: application/json\r\n`
const causeOf = ({ body }: Response) => (JSON.parse(body.toString()) as { cause: string }).cause

describe('what one message may cost', () => {
  let running: Running
  before(async () => {
    running = await runListener()
  })
  after(() => running.close())

  /** @returns the answer, and how many octets of content the client could get rid of */
  async function pour(head: string, chunked: boolean): Promise<{ said: string; poured: number }> {
    const socket = await running.socket()
    let said = ''
    let open = true
    socket.setEncoding('latin1').on('data', (text: string) => {
      said += text
    })
    socket
      .on('error', () => {})
      .once('close', () => {
        open = false
      })
    socket.write(head)
    const piece = Buffer.alloc(16_384, 'x')
    const framed = chunked ? Buffer.concat([Buffer.from('4000\r\n'), piece, Buffer.from('\r\n')]) : piece
    let poured = 0
    while (open && said === '' && poured < 500_000_000) {
      const more = socket.write(framed)
      poured += piece.length
      if (!more)
        await Promise.race([once(socket, 'drain').catch(() => {}), new Promise((wait) => setTimeout(wait, 200))])
    }
    if (open) await once(socket, 'close').catch(() => {})
    return { said, poured: socket.bytesWritten - head.length }
  }

  test('HT-01: a hundred requests may wait on one HTTP/1.1 connection, and it ends with one more', async () => {
    const request = `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
    const last = request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
    const { answers } = await exchangeRaw(await running.socket(), request.repeat(99) + last)
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(100).fill(200),
    )
    running.handled.length = 0
    const never = `GET /never HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
    const held = await exchangeRaw(await running.socket(), never.repeat(100) + request.repeat(10_000))
    assert.deepEqual(held, { answers: [], closed: true })
    assert.equal(running.handled.length, 0)
  })

  test('HT-04: a stream of 500 MB ends at 413, announced or chunked, long before it is read', async () => {
    for (const [head, chunked] of [
      [`${PUT}Content-Length: 500000000\r\n\r\n`, false],
      [`${PUT}Transfer-Encoding: chunked\r\n\r\n`, true],
    ] as const) {
      const { said, poured } = await pour(head, chunked)
      assert.match(said, /^HTTP\/1\.1 413 /)
      // What the kernel holds of a loopback connection is beyond what was read.
      assert.ok(poured < 8_000_000, `${poured} octets were taken`)
    }
    assert.equal(running.handled.length, 0)
  })

  test('HT-04: over HTTP/2 no more than a window of it is taken', async () => {
    const session = http2.connect(running.origin, {
      ...clientTls([running.credentials.rootPem]),
      lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    })
    const stream = session.request({
      ':method': 'PUT',
      ':path': '/notes/v1/notes/1',
      'content-type': 'application/json',
    })
    stream.on('error', () => {})
    const [headers] = (await Promise.all([
      once(stream, 'response').then(([answer]) => answer),
      (async () => {
        for (let n = 0; n < 64 && !stream.closed; n++) stream.write(Buffer.alloc(16_384, 'x'))
      })(),
    ])) as [http2.IncomingHttpHeaders, undefined]
    assert.equal(headers[':status'], 413)
    assert.ok((stream.session?.state.remoteWindowSize ?? 0) >= 0)
    session.destroy()
  })

  test('HT-04: content codings, foreign media types and too many parameters are refused; a plain message is taken', async () => {
    const peer = running.peer()
    const send = (headers: Record<string, string>, path = '/notes/v1/notes') =>
      peer.request({
        method: 'POST',
        path,
        headers: { authorization: TOKEN, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(NOTE),
      })
    for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'identity, gzip', 'x']) {
      assert.equal((await send({ 'content-encoding': coding })).status, 415, coding)
    }
    for (const type of [
      'text/plain',
      'application/xml',
      'application/jsonx',
      'application/merge-patch+json',
      '',
      'json',
    ]) {
      assert.equal((await send({ 'content-type': type })).status, 415, type)
    }
    const many = Array.from({ length: 40 }, (_, n) => `p${n}=1`).join('&')
    assert.equal((await send({}, `/notes/v1/notes?${many}`)).status, 400)
    assert.equal((await send({}, '/notes/v1/notes?a=1&a=2')).status, 400)
    assert.equal((await send({})).status, 201)
    peer.close()
  })

  test('HT-05: names that reach a prototype are refused wherever they stand, and change nothing', async () => {
    const peer = running.peer()
    const put = (body: string) =>
      peer.request({ method: 'PUT', path: '/notes/v1/notes/1', headers: { 'content-type': 'application/json' }, body })
    for (const name of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
      for (const body of [
        `{"${name}":{"polluted":1}}`,
        `{"a":{"${name}":{"polluted":1}}}`,
        `[{"b":[{"${name}":1}]}]`,
      ]) {
        const answer = await put(body)
        assert.deepEqual([answer.status, causeOf(answer)], [400, 'INVALID_MSG_FORMAT'], body)
      }
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    assert.equal((await put('{"proto":{"a":1},"text":"__proto__"}')).status, 200)
    peer.close()
  })

  test('HT-08: headers of proxies change neither who the caller is nor what the server answers for', async () => {
    const peer = running.peer()
    const forged = {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'other.example.com',
      'x-forwarded-proto': 'http',
      forwarded: 'for=127.0.0.1;host=other.example.com',
      'x-client-cert': 'MIIB',
      'x-ssl-client-verify': 'SUCCESS',
      'x-forwarded-client-cert': 'Hash=1',
    }
    const refused = await peer.request({ method: 'DELETE', path: '/notes/v1/notes/1', headers: forged })
    assert.equal(refused.status, 401)
    const served = await peer.request({
      method: 'DELETE',
      path: '/notes/v1/notes/1',
      headers: { ...forged, authorization: TOKEN },
    })
    assert.equal(served.status, 204)
    peer.close()
  })

  test('HT-12: an error of ours says nothing of the inside', async () => {
    const peer = running.peer()
    const { status, body } = await peer.request({ method: 'GET', path: '/fault' })
    assert.equal(status, 500)
    assert.doesNotMatch(body.toString(), /canary|\.ts|at /)
    peer.close()
  })
})
