import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Running, runListener } from './a-listener.ts'
import { NAME } from './credentials.ts'
import {
  END_HEADERS,
  END_STREAM,
  type Field,
  FRAME,
  FrameSession,
  fieldBlock,
  frame,
  GET,
  headers,
  PREFACE,
  PUT,
  setting,
  uint32,
} from './http2-frames.ts'

const without = (name: string): readonly Field[] => GET.filter(([given]) => given !== name)
const and = (...fields: Field[]) => [headers(1, [...GET, ...fields])]
const withContent = (fields: readonly Field[], content = '{}') => [
  headers(1, [...PUT, ...fields], END_HEADERS),
  frame(FRAME.DATA, END_STREAM, 1, Buffer.from(content)),
]

/** RFC 9113 8.1 to 8.3: malformed, or of two readings. */
const MALFORMED: Readonly<Record<string, readonly Buffer[]>> = {
  'a name in capitals': and(['X-A', 'a']),
  connection: and(['connection', 'close']),
  'keep-alive': and(['keep-alive', 'timeout=5']),
  'proxy-connection': and(['proxy-connection', 'close']),
  'transfer-encoding': and(['transfer-encoding', 'chunked']),
  upgrade: and(['upgrade', 'websocket']),
  'te other than trailers': and(['te', 'gzip']),
  'two paths': and([':path', '/large']),
  'two authorities': and([':authority', 'evil.example']),
  'no path': [headers(1, without(':path'))],
  'no method': [headers(1, without(':method'))],
  'no scheme': [headers(1, without(':scheme'))],
  'no authority and no host': [headers(1, without(':authority'))],
  'an empty path': [headers(1, [...without(':path'), [':path', '']])],
  'a path without a slash': [headers(1, [...without(':path'), [':path', 'notes/v1/notes/1']])],
  'a path in the absolute form': [headers(1, [...without(':path'), [':path', `https://${NAME}/notes/v1/notes/1`]])],
  'a path with CR LF': [headers(1, [...without(':path'), [':path', '/notes/v1/notes/1 HTTP/1.1\r\nA: b']])],
  'a path with a space': [headers(1, [...without(':path'), [':path', '/notes/v1/notes/1 HTTP/1.1']])],
  'a path with a fragment': [headers(1, [...without(':path'), [':path', '/notes/v1/notes/1#a']])],
  'a method with CR LF': [headers(1, [...without(':method'), [':method', 'GET\r\nA: b']])],
  'the scheme http': [headers(1, [...without(':scheme'), [':scheme', 'http']])],
  'an unknown pseudo field': [headers(1, [[':foo', 'a'], ...GET])],
  'the pseudo field of answers': [headers(1, [[':status', '200'], ...GET])],
  'the pseudo field of WebSockets': [
    headers(1, [...without(':method'), [':method', 'CONNECT'], [':protocol', 'websocket']]),
  ],
  'a pseudo field after another': [headers(1, [...without(':path'), ['a', 'b'], [':path', '/notes/v1/notes/1']])],
  'a tunnel': [
    headers(1, [
      [':method', 'CONNECT'],
      [':authority', `${NAME}:443`],
    ]),
  ],
  'another host than :authority': and(['host', 'evil.example']),
  'two hosts': and(['host', NAME], ['host', NAME]),
  'two authorizations': and(['authorization', 'Bearer honest'], ['authorization', 'Bearer other']),
  'content of GET': [
    headers(1, [...GET, ['content-length', '2']], END_HEADERS),
    frame(FRAME.DATA, END_STREAM, 1, Buffer.from('{}')),
  ],
  'more content than announced': withContent([['content-length', '1']]),
  'less content than announced': withContent([['content-length', '3']]),
  'two lengths': withContent([
    ['content-length', '2'],
    ['content-length', '2'],
  ]),
  'a length that is none': withContent([['content-length', '0x2']]),
  'two media types': withContent([['content-type', 'text/plain']]),
  'a pseudo field behind the content': [
    headers(1, PUT, END_HEADERS),
    frame(FRAME.DATA, 0, 1, Buffer.from('{}')),
    headers(1, [[':path', '/large']]),
  ],
  '65 fields': and(...Array.from({ length: 61 }, (_, index) => [`a${index}`, 'b'] as const)),
  'a head of 45 KB': [
    headers(1, GET, END_STREAM),
    ...[0, 0, END_HEADERS].map((flags, index) =>
      frame(FRAME.CONTINUATION, flags, 1, fieldBlock([[`a${index}`, 'b'.repeat(15_000)]])),
    ),
  ],
  'HPACK beyond its table': [frame(FRAME.HEADERS, END_STREAM | END_HEADERS, 1, Buffer.from([0xff, 0xff, 0x7f]))],
  'HPACK that ends early': [frame(FRAME.HEADERS, END_STREAM | END_HEADERS, 1, Buffer.from([0, 5, 0x61]))],
  'padding beyond the frame': [
    frame(FRAME.HEADERS, END_STREAM | END_HEADERS | 0x8, 1, Buffer.concat([Buffer.from([255]), fieldBlock(GET)])),
  ],
}

