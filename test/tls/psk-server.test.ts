import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pskServer } from '../../src/tls/psk-server.ts'
import { type Credentials, someCredentials } from '../http/credentials.ts'
import { type APskListener, aPskListener, IDENTITY, KEY } from './a-psk-listener.ts'
import {
  AES_128,
  AES_256,
  CHACHA20,
  KEY_UPDATE_REQUESTED,
  PSK_DHE_KE,
  PSK_KE,
  type RawConnection,
  type RawOffer,
  type RawOutcome,
  rawClientHello,
  rawHandshake,
  recordOf,
  type Ticket,
} from './raw-client.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const GOOD: RawOffer = { psks: [{ identity: IDENTITY, key: KEY }] }
/** As long as the known one, and of its form. */
const UNKNOWN = IDENTITY.replace(/kid\w{8}/, 'kid00000000')
const ALERT = {
  unexpectedMessage: 10,
  handshakeFailure: 40,
  illegalParameter: 47,
  decryptError: 51,
  protocolVersion: 70,
}

const wrongKey = () => randomBytes(32)

function established({ connection, alert }: RawOutcome): RawConnection {
  assert.ok(connection !== undefined, `alert ${alert}`)
  return connection
}

/** That the listener would let in whoever has a key, and does. */
async function letsIn(listener: APskListener, offer: RawOffer = GOOD): Promise<void> {
  const [secured, admitted] = [listener.secured.length, listener.admitted.length]
  const connection = established(await rawHandshake(listener.port, offer))
  assert.equal(connection.selected, 0)
  assert.match(await connection.get('/who'), /^HTTP\/1\.1 200 .*\{"peer":"e7c730c30a7901325/s)
  connection.close()
  assert.deepEqual([listener.secured.length, listener.admitted.length], [secured + 1, admitted + 1])
}

/** That none of these gets through a handshake. */
async function keepsOut(listener: APskListener, offers: Readonly<Record<string, RawOffer>>): Promise<void> {
  const secured = listener.secured.length
  for (const [name, offer] of Object.entries(offers)) {
    const { connection, alert } = await rawHandshake(listener.port, offer)
    connection?.close()
    assert.equal(connection, undefined, `${name}: the handshake succeeded`)
    assert.notEqual(alert, undefined, name)
    assert.equal(listener.secured.length, secured, name)
  }
}

/** What Node and OpenSSL make of a listener when nobody has read THREATS R1. */
const mixed = ({ server }: Credentials) => ({
  cert: server.certificateChain,
  key: server.privateKey,
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
  secureOptions: 0,
})

describe('a listener for TLS-PSK: THREATS R1 and R2, D-25', () => {
  let credentials: Credentials
  before(async () => {
    credentials = await someCredentials()
  })

  describe('nobody gets in beside the key', () => {
    const strangers: Record<string, RawOffer> = {
      'the wrong key, and AES-256 first': {
        suites: [AES_256, AES_128],
        psks: [{ identity: IDENTITY, key: wrongKey() }],
      },
      'an unknown identity, and AES-256 first': {
        suites: [AES_256, AES_128],
        psks: [{ identity: UNKNOWN, key: wrongKey() }],
      },
      'no key': { suites: [AES_256, AES_128] },
      'the wrong key': { psks: [{ identity: IDENTITY, key: wrongKey() }] },
      'an unknown identity': { psks: [{ identity: UNKNOWN, key: KEY }] },
      'an identity that goes on': { psks: [{ identity: `${IDENTITY}.`, key: KEY }] },
      'an identity longer than Node hands on': { psks: [{ identity: 'e'.repeat(300), key: KEY }] },
      'an identity that is not UTF-8': { psks: [{ identity: Buffer.alloc(100, 0xff), key: KEY }] },
      'an identity that begins with NUL': { psks: [{ identity: `\0${IDENTITY}`, key: KEY }] },
      'an empty identity': { psks: [{ identity: '', key: KEY }] },
      'an empty key': { psks: [{ identity: IDENTITY, key: Buffer.alloc(0) }] },
      'the binder of a ticket': { psks: [{ identity: IDENTITY, key: KEY, binder: 'res' }] },
      'the right key after a wrong one': { psks: [{ identity: UNKNOWN, key: wrongKey() }, ...(GOOD.psks ?? [])] },
      'AES-256 alone': { suites: [AES_256], psks: [{ identity: IDENTITY, key: KEY, hash: 'sha384' }] },
    }

    test('PS-01: wrong key with AES-256 first, unknown identity, no key: no connection, whatever is offered', async () => {
      await using listener = await aPskListener()
      await keepsOut(listener, strangers)
      await letsIn(listener)
      await letsIn(listener, { ...GOOD, suites: [CHACHA20, AES_128] })
    })

    test('PS-01: a listener that has a certificate as well fails this test', async () => {
      await using listener = await aPskListener({ tls: mixed(credentials) })
      await letsIn(listener)
      const [first] = Object.entries(strangers)
      await assert.rejects(keepsOut(listener, Object.fromEntries([first ?? assert.fail()])), /the handshake succeeded/)
      assert.equal(listener.lookedUp.at(-1), IDENTITY)
      // The client is done before the server is.
      while (listener.secured.length < 2) await delay(5)
      assert.equal(listener.admitted.length, 1, 'what the connection proves is looked at nevertheless')
    })
  })

  describe('no session is resumed', () => {
    /** A good session, and what the server leaves its client to come back with. */
    const ticketsOf = async (listener: APskListener, offer: RawOffer): Promise<Ticket[]> => {
      const connection = established(await rawHandshake(listener.port, offer))
      const tickets = await connection.tickets(200)
      connection.close()
      return tickets
    }
    const resumptions = (tickets: readonly Ticket[]): Record<string, RawOffer> =>
      Object.fromEntries(tickets.map((ticket, index) => [`ticket ${index}`, { psks: [{ ...ticket, binder: 'res' }] }]))

    test('PS-02: a ticket of a good session is worth nothing', async () => {
      await using listener = await aPskListener()
      const tickets = await ticketsOf(listener, GOOD)
      // OpenSSL hands out the name of a session even so, which nobody keeps; a ticket that holds one is longer.
      for (const { identity } of tickets) assert.equal(identity.length, 32)
      await keepsOut(listener, resumptions(tickets))
      await letsIn(listener)
    })

    test('PS-02: a listener that hands out tickets, and has no key for nobody, fails this test', async () => {
      const pskCallback = (_socket: unknown, identity: string) => (identity === IDENTITY ? KEY : null)
      await using listener = await aPskListener({ atOnce: false, tls: { secureOptions: 0, pskCallback } })
      const tickets = await ticketsOf(listener, GOOD)
      assert.ok(tickets.length > 0)
      await assert.rejects(keepsOut(listener, resumptions(tickets)), /the handshake succeeded/)
      assert.deepEqual(listener.lookedUp, [], 'a resumed session asks for no key')
    })

    /** The identity of another, its key unknown, before a ticket of one's own. */
    const behindAnother = ({ identity, key, hash }: Ticket): Record<string, RawOffer> => {
      const victim = { identity: IDENTITY, key: wrongKey() }
      const ticket = { identity, key, hash }
      const offers = (['ext', 'res'] as const).flatMap((first) =>
        (['ext', 'res'] as const).map((second): [string, RawOffer] => {
          const psks = [
            { ...victim, binder: first },
            { ...ticket, binder: second },
          ] as const
          return [`${first} binder, then ${second} binder`, { suites: [AES_256, AES_128], psks }]
        }),
      )
      return Object.fromEntries(offers)
    }

    test('PS-02: the identity of a victim before one’s own ticket hides nothing', async () => {
      await using listener = await aPskListener({ keys: { [IDENTITY]: KEY, own: Buffer.from(KEY).reverse() } })
      const tickets = await ticketsOf(listener, { psks: [{ identity: 'own', key: Buffer.from(KEY).reverse() }] })
      const anyTicket = { identity: randomBytes(32), key: wrongKey(), hash: 'sha384', age: 0 } as const
      for (const ticket of [...tickets, anyTicket]) await keepsOut(listener, behindAnother(ticket))
      await letsIn(listener)
    })

    test('PS-02: a listener with a certificate and tickets fails this test, and a careless look at it too', async () => {
      await using listener = await aPskListener({ atOnce: false, tls: mixed(credentials) })
      const [ticket] = await ticketsOf(listener, { suites: [AES_256, AES_128] })
      assert.ok(ticket !== undefined)
      await assert.rejects(keepsOut(listener, behindAnother(ticket)), /the handshake succeeded/)
      // Behind an identity that it has asked for, OpenSSL takes a ticket for a key of that kind.
      const offer = behindAnother(ticket)['ext binder, then ext binder'] ?? assert.fail()
      const outcome = established(await rawHandshake(listener.port, offer))
      const answer = await outcome.get('/who')
      const socket = listener.secured.at(-1) ?? assert.fail()
      // Asked for the victim, and a resumed session: that is all that many servers look at.
      assert.deepEqual([listener.lookedUp.at(-1), socket.isSessionReused()], [IDENTITY, true])
      assert.match(answer, /^HTTP\/1\.1 401 /)
      outcome.close()
    })
  })

  describe('who has a key is not told', () => {
    test('PS-03: an unknown identity and a wrong key get the same octets', async () => {
      await using listener = await aPskListener()
      const answers = new Map<string, string>()
      const offers = {
        'a wrong key': { psks: [{ identity: IDENTITY, key: wrongKey() }] },
        'an unknown identity': { psks: [{ identity: UNKNOWN, key: wrongKey() }] },
        'an unknown identity and the key of another': { psks: [{ identity: UNKNOWN, key: KEY }] },
        'a short identity': { psks: [{ identity: 'x', key: wrongKey() }] },
        'a wrong key among other suites': { suites: [CHACHA20], psks: [{ identity: IDENTITY, key: wrongKey() }] },
        'an unknown identity among other suites': { suites: [CHACHA20], psks: [{ identity: UNKNOWN, key: KEY }] },
      }
      for (const [name, offer] of Object.entries(offers)) {
        const { alert, received } = await rawHandshake(listener.port, offer)
        assert.equal(alert, ALERT.decryptError, name)
        answers.set(received.toString('hex'), name)
      }
      assert.deepEqual([...answers.keys()], ['15030300020233'])
    })

    test('PS-03: a listener that has no key for nobody fails this test', async () => {
      await using listener = await aPskListener({
        tls: { pskCallback: (_socket, id) => (id === IDENTITY ? KEY : null) },
      })
      const [known, unknown] = [
        await rawHandshake(listener.port, { psks: [{ identity: IDENTITY, key: wrongKey() }] }),
        await rawHandshake(listener.port, { psks: [{ identity: UNKNOWN, key: wrongKey() }] }),
      ]
      assert.notDeepEqual(known.received, unknown.received)
    })

    test('PS-03: the log tells it no more than the wire', async () => {
      await using listener = await aPskListener()
      for (const identity of [IDENTITY, UNKNOWN])
        await rawHandshake(listener.port, { psks: [{ identity, key: wrongKey() }] })
      const reasons = listener.lines.map((line) => JSON.parse(line).reason)
      assert.deepEqual(reasons, ['ERR_SSL_BINDER_DOES_NOT_VERIFY', 'ERR_SSL_BINDER_DOES_NOT_VERIFY'])
    })
  })

  describe('nothing weaker is spoken', () => {
    test('PS-05: psk_ke is refused, and a good handshake has a key share', async () => {
      await using listener = await aPskListener()
      await keepsOut(listener, {
        'psk_ke alone': { ...GOOD, modes: [PSK_KE] },
        'psk_ke alone, without a key share': { ...GOOD, modes: [PSK_KE], withoutKeyShare: true },
        'no mode': { ...GOOD, modes: [] },
        'an unknown mode': { ...GOOD, modes: [7] },
      })
      const connection = established(await rawHandshake(listener.port, { ...GOOD, modes: [PSK_KE, PSK_DHE_KE] }))
      assert.ok(connection.extensions.has(51), 'ServerHello has a key share')
      connection.close()
    })

    test('PS-08: TLS 1.2 and older, and compression, are refused', async () => {
      await using listener = await aPskListener()
      // ECDHE-PSK and DHE-PSK of RFC 5489 and RFC 5487, PSK alone, and what a certificate would need.
      const suites = [0xc037, 0xccac, 0x00aa, 0x00a8, 0xc02b, 0xc02f]
      for (const version of [0x0303, 0x0302, 0x0301]) {
        const { alert } = await rawHandshake(listener.port, { ...GOOD, versions: [version], suites })
        assert.equal(alert, ALERT.protocolVersion)
      }
      const { alert } = await rawHandshake(listener.port, { ...GOOD, compression: [1, 0] })
      assert.equal(alert, ALERT.illegalParameter)
      assert.equal(listener.secured.length, 0)
      await letsIn(listener, { ...GOOD, versions: [0x0303, 0x0304] })
    })

    test('PS-08: a handshake within a connection ends it', async () => {
      await using listener = await aPskListener()
      const connection = established(await rawHandshake(listener.port, GOOD))
      const again = rawClientHello(GOOD, generateKeyPairSync('x25519').publicKey)
      assert.equal(await connection.say(again), ALERT.unexpectedMessage)
    })

    test('PS-08: early data is not taken', async () => {
      await using listener = await aPskListener()
      const earlyData = 'GET /early HTTP/1.1\r\nHost: x\r\n\r\n'
      const connection = established(await rawHandshake(listener.port, { ...GOOD, earlyData }))
      assert.ok(!connection.extensions.has(42), 'early data is not accepted')
      assert.match(await connection.get('/who'), /^HTTP\/1\.1 200 /)
      connection.close()
      const answered = listener.lines.filter((line) => line.includes('answered'))
      assert.equal(answered.length, 1, 'the early request was never read')
    })

    test('PS-08: a flood of KeyUpdate disturbs nobody, and keeps no connection open', async () => {
      await using listener = await aPskListener({ deadlines: { idle: 800 } })
      const flooder = established(await rawHandshake(listener.port, GOOD))
      assert.match(await flooder.get('/who'), /^HTTP\/1\.1 200 /)
      const socket = listener.secured[0] ?? assert.fail()
      const closed = new Promise((resolve) => socket.once('close', resolve))
      const flood = (async () => {
        while (!socket.destroyed) await flooder.say(KEY_UPDATE_REQUESTED, 500)
      })()
      const durations = await honest(listener, 20)
      if (DEEP) assert.ok((durations[10] ?? 0) < 500, `${durations} ms`)
      const late = delay(10_000, undefined, { ref: false }).then(() => assert.fail('it is still open'))
      await Promise.race([closed, late])
      await flood
      flooder.close()
    })
  })

  describe('keys that are none', () => {
    test('PS-09: 0, 1, 31, 33 and 64 octets, and octets that are all the same, open nothing', async () => {
      const bad = [1, 31, 33, 64].map((length) => randomBytes(length)).concat(Buffer.alloc(32), Buffer.alloc(32, 0xff))
      for (const key of [...bad, Buffer.alloc(0)]) {
        await using listener = await aPskListener({ keys: { [IDENTITY]: key } })
        await keepsOut(listener, { [`${key.length} octets`]: { psks: [{ identity: IDENTITY, key }] } })
        assert.deepEqual(listener.lookedUp, [IDENTITY])
      }
    })
  })

  describe('half a handshake', () => {
    /** Ways to begin and not to go on. */
    const beginnings: Record<string, (socket: Socket, hello: Buffer) => void> = {
      nothing: () => {},
      'half a ClientHello': (socket, hello) => void socket.write(hello.subarray(0, 100)),
      'the header of a record of 16 KiB': (socket) => void socket.write(Buffer.from([22, 3, 1, 0x40, 0])),
      'a ClientHello octet by octet': (socket, hello) => void drip(socket, hello, 1, 20),
      'a ClientHello, and no Finished': (socket, hello) => void socket.write(hello),
    }

    test('PS-10: half-open handshakes are all closed in time, and honest ones go through meanwhile', async () => {
      const [each, limit] = DEEP ? [400, 5_000] : [10, 1_500]
      await using listener = await aPskListener({ tls: { handshakeTimeout: limit } })
      const sockets = Object.values(beginnings).flatMap((begin) =>
        Array.from({ length: each }, () => {
          const socket = connect({ port: listener.port, host: '127.0.0.1', noDelay: true })
          const hello = recordOf(rawClientHello(GOOD, generateKeyPairSync('x25519').publicKey))
          socket
            .on('error', () => {})
            .on('connect', () => begin(socket, hello))
            .resume()
          // The server may reset those that are still writing.
          const closed = new Promise((resolve) => socket.once('close', resolve))
          return { connected: once(socket, 'connect'), closed }
        }),
      )
      await Promise.all(sockets.map(({ connected }) => connected))
      const durations = await honest(listener, DEEP ? 200 : 10)
      const slow = durations[Math.floor(durations.length * 0.99)] ?? 0
      if (DEEP) assert.ok(slow <= 200, `${durations.slice(-5)} ms`)
      const late = delay(limit + 10_000, undefined, { ref: false }).then(() => assert.fail('one is still open'))
      await Promise.race([Promise.all(sockets.map(({ closed }) => closed)), late])
      assert.ok(!listener.lines.some((line) => line.includes('unexpected')))
    })

    test('PS-10: a handshake has five seconds', () => {
      const { tls } = pskServer({ keyOf: () => undefined, isGoodNow: () => false, dummySecret: randomBytes(32) })
      assert.equal(tls.handshakeTimeout, 5_000)
    })

    test('PS-10: a ClientHello of 16 KiB is read whole, in small pieces too', async () => {
      await using listener = await aPskListener()
      const send = (socket: Socket, octets: Buffer) => void drip(socket, octets, 64, 0)
      await letsIn(listener, { ...GOOD, padding: 15_500, send })
    })
  })
})

/** @returns how long honest clients need from connect to answer, sorted, in milliseconds */
async function honest(listener: APskListener, times: number): Promise<number[]> {
  const durations: number[] = []
  for (let time = 0; time < times; time += 1) {
    const start = performance.now()
    const { connection } = await rawHandshake(listener.port, GOOD)
    assert.match((await connection?.get('/who')) ?? '', /^HTTP\/1\.1 200 /)
    durations.push(performance.now() - start)
    connection?.close()
  }
  return durations.sort((a, b) => a - b)
}

async function drip(socket: Socket, octets: Buffer, step: number, pause: number): Promise<void> {
  for (let at = 0; at < octets.length && !socket.destroyed; at += step) {
    socket.write(octets.subarray(at, at + step))
    await delay(pause, undefined, { ref: false })
  }
}
