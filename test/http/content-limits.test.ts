import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type Running, runListener, TOKEN } from './a-listener.ts'
import { NAME } from './credentials.ts'
import { readAnswers } from './http1.ts'
import { END_HEADERS, type Field, FRAME, FrameSession, frame, headers, PUT, setting } from './http2-frames.ts'

const BOMB = 500_000_000
const MOST = 128 * 1024

describe('content beyond its limit: RFC 9110 15.5.14', () => {
  let listener: Running
  /** the server's ends, by the port of the client's */
  const accepted = new Map<number, TLSSocket>()
  before(async () => {
    listener = await runListener({ admit: (socket) => accepted.set(socket.remotePort ?? 0, socket) })
  })
  after(() => listener.close())

  /** Pours until the server closes. @returns what it answered, and how many octets it read, TLS and head included */
  async function pour(head: string, piece: Buffer) {
    const socket = await listener.socket()
    const { localPort = 0 } = socket
    let said = ''
    socket
      .on('error', () => {})
      .on('data', (part) => {
        said += part.toString('latin1')
      })
    socket.write(head)
    for (let poured = 0; !socket.destroyed && poured < BOMB; poured += piece.length) {
      const more = socket.write(piece)
      await new Promise((wait) => (more ? setImmediate(wait) : setTimeout(wait, 2)))
    }
    const { bytesRead = Number.NaN } = accepted.get(localPort) ?? {}
    assert.ok(socket.destroyed, 'the server takes it all')
    assert.ok(bytesRead >= head.length)
    return { statuses: readAnswers(said).map(({ status }) => status), read: bytesRead }
  }

  const request = (line: string, fields: readonly string[] = []) =>
    `${line} HTTP/1.1\r\n${[`Host: ${NAME}`, ...fields].join('\r\n')}\r\n`
  const JSON_TYPE = 'Content-Type: application/json'
  const REFUSED: Readonly<Record<string, [status: number, head: string]>> = {
    'too large': [413, request('PUT /notes/v1/notes/1', [JSON_TYPE])],
    'too large, after it was expected': [413, request('PUT /notes/v1/notes/1', [JSON_TYPE, 'Expect: 100-continue'])],
    'too large for whom we know': [413, request('POST /notes/v1/notes', [JSON_TYPE, `Authorization: ${TOKEN}`])],
    'from anybody': [401, request('POST /notes/v1/notes', [JSON_TYPE])],
    'to nowhere': [404, request('POST /nowhere', [JSON_TYPE])],
    'to a path that is none': [400, request('POST /%zz', [JSON_TYPE])],
    'by another method': [405, request('POST /notes/v1/notes/1', [JSON_TYPE])],
    'of another type': [415, request('PUT /notes/v1/notes/1', ['Content-Type: text/plain'])],
    'of no type': [415, request('PUT /notes/v1/notes/1')],
    'with a coding': [415, request('PUT /notes/v1/notes/1', [JSON_TYPE, 'Content-Encoding: gzip'])],
    'where none is taken': [400, request('GET /notes/v1/notes/1')],
    'with an unknown expectation': [404, request('POST /nowhere', ['Expect: a miracle'])],
  }

  for (const [name, [status, head]] of Object.entries(REFUSED)) {
    test(`HT-04: 500 MB ${name}: ${status} within 128 KiB read, announced or not`, async () => {
      const announced = await pour(`${head}Content-Length: ${BOMB}\r\n\r\n`, Buffer.alloc(16_384))
      assert.deepEqual(announced.statuses, [status])
      assert.ok(announced.read <= MOST, `${announced.read} octets read`)
      const chunk = Buffer.concat([Buffer.from('2000\r\n'), Buffer.alloc(8_192), Buffer.from('\r\n')])
      const streamed = await pour(`${head}Transfer-Encoding: chunked\r\n\r\n`, chunk)
      assert.deepEqual(streamed.statuses, [status])
      assert.ok(streamed.read <= MOST, `${streamed.read} octets read`)
    })
  }

  test('HT-04: 4 GiB and more are refused before the first octet of content', async () => {
    for (const length of [2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, 65_537]) {
      const socket = await listener.socket()
      socket.write(`${request('PUT /notes/v1/notes/1', [JSON_TYPE])}Content-Length: ${length}\r\n\r\n`)
      const said = await new Promise<string>((done) => socket.once('data', (part) => done(part.toString('latin1'))))
      assert.match(said, /^HTTP\/1\.1 413 /, String(length))
      socket.destroy()
    }
  })

  test('HT-04: over HTTP/2 500 MB end within 128 KiB read, whatever the client thinks of windows', async () => {
    const cases: readonly (readonly [number, readonly Field[]])[] = [
      [413, PUT],
      [413, [...PUT, ['content-length', String(BOMB)]]],
      [415, PUT.filter(([name]) => name !== 'content-type')],
      [404, PUT.map(([name, value]) => [name, name === ':path' ? '/nowhere' : value])],
    ]
    for (const [status, fields] of cases) {
      const session = new FrameSession(await listener.socket('h2'))
      const { localPort = 0 } = session.socket
      session.send(frame(FRAME.SETTINGS, 0, 0, setting(4, 2 ** 31 - 1)), headers(1, fields, END_HEADERS))
      // An honest window is 65,535 octets; this client goes on until it is shown the door.
      for (let poured = 0; !session.closed && session.reset(1) === undefined && poured < BOMB; poured += 16_384) {
        const more = session.send(frame(FRAME.DATA, 0, 1, Buffer.alloc(16_384)))
        await new Promise((wait) => (more ? setImmediate(wait) : setTimeout(wait, 2)))
      }
      const { bytesRead = Number.NaN } = accepted.get(localPort) ?? {}
      assert.ok(bytesRead > 0 && bytesRead <= MOST, `${status}: ${bytesRead} octets read`)
      session.socket.destroy()
    }
  })

  test('HT-04: over HTTP/2 a client that keeps to its window gets its 413, and its next request is served', async () => {
    const session = new FrameSession(await listener.socket('h2'))
    session.send(headers(1, PUT, END_HEADERS), ...Array(3).fill(frame(FRAME.DATA, 0, 1, Buffer.alloc(16_384))))
    session.send(frame(FRAME.DATA, 0, 1, Buffer.alloc(16_383)))
    assert.equal(await session.until(() => session.status(1) !== undefined, 300), false, 'it could still end here')
    await session.until(() => session.received.some(({ type }) => type === FRAME.WINDOW_UPDATE))
    session.send(frame(FRAME.DATA, 0, 1, Buffer.alloc(16_384)))
    assert.ok(await session.until(() => session.status(1) === 413))
    assert.ok(await session.until(() => session.reset(1) === 0))
    session.send(headers(3, PUT, END_HEADERS), frame(FRAME.DATA, 1, 3, Buffer.from('{}')))
    assert.ok(await session.until(() => session.status(3) === 200))
    session.socket.destroy()
  })

  test('HT-04: what is refused before its content, and is short, leaves the connection usable', async () => {
    const socket = await listener.socket()
    let said = ''
    socket.on('data', (part) => {
      said += part.toString('latin1')
    })
    socket.write(`${request('POST /notes/v1/notes', [JSON_TYPE])}Content-Length: 12\r\n\r\n`)
    await new Promise((wait) => setTimeout(wait, 50))
    socket.write(`{"text":"x"}${request('GET /notes/v1/notes/1')}\r\n`)
    await new Promise((wait) => setTimeout(wait, 100))
    assert.deepEqual(
      readAnswers(said).map(({ status }) => status),
      [401, 200],
    )
    socket.destroy()
  })

  test('HT-04: 65,536 octets are taken', async () => {
    const peer = listener.peer()
    const put = (length: number) =>
      peer.request({
        method: 'PUT',
        path: '/notes/v1/notes/1',
        headers: { 'content-type': 'application/json' },
        body: `"${'x'.repeat(length - 2)}"`,
      })
    assert.equal((await put(65_536)).status, 200)
    assert.equal((await put(65_537)).status, 413)
    assert.equal((await put(65_536)).status, 200)
    peer.close()
  })
})
