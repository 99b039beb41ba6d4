import { clientHello, VERSION } from '../tls/client-hello.ts'
import { NAME } from './credentials.ts'
import {
  END_HEADERS,
  END_STREAM,
  type Field,
  FRAME,
  fieldBlock,
  frame,
  GET,
  headers,
  PUT,
  setting,
  uint32,
} from './http2-frames.ts'

/** A kind of client that takes its time. */
export interface SlowClient {
  /** what it speaks; a TCP client does not get to the end of the handshake */
  readonly over: 'tcp' | 'http/1.1' | 'h2'
  /** sent at once */
  readonly first?: Buffer | string
  /** sent piece by piece, as long as the connection lasts; the last piece again and again */
  readonly drip?: readonly Buffer[]
  /** who does not read does not see the end either */
  readonly reads?: false
  /** the deadlines that it does not keep, one after the other */
  readonly misses: readonly ('handshake' | 'head' | 'request' | 'answer' | 'idle')[]
  /** HTTP/2: the stream ends, the connection goes on */
  readonly stream?: true
}

const octets = (text: string) => [...text].map((character) => Buffer.from(character, 'latin1'))
const path = (of: string): readonly Field[] => GET.map(([name, value]) => [name, name === ':path' ? of : value])

const HOST = `Host: ${NAME}\r\n`
const NOTE = `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}\r\n`
const BODY = `PUT /notes/v1/notes/1 HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`
const LARGE = `GET /large HTTP/1.1\r\n${HOST}\r\n`
const HELLO = clientHello({ version: VERSION['TLS 1.3'], suites: [0x1301] })
const PING = frame(FRAME.PING, 0, 0, Buffer.alloc(8))
const DATA = frame(FRAME.DATA, 0, 1, Buffer.from(' '))
const CONTINUATION = frame(FRAME.CONTINUATION, 0, 1, fieldBlock([['a', 'b']]))
const NO_WINDOW = frame(FRAME.SETTINGS, 0, 0, setting(4, 0))
const WIDE_WINDOWS = Buffer.concat([
  frame(FRAME.SETTINGS, 0, 0, setting(4, 2 ** 31 - 1)),
  frame(FRAME.WINDOW_UPDATE, 0, 0, uint32(2 ** 31 - 65_536)),
])
const LARGE_OVER_H2 = Buffer.concat([1, 3, 5].map((stream) => headers(stream, path('/large'))))

export const SLOW_CLIENTS: Readonly<Record<string, SlowClient>> = {
  'no ClientHello': { over: 'tcp', misses: ['handshake'] },
  'half a ClientHello': { over: 'tcp', first: HELLO.subarray(0, 60), misses: ['handshake'] },
  'a ClientHello octet by octet': {
    over: 'tcp',
    drip: [...HELLO].map((octet) => Buffer.from([octet])),
    misses: ['handshake'],
  },
  'a handshake that stops after the ClientHello': { over: 'tcp', first: HELLO, misses: ['handshake'] },
  'HTTP/1.1 without a request': { over: 'http/1.1', misses: ['head'] },
  'HTTP/1.1 with half a head': { over: 'http/1.1', first: `GET / HTTP/1.1\r\n${HOST}`, misses: ['head'] },
  'HTTP/1.1 head octet by octet': {
    over: 'http/1.1',
    drip: octets(`GET / HTTP/1.1\r\n${HOST}A: ${'a'.repeat(999)}`),
    // The first octet, and the others.
    misses: ['head', 'head'],
  },
  'HTTP/1.1 content that never comes': {
    over: 'http/1.1',
    first: `${BODY}Content-Length: 9\r\n\r\n`,
    misses: ['request'],
  },
  'HTTP/1.1 content octet by octet': {
    over: 'http/1.1',
    first: `${BODY}Content-Length: 9999\r\n\r\n`,
    drip: octets(' '),
    misses: ['request'],
  },
  'HTTP/1.1 chunk by chunk': {
    over: 'http/1.1',
    first: `${BODY}Transfer-Encoding: chunked\r\n\r\n`,
    drip: [Buffer.from('1\r\n \r\n')],
    misses: ['request'],
  },
  'HTTP/1.1 work that hangs': { over: 'http/1.1', first: `GET /never HTTP/1.1\r\n${HOST}\r\n`, misses: ['request'] },
  'HTTP/1.1 answers that are not read': {
    over: 'http/1.1',
    first: LARGE.repeat(20),
    reads: false,
    misses: ['request', 'answer'],
  },
  'HTTP/1.1 idle after an answer': { over: 'http/1.1', first: NOTE, misses: ['idle'] },
  'HTTP/1.1 second head that stops': { over: 'http/1.1', first: `${NOTE}GET /notes`, misses: ['head'] },
  'HTTP/2 without a request': { over: 'h2', misses: ['head'] },
  'HTTP/2 without a request, with PING': { over: 'h2', drip: [PING], misses: ['head'] },
  'HTTP/2 with half a frame': { over: 'h2', first: headers(1, GET).subarray(0, 20), misses: ['head'] },
  'HTTP/2 head in CONTINUATION': {
    over: 'h2',
    first: headers(1, GET, END_STREAM),
    drip: [CONTINUATION],
    misses: ['head'],
  },
  'HTTP/2 content that never comes': {
    over: 'h2',
    first: headers(1, PUT, END_HEADERS),
    misses: ['request'],
    stream: true,
  },
  'HTTP/2 content octet by octet': {
    over: 'h2',
    first: headers(1, PUT, END_HEADERS),
    drip: [DATA],
    misses: ['request'],
    stream: true,
  },
  'HTTP/2 work that hangs': { over: 'h2', first: headers(1, path('/never')), misses: ['request'], stream: true },
  'HTTP/2 answers without a window': {
    over: 'h2',
    first: Buffer.concat([NO_WINDOW, LARGE_OVER_H2]),
    misses: ['request', 'answer'],
  },
  'HTTP/2 answers without a window, with PING': {
    over: 'h2',
    first: Buffer.concat([NO_WINDOW, LARGE_OVER_H2]),
    drip: [PING],
    misses: ['request', 'answer'],
  },
  'HTTP/2 answers with the first window only': { over: 'h2', first: LARGE_OVER_H2, misses: ['request', 'answer'] },
  // What TCP has taken is sent, and the connection is idle then: when that is depends on its buffers.
  'HTTP/2 answer that is not read': {
    over: 'h2',
    first: Buffer.concat([WIDE_WINDOWS, headers(1, path('/large'))]),
    reads: false,
    misses: ['request', 'answer', 'idle'],
  },
  'HTTP/2 idle after an answer': { over: 'h2', first: headers(1, GET), misses: ['idle'] },
  'HTTP/2 idle after an answer, with PING': { over: 'h2', first: headers(1, GET), drip: [PING], misses: ['idle'] },
}
