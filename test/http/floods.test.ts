import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Running, runListener } from './a-listener.ts'
import {
  ACK,
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
  uint32,
} from './http2-frames.ts'

const DEEP = Boolean(process.env['EDGEWARD_DEEP'])
/** By the clock where there is a machine for it; otherwise by frames, so that a busy one floods as long. */
const DURATION = DEEP ? 60_000 : 30_000
const framesOf = ({ harmless = false }: Flood) => (DEEP ? Number.POSITIVE_INFINITY : harmless ? 2_000 : 20_000)
const MEGABYTE = 1_000_000

interface Flood {
  /** before the flood */
  readonly first?: Buffer
  /** the frames with which it goes on */
  readonly next: (index: number) => Buffer
  /** whether the client reads what is answered */
  readonly reads?: boolean
  /** whether there is nothing to be angry about, so that the connection may stay */
  readonly harmless?: boolean
}

const open = (stream: number, fields: readonly Field[] = PUT) => headers(stream, fields, END_HEADERS)
const stream = (index: number) => 2 * index + 1
const PING = frame(FRAME.PING, 0, 0, Buffer.alloc(8))
const SETTINGS = frame(FRAME.SETTINGS, 0, 0, setting(3, 100))
/** Fields of 4 KiB, of which all but the first take one octet (RFC 7541 6.1). */
const BOMB = Buffer.concat([
  fieldBlock(GET),
  Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]),
  Buffer.alloc(4_000, 'b'),
  Buffer.alloc(60, 0xbe),
])

const FLOODS: Readonly<Record<string, Flood>> = {
  'rapid reset': {
    next: (index) => Buffer.concat([headers(stream(index), GET), frame(FRAME.RST_STREAM, 0, stream(index), uint32(8))]),
  },
  'rapid reset of content': {
    next: (index) => Buffer.concat([open(stream(index)), frame(FRAME.RST_STREAM, 0, stream(index), uint32(8))]),
  },
  'making the server reset': {
    next: (index) => Buffer.concat([open(stream(index)), frame(FRAME.WINDOW_UPDATE, 0, stream(index), uint32(0))]),
  },
  'malformed requests': { next: (index) => headers(stream(index), [...GET, ['connection', 'x']]) },
  'more streams than allowed': { next: (index) => open(stream(index)) },
  PING: { next: () => PING },
  'PING, nothing read': { next: () => PING, reads: false },
  SETTINGS: { next: () => SETTINGS },
  'SETTINGS, nothing read': { next: () => SETTINGS, reads: false },
  'acknowledgements of nothing': { next: () => frame(FRAME.SETTINGS, ACK, 0) },
  PRIORITY: {
    next: (index) => frame(FRAME.PRIORITY, 0, stream(index), Buffer.concat([uint32(0), Buffer.from([1])])),
  },
  'unknown frames': { next: () => frame(77, 0, 0, Buffer.alloc(8)) },
  WINDOW_UPDATE: { next: () => frame(FRAME.WINDOW_UPDATE, 0, 0, uint32(1)), harmless: true },
  'empty DATA': { first: open(1), next: () => frame(FRAME.DATA, 0, 1) },
  'DATA of padding': { first: open(1), next: () => frame(FRAME.DATA, 8, 1, Buffer.from([0])) },
  CONTINUATION: {
    first: headers(1, GET, END_STREAM),
    next: () => frame(FRAME.CONTINUATION, 0, 1, fieldBlock([['a', 'b']])),
  },
  'empty CONTINUATION': { first: headers(1, GET, END_STREAM), next: () => frame(FRAME.CONTINUATION, 0, 1) },
  'HPACK bomb': {
    next: (index) => frame(FRAME.HEADERS, END_STREAM | END_HEADERS, stream(index), BOMB),
    harmless: true,
  },
}

