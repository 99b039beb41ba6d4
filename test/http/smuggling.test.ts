import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { type Running, runListener } from './a-listener.ts'
import { NAME } from './credentials.ts'

/** A second request, hidden behind the first: it must never be served. */
const HIDDEN = `GET /notes/v1/notes/hidden HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
const HOST = `Host: ${NAME}\r\n`
const PUT = `PUT /notes/v1/notes/1 HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`

/** Where a message begins and ends can be read in two ways (RFC 9112 6.3, 11.2). */
const TWO_LENGTHS = [
  `${PUT}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  `${PUT}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n${HIDDEN}`,
  `${PUT}Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}${HIDDEN}`,
  `${PUT}Content-Length: 2, 60\r\n\r\n{}${HIDDEN}`,
  ...['+2', '-2', '0x2', '2 2', '2.0', '1e1', '٢', '2;', '"2"', '02x', '99999999999999999999999'].map(
    (length) => `${PUT}Content-Length: ${length}\r\n\r\n{}${HIDDEN}`,
  ),
  ...[
    'chunked, identity',
    'identity, chunked',
    'xchunked',
    'chunked, chunked',
    'gzip',
    '"chunked"',
    'chunked;q=1',
    '\x0bchunked',
  ].map((coding) => `${PUT}Transfer-Encoding: ${coding}\r\n\r\n2\r\n{}\r\n0\r\n\r\n${HIDDEN}`),
  `${PUT}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n${HIDDEN}`,
  `${PUT}Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${HIDDEN}`,
  `${PUT}Content-Length : 2\r\n\r\n{}${HIDDEN}`,
]

/** A size that is none, or ends that are none (RFC 9112 7.1). */
const BAD_CHUNKS = [
  ...['g', '-2', '+2', '0x2', '2 ', ' 2', '2.', 'ffffffffffffffffff', '', '2\t'].map(
    (size) => `${size}\r\n{}\r\n0\r\n\r\n`,
  ),
  '2\n{}\n0\n\n',
  '2\r\n{}0\r\n\r\n',
  '2\r\n{}\r0\r\n\r\n',
  '2;a\nb\r\n{}\r\n0\r\n\r\n',
  '1\r\n{}\r\n0\r\n\r\n',
].map((chunks) => `${PUT}Transfer-Encoding: chunked\r\n\r\n${chunks}${HIDDEN}`)

/** Lines that end early, go on, or hold what no line may hold (RFC 9112 2.2, 5; RFC 9110 5.5). */
const BAD_LINES = [
  `GET /notes/v1/notes/1 HTTP/1.1\n${HOST}\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\nX: y\r\n\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}X: a\r\n\tb\r\n\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\n X: a\r\n${HOST}\r\n${HIDDEN}`,
  ...['\0', '\r', '\x01', '\x7f'].map((bad) => `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}X: a${bad}b\r\n\r\n${HIDDEN}`),
  ...[' ', '\t', '\0', '(', '@', '[', '/', '"', '\x7f'].map(
    (bad) => `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}X${bad}Y: a\r\n\r\n${HIDDEN}`,
  ),
  `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}: empty\r\n\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}no colon\r\n\r\n${HIDDEN}`,
]

/** A first line that is not one (RFC 9112 3). */
const BAD_STARTS = [
  `GET\t/notes/v1/notes/1\tHTTP/1.1\r\n${HOST}\r\n${HIDDEN}`,
  ...['HTTP/1.2', 'HTTP/2.0', 'HTTP/3', 'http/1.1', 'HTTP/1.1x', 'HTP/1.1', ''].map(
    (version) => `GET /notes/v1/notes/1 ${version}\r\n${HOST}\r\n${HIDDEN}`,
  ),
  `get /notes/v1/notes/1 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`,
  `G(T /notes/v1/notes/1 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1\0 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 x HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00',
]

/** Whose request it is can be read in two ways (RFC 9112 3.2). */
const TWO_HOSTS = [
  `GET /notes/v1/notes/1 HTTP/1.1\r\n\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\n${HOST}Host: other.example.com\r\n\r\n${HIDDEN}`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: other.example.com\r\n\r\n`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}.other.example.com\r\n\r\n`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}@other.example.com\r\n\r\n`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}:1:2\r\n\r\n`,
  `GET /notes/v1/notes/1 HTTP/1.1\r\nHost:\r\n\r\n`,
]

const CORPUS = [...TWO_LENGTHS, ...BAD_CHUNKS, ...BAD_LINES, ...BAD_STARTS, ...TWO_HOSTS]

describe('HTTP/1.1 has one reading: RFC 9112', () => {
  let running: Running
  before(async () => {
    running = await runListener()
  })
  after(() => running.close())

  async function speak(octets: string): Promise<string> {
    const socket = await running.socket()
    let said = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      said += text
    })
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    socket.write(Buffer.from(octets, 'latin1'))
    // Whoever has half a message is not kept waiting here: the deadline for that has a test of its own.
    const hurry = setTimeout(() => socket.end(), 700)
    await closed.finally(() => clearTimeout(hurry))
    return said
  }

  test(`HT-03: ${CORPUS.length} raw messages: refused with a 4xx or cut off, and nothing behind them is served`, async () => {
    assert.ok(CORPUS.length >= 80)
    const outcomes = await Promise.all(CORPUS.map(async (message) => ({ message, said: await speak(message) })))
    for (const { message, said } of outcomes) {
      const statuses = [...said.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
      const label = JSON.stringify(message.slice(0, 140))
      assert.ok(statuses.length <= 1, `${label} was answered ${statuses}`)
      assert.ok(
        statuses.every((status) => status >= 400 && status < 500),
        `${label} was answered ${statuses}`,
      )
    }
    assert.deepEqual(
      running.handled.filter(({ request }) => request.params['noteId'] === 'hidden'),
      [],
    )
  })

  test('HT-03: honest messages are served, one after another, on one connection', async () => {
    const socket = await running.socket()
    socket.setEncoding('latin1')
    const honest = [`${PUT}Content-Length: 2\r\n\r\n{}`, `${PUT}Content-Length: 2\r\n\r\n{}`, HIDDEN]
    for (const message of honest) {
      socket.write(message)
      const [said] = (await once(socket, 'data')) as [string]
      assert.match(said, /^HTTP\/1\.1 200 /)
    }
    socket.destroy()
  })
})

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
