import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { after, before, describe, type TestContext, test } from 'node:test'
import { DEADLINES } from '../../src/http/deadlines.ts'
import { serverTls } from '../../src/tls/profile.ts'
import { type Running, runListener } from './a-listener.ts'
import { ConnectionLedger } from './connection-ledger.ts'
import { type Credentials, NAME, someCredentials } from './credentials.ts'
import { END_HEADERS, END_STREAM, FRAME, FrameSession, frame, headers, PUT } from './http2-frames.ts'
import { SLOW_CLIENTS, type SlowClient } from './slow-clients.ts'
import type { News, Order, Sight } from './slow-crowd.ts'

const DEEP = Boolean(process.env['EDGEWARD_DEEP'])
const EACH = DEEP ? 2_000 : 4
/** Milliseconds that each deadline gives that is missed. Two thousand shall all be there before the first has to go. */
const TIME = DEEP ? 15_000 : 1_500
/** No other deadline is in the way: neither of an honest client, nor of the verdict on a slow one. */
const PATIENT = { handshake: 120_000, head: 120_000, request: 120_000, answer: 120_000, idle: 120_000, close: 500 }
/** Node looks at the heads of HTTP/1.1 once a second; what is decided then takes some turns. */
const SLACK = 2_000
/** What ends before most of the first deadline is over was refused for another reason. */
const AT_LEAST = 0.7 * TIME
const HONEST = '/notes/v1/notes/honest'
/** Milliseconds for its handshake, and for its answer: how long it waits is for a figure, not for a verdict. */
const PATIENCE = 60_000

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds))

/** The process of the slow clients. */
class Crowd {
  readonly #process: ChildProcess
  readonly #orders = new Map<string, PromiseWithResolvers<News>>()

  constructor() {
    this.#process = fork(new URL('slow-crowd.ts', import.meta.url), { stdio: 'inherit' })
    this.#process.on('message', (news: News) => this.#orders.get(news.kind)?.resolve(news))
    this.#process.once('exit', (code) => {
      for (const { reject } of this.#orders.values()) reject(new Error(`the slow clients ended with ${code}`))
    })
  }

  /** Sends one order of a kind at a time. */
  async tell(order: Order): Promise<readonly Sight[]> {
    const carriedOut = Promise.withResolvers<News>()
    this.#orders.set(order.kind, carriedOut)
    this.#process.send(order, (error) => error && carriedOut.reject(error))
    return (await carriedOut.promise).seen
  }

  end(): void {
    this.#process.kill()
  }
}

/** Asks, each time as a new client, until told to stop. @returns the way to stop, and to hear how long each took */
function askHonestly(listener: Running) {
  let going = true
  const asking = (async () => {
    const times: number[] = []
    while (going) {
      const [peer, from] = [listener.peer({ connect: PATIENCE, content: 1_000 }), performance.now()]
      assert.equal((await peer.request({ method: 'GET', path: HONEST, patience: PATIENCE })).status, 200)
      times.push(performance.now() - from)
      peer.close()
      await pause(250)
    }
    return times
  })()
  return () => {
    going = false
    return asking
  }
}

/** Only the deadlines that are missed are short. */
async function aListener(credentials: Credentials, { misses, stream }: Pick<SlowClient, 'misses' | 'stream'>) {
  const deadlines = { ...PATIENT, ...Object.fromEntries(misses.map((deadline) => [deadline, TIME])) }
  const made = Promise.withResolvers<ConnectionLedger>()
  const listener = await runListener({
    credentials,
    deadlines,
    tls: { ...serverTls(credentials.server), handshakeTimeout: deadlines.handshake },
    prepare: (server) => made.resolve(new ConnectionLedger(server, stream ? 'stream' : 'connection', HONEST)),
  })
  return { listener, ledger: await made.promise }
}

