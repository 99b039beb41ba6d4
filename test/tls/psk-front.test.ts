import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { LONGEST_CLIENT_HELLO } from '../../src/tls/client-hello.ts'
import { type APskListener, aPskListener, IDENTITY, KEY } from './a-psk-listener.ts'
import { AES_128, AES_256, type RawOffer, rawClientHello, rawHandshake, recordOf } from './raw-client.ts'

const GOOD: RawOffer = { psks: [{ identity: IDENTITY, key: KEY }] }
const UNKNOWN = IDENTITY.replace(/kid\w{8}/, 'kid00000000')
const DECRYPT_ERROR = '15030300020233'

const aHello = (offer = GOOD) => rawClientHello(offer, generateKeyPairSync('x25519').publicKey)

/** A listener that has no key until one is fetched: that of {@link IDENTITY}, unless told otherwise. */
async function aWaitingListener(fetch?: () => Promise<void>, patience?: number) {
  const fetched: string[] = []
  const listener: APskListener = await aPskListener({
    keys: {},
    front: {
      mayBegin: () => true,
      async fetchKey(identity, address) {
        assert.equal(address, '127.0.0.1')
        fetched.push(identity)
        await fetch?.()
        if (identity === IDENTITY) listener.kept.set(identity, { identity, key: createSecretKey(KEY) })
      },
      ...(patience !== undefined && { patience }),
    },
  })
  return Object.assign(listener, { fetched })
}