describe('floods over HTTP/2: RFC 9113 10.5', () => {
  let listener: Running
  before(async () => {
    listener = await runListener()
  })
  after(() => listener.close())

  /** Asks again and again until told to stop. @returns how many were served, and how many not */
  const honestRequests = () => {
    let [going, served, failed] = [true, 0, 0]
    const peer = listener.peer()
    const asking = (async () => {
      while (going) {
        const { status } = await peer
          .request({ method: 'GET', path: '/notes/v1/notes/honest' })
          .catch(() => ({ status: 0 }))
        if (status === 200) served++
        else failed++
        await new Promise((wait) => setTimeout(wait, 5))
      }
      peer.close()
    })()
    return async () => {
      going = false
      await asking
      return { served, failed }
    }
  }

  const pour = async (flood: Flood): Promise<FrameSession> => {
    const { first, next, reads = true } = flood
    const session = new FrameSession(await listener.socket('h2'))
    if (!reads) session.socket.pause()
    if (first !== undefined) session.send(first)
    const [end, frames] = [performance.now() + DURATION, framesOf(flood)]
    for (let index = 0; !session.closed && performance.now() < end && index < frames; index += 50) {
      const more = session.send(...Array.from({ length: 50 }, (_, step) => next(index + step)))
      await new Promise((wait) => (more ? setImmediate(wait) : setTimeout(wait, 5)))
    }
    return session
  }

  for (const [name, flood] of Object.entries(FLOODS)) {
    test(`HT-01: ${name}: the connection ends, and others are served`, async () => {
      const stop = honestRequests()
      const before = process.memoryUsage().rss
      const session = await pour(flood)
      const ended = flood.harmless || (await session.until(() => session.closed))
      const grown = process.memoryUsage().rss - before
      session.socket.destroy()
      const { served, failed } = await stop()
      assert.ok(ended, 'the connection is still open')
      assert.ok(served > 0)
      assert.equal(failed, 0)
      assert.ok(grown < 100 * MEGABYTE, `${grown} octets more`)
      assert.ok(listener.handled.length <= 400 + served, `${listener.handled.length} requests were worked on`)
      listener.handled.length = 0
    })
  }

  test('HT-01: 32 connections with 100 held streams each: all streams end in time, and others are served', async () => {
    const patient = await runListener({ deadlines: { request: 1_000 } })
    const before = process.memoryUsage().rss
    const sessions = await Promise.all(
      Array.from({ length: 32 }, async () => new FrameSession(await patient.socket('h2'))),
    )
    for (const session of sessions) {
      session.send(...Array.from({ length: 100 }, (_, index) => open(stream(index))))
    }
    const peer = patient.peer()
    for (let request = 0; request < 20; request++) {
      assert.equal((await peer.request({ method: 'GET', path: '/notes/v1/notes/honest' })).status, 200)
    }
    const resets = (session: FrameSession) => session.received.filter(({ type }) => type === FRAME.RST_STREAM).length
    for (const session of sessions) {
      assert.ok(await session.until(() => resets(session) === 100), `${resets(session)} streams ended`)
    }
    assert.ok(process.memoryUsage().rss - before < 100 * MEGABYTE)
    // The same connection is good for an honest request afterwards.
    sessions[0]?.send(headers(stream(100), GET))
    assert.ok(await sessions[0]?.until(() => sessions[0]?.status(stream(100)) === 200))
    peer.close()
    for (const session of sessions) session.socket.destroy()
    await patient.close()
  })

  test('HT-01: 100 streams at a time are served, and the next ones after them', async () => {
    const peer = listener.peer()
    await peer.request({ method: 'GET', path: '/notes/v1/notes/first' })
    const asked = Array.from({ length: 500 }, (_, note) =>
      peer.request({ method: 'GET', path: `/notes/v1/notes/${note}` }),
    )
    const statuses = new Set((await Promise.all(asked)).map(({ status }) => status))
    assert.deepEqual([...statuses], [200])
    peer.close()
  })
})
