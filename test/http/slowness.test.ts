import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { DEADLINES } from '../../src/http/deadlines.ts'
import { serverTls } from '../../src/tls/profile.ts'
import { clientHello, VERSION } from '../tls/client-hello.ts'
import { type Running, runListener } from './a-listener.ts'
import { type Credentials, NAME, someCredentials } from './credentials.ts'
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
  PUT,
  setting,
} from './http2-frames.ts'

const EACH = process.env['EDGEWARD_DEEP'] ? 2_000 : 4
const HANDSHAKE = 500
/** A tenth of ours, about. */
const SHORT = { head: 400, request: 600, answer: 700, idle: 900, close: 200 }
/** How often Node looks at HTTP/1.1, what a busy machine needs, and the grace of a connection that closes. */
const SLACK = 4_000

const HOST = `Host: ${NAME}\r\n`
const octets = (text: string) => [...text].map((character) => Buffer.from(character, 'latin1'))
const path = (of: string): readonly Field[] => GET.map(([name, value]) => [name, name === ':path' ? of : value])
const NO_WINDOW = frame(FRAME.SETTINGS, 0, 0, setting(4, 0))

/** One kind of client that takes its time. */
interface Slow {
  /** what it speaks; a TCP client does not get to the end of the handshake */
  readonly over: 'tcp' | 'http/1.1' | 'h2'
  /** sent at once */
  readonly first?: Buffer | string
  /** sent piece by piece, as long as the connection lasts; the last piece again and again */
  readonly drip?: readonly Buffer[]
  readonly reads?: boolean
  /** milliseconds within which the server closes the connection, or ends the stream */
  readonly within: number
  /** HTTP/2: the stream ends, the connection goes on */
  readonly stream?: true
}

const BODY = `PUT /notes/v1/notes/1 HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`
const LARGE = `GET /large HTTP/1.1\r\n${HOST}\r\n`
const hello = clientHello({ version: VERSION['TLS 1.3'], suites: [0x1301] })
const PING = frame(FRAME.PING, 0, 0, Buffer.alloc(8))
const DATA = frame(FRAME.DATA, 0, 1, Buffer.from(' '))
const { head, request, answer, idle, close } = SHORT

const SLOW: Readonly<Record<string, Slow>> = {
  'no ClientHello': { over: 'tcp', within: HANDSHAKE },
  'half a ClientHello': { over: 'tcp', first: hello.subarray(0, 60), within: HANDSHAKE },
  'a ClientHello octet by octet': {
    over: 'tcp',
    drip: [...hello].map((octet) => Buffer.from([octet])),
    within: HANDSHAKE,
  },
  'a handshake that stops after the ClientHello': { over: 'tcp', first: hello, within: HANDSHAKE },
  'HTTP/1.1 without a request': { over: 'http/1.1', within: head },
  'HTTP/1.1 with half a head': { over: 'http/1.1', first: `GET / HTTP/1.1\r\n${HOST}`, within: head },
  'HTTP/1.1 head octet by octet': {
    over: 'http/1.1',
    drip: octets(`GET / HTTP/1.1\r\n${HOST}A: ${'a'.repeat(999)}`),
    within: head,
  },
  'HTTP/1.1 content that never comes': { over: 'http/1.1', first: `${BODY}Content-Length: 9\r\n\r\n`, within: request },
  'HTTP/1.1 content octet by octet': {
    over: 'http/1.1',
    first: `${BODY}Content-Length: 9999\r\n\r\n`,
    drip: octets(' '),
    within: request,
  },
  'HTTP/1.1 chunk by chunk': {
    over: 'http/1.1',
    first: `${BODY}Transfer-Encoding: chunked\r\n\r\n`,
    drip: [Buffer.from('1\r\n \r\n')],
    within: request,
  },
  'HTTP/1.1 work that hangs': { over: 'http/1.1', first: `GET /never HTTP/1.1\r\n${HOST}\r\n`, within: request },
  'HTTP/1.1 answers that are not read': {
    over: 'http/1.1',
    first: LARGE.repeat(20),
    reads: false,
    within: request + answer,
  },
  'HTTP/1.1 idle after an answer': {
    over: 'http/1.1',
    first: `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}\r\n`,
    within: idle,
  },
  'HTTP/1.1 second head that stops': {
    over: 'http/1.1',
    first: `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}\r\nGET /notes`,
    within: head,
  },
  'HTTP/2 without a request': { over: 'h2', within: head + close },
  'HTTP/2 without a request, with PING': { over: 'h2', drip: [PING], within: head + close },
  'HTTP/2 with half a frame': { over: 'h2', first: headers(1, GET).subarray(0, 20), within: head + close },
  'HTTP/2 head in CONTINUATION': {
    over: 'h2',
    first: headers(1, GET, END_STREAM),
    drip: [frame(FRAME.CONTINUATION, 0, 1, fieldBlock([['a', 'b']]))],
    within: head + close,
  },
  'HTTP/2 content that never comes': { over: 'h2', first: headers(1, PUT, END_HEADERS), within: request, stream: true },
  'HTTP/2 content octet by octet': {
    over: 'h2',
    first: headers(1, PUT, END_HEADERS),
    drip: [DATA],
    within: request,
    stream: true,
  },
  'HTTP/2 work that hangs': { over: 'h2', first: headers(1, path('/never')), within: request, stream: true },
  'HTTP/2 answers without a window': {
    over: 'h2',
    first: Buffer.concat([NO_WINDOW, headers(1, path('/large'))]),
    within: request + answer,
  },
  'HTTP/2 answers without a window, with PING': {
    over: 'h2',
    first: Buffer.concat([NO_WINDOW, headers(1, path('/large'))]),
    drip: [PING],
    within: request + answer,
  },
  'HTTP/2 answers that are not read': {
    over: 'h2',
    first: Buffer.concat([
      frame(FRAME.SETTINGS, 0, 0, setting(4, 2 ** 31 - 1)),
      ...[1, 3, 5].map((stream) => headers(stream, path('/large'))),
    ]),
    reads: false,
    within: request + answer,
  },
  'HTTP/2 idle after an answer': { over: 'h2', first: headers(1, GET), within: idle + close },
  'HTTP/2 idle after an answer, with PING': { over: 'h2', first: headers(1, GET), drip: [PING], within: idle + close },
}