/** RFC 9113 5 and 6: not the frames of a client that knows the protocol. */
const NOT_THE_PROTOCOL: Readonly<Record<string, readonly Buffer[]>> = {
  'a stream of the server': [headers(2, GET)],
  'stream 0': [headers(0, GET)],
  'content of no stream': [frame(FRAME.DATA, END_STREAM, 1, Buffer.from('{}'))],
  'CONTINUATION of nothing': [frame(FRAME.CONTINUATION, END_HEADERS, 1, fieldBlock(GET))],
  'a head with a frame in between': [headers(1, GET, END_STREAM), frame(FRAME.PING, 0, 0, Buffer.alloc(8))],
  'a head of two streams': [headers(1, GET, END_STREAM), frame(FRAME.CONTINUATION, END_HEADERS, 3)],
  'a window of nothing': [frame(FRAME.WINDOW_UPDATE, 0, 0, uint32(0))],
  'a window beyond 31 bit': [frame(FRAME.WINDOW_UPDATE, 0, 0, uint32(0x7fffffff))],
  'a promise': [frame(FRAME.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), fieldBlock(GET)]))],
  'push as a number': [frame(FRAME.SETTINGS, 0, 0, setting(2, 2))],
  'a setting beyond its range': [frame(FRAME.SETTINGS, 0, 0, setting(4, 0xffffffff))],
  'half a setting': [frame(FRAME.SETTINGS, 0, 0, Buffer.alloc(5))],
  'settings of a stream': [frame(FRAME.SETTINGS, 0, 1)],
  'nine settings': [frame(FRAME.SETTINGS, 0, 0, Buffer.concat(Array(9).fill(setting(3, 100))))],
  'a frame beyond its size': [frame(FRAME.DATA, 0, 1, Buffer.alloc(16_385))],
  'a short PING': [frame(FRAME.PING, 0, 0, Buffer.alloc(7))],
  'the preface again': [PREFACE],
  'HTTP/1.1': [Buffer.from(`GET / HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)],
}

describe('an HTTP/2 request has one reading: RFC 9113 8', () => {
  let listener: Running
  before(async () => {
    listener = await runListener()
  })
  after(() => listener.close())

  const sent = async (frames: readonly Buffer[]) => {
    listener.handled.length = 0
    const session = new FrameSession(await listener.socket('h2'))
    session.send(...frames)
    await session.until(() => session.closed || session.status(1) !== undefined || session.reset(1) !== undefined)
    const { closed } = session
    const [status, reset] = [session.status(1), session.reset(1)]
    session.socket.destroy()
    return { closed, status, reset, served: listener.handled.length > 0 }
  }

  test('HT-03: a malformed request is refused or its stream ends, and nothing is served', async () => {
    for (const [name, frames] of Object.entries(MALFORMED)) {
      const { closed, status, reset, served } = await sent(frames)
      assert.ok(closed || status === 400 || status === 405 || (reset ?? 0) > 0, `${name}: ${status}`)
      assert.equal(served, false, name)
    }
  })

  test('HT-03: frames that are not of the protocol end the connection', async () => {
    for (const [name, frames] of Object.entries(NOT_THE_PROTOCOL)) {
      assert.deepEqual(await sent(frames), { closed: true, status: undefined, reset: undefined, served: false }, name)
    }
  })

  test('HT-03: a field with CR, LF, NUL or no token for its name does not get here, under any name', async () => {
    const bad: Field[] = [
      ...['a\rb', 'a\nb', 'a\r\nx-smuggled: b', 'a\0b', '\x7f'].map((value): Field => ['x-a', value]),
      ...['x\r\nx-smuggled', 'x a', 'x:a', ''].map((name): Field => [name, 'a']),
      ['authorization', 'Bearer honest\r\nx-smuggled: b'],
    ]
    for (const field of bad) {
      // nghttp2 leaves such a field out; the request without it is a request like any other.
      await sent(and(field))
      const [{ request } = assert.fail()] = listener.handled
      assert.deepEqual(
        Object.keys(request.headers).filter((name) => !name.startsWith(':')),
        [],
        JSON.stringify(field),
      )
    }
  })

  test('HT-03: the nearest honest requests are served', async () => {
    const honest = [
      and(),
      and(['host', NAME]),
      [headers(1, [...without(':authority'), ['host', NAME]])],
      and(['te', 'trailers'], ['content-length', '0']),
      withContent([]),
      withContent([['content-length', '2']]),
      [headers(1, GET, END_STREAM), frame(FRAME.CONTINUATION, END_HEADERS, 1, fieldBlock([['a', 'b']]))],
      [headers(1, PUT, END_HEADERS), frame(FRAME.DATA, 0, 1, Buffer.from('{}')), headers(1, [['a', 'b']])],
      [headers(1, GET, END_HEADERS), frame(FRAME.DATA, END_STREAM, 1)],
    ]
    for (const [index, frames] of honest.entries()) {
      const { status, served } = await sent(frames)
      assert.deepEqual({ status, served }, { status: 200, served: true }, String(index))
    }
  })
})

describe('content that was cut off: RFC 9113 8.1, RFC 9112 8', () => {
  const FORM: readonly Field[] = [
    [':method', 'POST'],
    [':scheme', 'https'],
    [':authority', NAME],
    [':path', '/token'],
    ['content-type', 'application/x-www-form-urlencoded'],
  ]
  const begun = [headers(1, FORM, END_HEADERS), frame(FRAME.DATA, 0, 1, Buffer.from('scope=a'))]
  const pause = () => new Promise((wait) => setTimeout(wait, 50))
  let listener: Running
  before(async () => {
    listener = await runListener()
  })
  after(() => listener.close())

  const cuts: Readonly<Record<string, (session: FrameSession) => void>> = {
    'RST_STREAM CANCEL': (session) => session.send(frame(FRAME.RST_STREAM, 0, 1, uint32(8))),
    'RST_STREAM NO_ERROR': (session) => session.send(frame(FRAME.RST_STREAM, 0, 1, uint32(0))),
    'a protocol error': (session) => session.send(frame(FRAME.DATA, 0, 3)),
    'GOAWAY, and the end': (session) => {
      session.send(frame(FRAME.GOAWAY, 0, 0, uint32(0, 0)))
      session.socket.end()
    },
    'the end of the connection': (session) => session.socket.end(),
    'the loss of the connection': (session) => session.socket.destroy(),
  }
  for (const [name, cut] of Object.entries(cuts)) {
    test(`HT-03: by ${name}: half a form over HTTP/2 is not served`, async () => {
      const session = new FrameSession(await listener.socket('h2'))
      session.send(...begun)
      await pause()
      cut(session)
      await pause()
      session.socket.destroy()
      assert.deepEqual(listener.handled, [])
    })
  }

  test('HT-03: half a form over HTTP/1.1 is not served, and is nobody’s failure', async () => {
    for (const framing of ['Content-Length: 9\r\n\r\nscope=a', 'Transfer-Encoding: chunked\r\n\r\n7\r\nscope=a\r\n']) {
      const socket = await listener.socket()
      socket.write(
        `POST /token HTTP/1.1\r\nHost: ${NAME}\r\nContent-Type: application/x-www-form-urlencoded\r\n${framing}`,
      )
      await pause()
      socket.destroy()
      await pause()
    }
    assert.deepEqual(listener.handled, [])
    assert.deepEqual(
      listener.lines.filter((line) => line.includes('unexpected')),
      [],
    )
  })

  test('HT-03: a whole form is', async () => {
    const session = new FrameSession(await listener.socket('h2'))
    session.send(...begun, frame(FRAME.DATA, END_STREAM, 1, Buffer.from('b')))
    assert.ok(await session.until(() => session.status(1) === 200))
    assert.deepEqual({ ...(listener.handled[0]?.request.body as object) }, { scope: 'ab' })
    session.socket.destroy()
  })
})