async function letsIn({ port }: APskListener, offer: RawOffer = GOOD): Promise<void> {
  const { connection, alert } = await rawHandshake(port, offer)
  assert.match((await connection?.get('/who')) ?? `alert ${alert}`, /^HTTP\/1\.1 200 .*\{"peer":"e7c730c30a7901325/s)
  connection?.close()
}

const inPieces = (size: number) => (socket: Socket, octets: Buffer) => {
  for (let at = 0; at < octets.length; at += size) socket.write(octets.subarray(at, at + size))
}

/** The same message, in so many records. */
const inRecords = (count: number) => (socket: Socket, octets: Buffer) => {
  const message = octets.subarray(5)
  const size = Math.ceil(message.length / count)
  for (let at = 0; at < message.length; at += size) socket.write(recordOf(message.subarray(at, at + size)))
}

describe('a handshake that waits for its key: D-23, THREATS section 0 fact 6', () => {
  test('RFC 8446 4.2.11: the key comes while the handshake waits, and is proven like any other', async () => {
    await using listener = await aWaitingListener()
    await letsIn(listener)
    assert.deepEqual([listener.fetched, listener.admitted], [[IDENTITY], [IDENTITY]])
  })

  test('PS-10: a ClientHello octet by octet, of 16 KiB, or in 16 records, is put back as it came', async () => {
    await using listener = await aWaitingListener()
    await letsIn(listener, { ...GOOD, send: inPieces(1) })
    await letsIn(listener, { ...GOOD, padding: 15_500, send: inPieces(1_000) })
    await letsIn(listener, { ...GOOD, send: inRecords(16) })
    assert.equal(listener.fetched.length, 3)
  })

  test('PS-10: one that is too long, in too many records, or of another form fetches nothing and meets the same TLS', async () => {
    await using listener = await aWaitingListener()
    await using plain = await aPskListener({ keys: {} })
    const offers: Record<string, RawOffer> = {
      'too long': { ...GOOD, padding: LONGEST_CLIENT_HELLO },
      'in too many records': { ...GOOD, send: inRecords(17) },
      'two identities': { psks: [...(GOOD.psks ?? []), { identity: UNKNOWN, key: KEY }] },
      'no identity': {},
      'an empty identity': { psks: [{ identity: '', key: KEY }] },
      'TLS 1.2': { ...GOOD, versions: [0x0303] },
      'no TLS': { ...GOOD, send: (socket) => void socket.write('GET / HTTP/1.1\r\n\r\n') },
    }
    for (const [name, offer] of Object.entries(offers)) {
      const [waited, met] = [await rawHandshake(listener.port, offer), await rawHandshake(plain.port, offer)]
      assert.deepEqual(waited, met, name)
      assert.equal(waited.connection, undefined, name)
    }
    assert.deepEqual([listener.fetched, listener.secured], [[], []])
    await letsIn(listener)
  })

  test('PS-01, PS-03: whoever has no key gets no connection, and the same octets as everybody', async () => {
    await using listener = await aWaitingListener()
    const key = randomBytes(32)
    const strangers: RawOffer[] = [
      { psks: [{ identity: IDENTITY, key }] },
      { psks: [{ identity: IDENTITY, key }], suites: [AES_256, AES_128] },
      { psks: [{ identity: UNKNOWN, key }] },
      { psks: [{ identity: UNKNOWN, key: KEY }] },
    ]
    for (const offer of strangers) {
      const { connection, received } = await rawHandshake(listener.port, offer)
      assert.deepEqual([connection, received.toString('hex')], [undefined, DECRYPT_ERROR])
    }
    assert.equal(listener.secured.length, 0)
  })

  test('PS-10: a fetch that does not end holds nobody else up, and its own connection no longer than it may', async () => {
    const hung: (() => void)[] = []
    let isSlow = true
    const fetch = () => (isSlow ? new Promise<void>((resolve) => void hung.push(resolve)) : Promise.resolve())
    await using listener = await aWaitingListener(fetch, 500)
    const waiting = rawHandshake(listener.port, GOOD)
    while (hung.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    isSlow = false
    await letsIn(listener)
    const { connection, received } = await waiting
    assert.deepEqual([connection, received.length], [undefined, 0])
    // The key that comes too late finds nobody.
    for (const end of hung) end()
    await letsIn(listener)
  })

  test('PS-10: half a ClientHello, or nothing, is closed in time', async () => {
    await using listener = await aWaitingListener(undefined, 300)
    const hello = recordOf(aHello())
    const beginnings = [Buffer.alloc(0), hello.subarray(0, 1), hello.subarray(0, -1)]
    const closed = beginnings.map((octets) => {
      const socket = connect(listener.port, '127.0.0.1').on('error', () => {})
      socket.resume().write(octets)
      return new Promise((resolve) => socket.once('close', resolve))
    })
    await Promise.all(closed)
    assert.deepEqual(listener.fetched, [])
  })

  test('a client that leaves while its key is fetched, or before, disturbs nobody', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await using listener = await aWaitingListener(() => promise)
    const leaver = connect(listener.port, '127.0.0.1').on('error', () => {})
    leaver.write(recordOf(aHello()))
    const early = connect(listener.port, '127.0.0.1').resume()
    const left = new Promise((resolve) => early.on('error', () => {}).once('close', resolve))
    early.end(recordOf(aHello()).subarray(0, 50))
    while (listener.fetched.length === 0) await new Promise((done) => setTimeout(done, 5))
    leaver.resetAndDestroy()
    await left
    resolve()
    await letsIn(listener)
    assert.equal(listener.secured.length, 1)
  })

  test('a fetch that fails ends its own connection and no other', async () => {
    let isBroken = true
    await using listener = await aWaitingListener(async () => {
      if (isBroken) throw new Error('unforeseen')
    })
    const { connection, received } = await rawHandshake(listener.port, GOOD)
    assert.deepEqual([connection, received.length], [undefined, 0])
    isBroken = false
    await letsIn(listener)
  })

  test('PS-10: a source that begins too many handshakes is cut off before any of them, and no other source is', async () => {
    const begun: unknown[] = []
    const mayBegin = (address: string | undefined) => address !== '127.0.0.1' || begun.push(address) <= 2
    await using listener = await aPskListener({ front: { mayBegin } })
    for (const _ of [1, 2]) await letsIn(listener)
    const { connection, received } = await rawHandshake(listener.port, GOOD)
    assert.deepEqual([connection, received.length], [undefined, 0])
    await letsIn(listener, { ...GOOD, localAddress: '127.0.0.2' })
    assert.equal(listener.lookedUp.length, 3)
  })

  test('a listener closes while handshakes wait', async () => {
    const listener = await aWaitingListener(() => new Promise(() => {}))
    const waiting = rawHandshake(listener.port, GOOD)
    while (listener.fetched.length === 0) await new Promise((done) => setTimeout(done, 5))
    await Promise.all([listener.close(), waiting])
    assert.equal((await waiting).connection, undefined)
  })
})