describe('clients that take their time: THREATS HT-02, PS-10', {
  skip: !process.env['EDGEWARD_DEEP'] && 'they need a machine of their own: npm run test:deep',
}, () => {
  let credentials: Credentials
  let listener: Running
  /** the server's ends, by the port of the client's */
  const accepted = new Map<number, Socket>()
  before(async () => {
    credentials = await someCredentials()
    listener = await runListener({
      credentials,
      deadlines: SHORT,
      tls: { ...serverTls(credentials.server), handshakeTimeout: HANDSHAKE },
      admit: (socket) => accepted.set(socket.remotePort ?? 0, socket),
    })
  })
  after(() => listener.close())

  /** @returns milliseconds until the server had enough */
  async function endure({ over, first = '', drip = [], reads = true, stream }: Slow): Promise<number> {
    const socket = over === 'tcp' ? connect(listener.port, '127.0.0.1') : await listener.socket(over)
    socket.on('error', () => {})
    if (over === 'tcp') await once(socket, 'connect')
    const frames = socket instanceof TLSSocket && over === 'h2' ? new FrameSession(socket) : undefined
    if (reads) socket.resume()
    else socket.pause()
    const { localPort = 0 } = socket
    const from = performance.now()
    socket.write(first)
    let piece = 0
    const dripping = setInterval(() => socket.write(drip[Math.min(piece++, drip.length - 1)] ?? ''), 40)
    try {
      // A client that does not read does not see the end either: the server's end of it tells.
      const closed = () => socket.destroyed || accepted.get(localPort)?.destroyed
      const ended = () => (stream ? frames?.reset(1) !== undefined : closed())
      while (!ended() && performance.now() - from < 10_000) await new Promise((wait) => setTimeout(wait, 10))
      return performance.now() - from
    } finally {
      clearInterval(dripping)
      socket.destroy()
    }
  }

  test(`HT-02: ${EACH} of each of ${Object.keys(SLOW).length} kinds are closed in time, and honest requests are served meanwhile`, async () => {
    let going = true
    const peer = listener.peer()
    const honest = (async () => {
      const times: number[] = []
      while (going) {
        const from = performance.now()
        assert.equal((await peer.request({ method: 'GET', path: '/notes/v1/notes/1' })).status, 200)
        times.push(performance.now() - from)
        await new Promise((wait) => setTimeout(wait, 20))
      }
      return times
    })()
    const verdicts = Object.entries(SLOW).map(async ([name, slow]) => {
      const times = await Promise.all(Array.from({ length: EACH }, () => endure(slow)))
      const [best, worst] = [Math.min(...times), Math.max(...times)]
      // What ends at once was refused for another reason.
      const inTime = best >= 0.4 * slow.within && worst <= slow.within + SLACK
      return inTime ? [] : [`${name}: ${Math.round(best)} to ${Math.round(worst)} ms, not ${slow.within}`]
    })
    const late = (await Promise.all(verdicts)).flat()
    going = false
    const times = await honest
    peer.close()
    assert.deepEqual(late, [])
    assert.ok(times.length > 5)
    assert.ok(Math.max(...times) < 3_000, `an honest request took ${Math.max(...times)} ms`)
  })

  test('HT-02: a client in no hurry is served: every wait is shorter than its deadline', async () => {
    const socket = await listener.socket()
    let answered = ''
    socket.on('data', (part) => {
      answered += part
    })
    const message = `${BODY}Content-Length: 2\r\n\r\n{}`
    for (const part of [message.slice(0, 20), message.slice(20, -1), message.slice(-1)]) {
      socket.write(part)
      await new Promise((wait) => setTimeout(wait, 100))
    }
    assert.match(answered, /^HTTP\/1\.1 200 /)
    const session = new FrameSession(await listener.socket('h2'))
    session.send(headers(1, PUT, END_HEADERS))
    for (const part of ['{', '}']) {
      session.send(frame(FRAME.DATA, part === '}' ? END_STREAM : 0, 1, Buffer.from(part)))
      await new Promise((wait) => setTimeout(wait, 100))
    }
    assert.equal(session.status(1), 200)
    socket.destroy()
    session.socket.destroy()
  })

  test('HT-02: the deadlines are those of THREATS, unless told otherwise', () => {
    assert.deepEqual(DEADLINES, { head: 5_000, request: 10_000, answer: 30_000, idle: 60_000, close: 2_000 })
    assert.equal(serverTls(credentials.server).handshakeTimeout, 5_000)
  })
})