describe('clients that take their time: THREATS HT-02, PS-10', { concurrency: DEEP ? 1 : 9 }, () => {
  let credentials: Credentials
  let crowd: Crowd
  /** by the kind of those that come: there before anybody comes, because it takes its time to start them */
  const listeners = new Map<string, Awaited<ReturnType<typeof aListener>>>()
  before(async () => {
    credentials = await someCredentials()
    for (const [kind, slow] of Object.entries(SLOW_CLIENTS)) listeners.set(kind, await aListener(credentials, slow))
    crowd = new Crowd()
    // While it starts, it takes the processor from those who shake hands.
    await crowd.tell({ kind: 'nobody', look: true })
  })
  after(async () => {
    crowd.end()
    await Promise.all([...listeners.values()].map(({ listener }) => listener.close()))
  })

  async function endure(kind: string, { misses, stream, reads }: SlowClient, context: TestContext) {
    const { listener, ledger } = listeners.get(kind) ?? assert.fail()
    const latest = misses.length * TIME + PATIENT.close + SLACK
    const stop = askHonestly(listener)
    await crowd.tell({ kind, count: EACH, port: listener.port, rootPem: credentials.rootPem, pace: TIME / 5 })
    // They have connected as soon as the kernel says so; accepted they are later.
    const going = () => ledger.stays.length < EACH || ledger.stays.some(({ over, awake }) => !over && awake <= latest)
    while (going()) await pause(50)
    const times = await stop()
    const { stays, most } = ledger
    const seen = await crowd.tell({ kind, look: true })

    const range = (values: readonly number[]) => [Math.min(...values), Math.max(...values)].map(Math.round).join(' to ')
    const ended = range(stays.map(({ milliseconds }) => milliseconds))
    context.diagnostic(
      `most at once ${most}; ended after ${ended} ms, ${latest} at the latest; honest requests took ${range(times)} ms`,
    )
    assert.equal(stays.length, EACH)
    const early = stays.filter(({ milliseconds }) => milliseconds < AT_LEAST)
    const late = stays.filter(({ over, awake }) => !over || awake > latest)
    assert.deepEqual({ early, late }, { early: [], late: [] })
    const sight: Sight = stream ? 'stream cancelled' : reads === false ? 'nothing' : 'connection closed'
    assert.deepEqual(seen, Array(EACH).fill(sight))
  }

  for (const [kind, slow] of Object.entries(SLOW_CLIENTS)) {
    test(`HT-02: ${EACH} clients with ${kind} are each ended in time, and honest ones are served meanwhile`, (context) =>
      endure(kind, slow, context))
  }

  test('HT-02: a client in no hurry is served: every wait is shorter than its deadline', async () => {
    const { listener } = await aListener(credentials, { misses: ['request'] })
    const socket = await listener.socket()
    let answered = ''
    socket.on('data', (part) => {
      answered += part
    })
    const head = `PUT /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\nContent-Type: application/json\r\n`
    const message = `${head}Content-Length: 2\r\n\r\n{}`
    for (const part of [message.slice(0, 20), message.slice(20, -1), message.slice(-1)]) {
      socket.write(part)
      await pause(100)
    }
    const session = new FrameSession(await listener.socket('h2'))
    session.send(headers(1, PUT, END_HEADERS))
    for (const part of ['{', '}']) {
      session.send(frame(FRAME.DATA, part === '}' ? END_STREAM : 0, 1, Buffer.from(part)))
      await pause(100)
    }
    assert.ok(await session.until(() => session.status(1) === 200 && answered.startsWith('HTTP/1.1 200 ')))
    socket.destroy()
    session.socket.destroy()
    await listener.close()
  })

  test('HT-02: the deadlines are those of THREATS, unless told otherwise', () => {
    assert.deepEqual(DEADLINES, { head: 5_000, request: 10_000, answer: 30_000, idle: 60_000, close: 2_000 })
    assert.equal(serverTls(credentials.server).handshakeTimeout, 5_000)
  })
})
