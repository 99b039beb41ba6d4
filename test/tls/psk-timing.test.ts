import assert from 'node:assert/strict'
import crypto, { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { describe, mock, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type KeptKey, pskServer } from '../../src/tls/psk-server.ts'
import { rankSum } from '../rank-sum.ts'
import { aPskListener, IDENTITY, KEY } from './a-psk-listener.ts'
import { rawClientHello, recordOf } from './raw-client.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const onlyDeep = { skip: !DEEP && 'it needs a machine of its own: npm run test:deep' }

const identityOf = (index: number) => IDENTITY.replace(/kid\w{8}/, `kid${index.toString(16).padStart(8, '0')}`)
const wrongKey = () => randomBytes(32)

type Callback = (socket: TLSSocket, identity: string) => Uint8Array | null

describe('what a listener for TLS-PSK does for an identity: THREATS PS-04', () => {
  /** Every operation on keys that a handshake causes, in order, and the length of the key that comes of it. */
  function workOf(change: (own: Callback) => Callback = (own) => own) {
    const kept: KeptKey = { key: createSecretKey(KEY) }
    const work: string[] = []
    const record =
      <Arguments extends unknown[], Result>(name: string, operation: (...args: Arguments) => Result) =>
      (...args: Arguments): Result => {
        work.push(name)
        return operation(...args)
      }
    const keyOf = record('look up', (identity: string) => (identity === IDENTITY ? kept : undefined))
    const { tls } = pskServer({ keyOf, isGoodNow: () => true, dummySecret: randomBytes(32) })
    const callback = change((tls as { pskCallback: Callback }).pskCallback)
    return (identity: string) => {
      work.length = 0
      const hmac = mock.method(crypto, 'createHmac', record('HMAC', crypto.createHmac))
      const secretKey = Object.getPrototypeOf(kept.key) as { export(): Buffer }
      const { export: original } = secretKey
      const exported = mock.method(secretKey, 'export', function (this: unknown) {
        work.push('export')
        return original.call(this as typeof secretKey)
      })
      syncBuiltinESMExports()
      try {
        const key = callback({} as TLSSocket, identity)
        return [...work, `${key?.length} octets`]
      } finally {
        hmac.mock.restore()
        exported.mock.restore()
        syncBuiltinESMExports()
      }
    }
  }

  test('PS-04: the same work for a known identity and an unknown one, whatever it looks like', () => {
    const work = workOf()
    const expected = ['HMAC', 'look up', 'export', 'export', '32 octets']
    for (const identity of [IDENTITY, identityOf(1), 'x', 'e'.repeat(256)]) {
      assert.deepEqual(work(identity), expected, identity)
    }
  })

  test('PS-04: a listener that does less for those it does not know, or for those it knows, fails this test', () => {
    const careless: Record<string, (own: Callback) => Callback> = {
      'no key for nobody': (own) => (socket, identity) => (identity === IDENTITY ? own(socket, identity) : null),
      'a dummy only where it is needed': () => (_, identity) =>
        identity === IDENTITY ? KEY : crypto.createHmac('sha256', KEY).update(identity).digest(),
      'a shorter dummy': (own) => (socket, identity) =>
        identity === IDENTITY ? own(socket, identity) : (own(socket, identity) ?? KEY).subarray(16),
    }
    for (const [name, change] of Object.entries(careless)) {
      const work = workOf(change)
      assert.notDeepEqual(work(IDENTITY), work(identityOf(1)), name)
    }
  })
})

describe('how long a listener for TLS-PSK takes to refuse: THREATS PS-04', () => {
  /** As many identities as are known, each with ClientHellos for them and for as many that nobody has. */
  const manyKeys = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [identityOf(index), wrongKey()]))
  const helloFor = (identity: string) =>
    recordOf(rawClientHello({ psks: [{ identity, key: wrongKey() }] }, generateKeyPairSync('x25519').publicKey))

  /** @returns how an attacker that measures tells known identities from unknown ones */
  async function measure(port: number, pairs: number) {
    const [known, unknown] = [0, 64].map((from) => Array.from({ length: 64 }, (_, i) => helloFor(identityOf(from + i))))
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] }
    // The first ones warm both paths up.
    for (let pair = -20; pair < pairs; pair += 1) {
      const both = [
        { hello: known?.[pair & 63], to: times.known },
        { hello: unknown?.[pair & 63], to: times.unknown },
      ]
      if (Math.random() < 0.5) both.reverse()
      for (const { hello, to } of both) {
        const time = await timeOfRefusal(port, hello ?? assert.fail())
        if (pair >= 0) to.push(time)
      }
    }
    return rankSum(times.known, times.unknown)
  }

  test('PS-04: 50,000 pairs tell nobody which identities are known', onlyDeep, async () => {
    await using listener = await aPskListener({ keys: manyKeys })
    const { z, auc } = await measure(listener.port, 50_000)
    assert.ok(Math.abs(z) < 4 && Math.abs(auc - 0.5) <= 0.005, `z = ${z}, AUC = ${auc}`)
  })

  test('PS-04: a listener that works a little longer for those it knows fails this test', onlyDeep, async () => {
    const onLookUp = (identity: string) => {
      const until = performance.now() + (Object.hasOwn(manyKeys, identity) ? 0.5 : 0)
      while (performance.now() < until);
    }
    await using listener = await aPskListener({ keys: manyKeys, onLookUp })
    const { z, auc } = await measure(listener.port, 300)
    assert.ok(z > 4 && auc > 0.6, `z = ${z}, AUC = ${auc}`)
  })
})

/** @returns milliseconds from the ClientHello to the first octet of the answer */
async function timeOfRefusal(port: number, hello: Buffer): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  try {
    await once(socket, 'connect')
    const answered = once(socket, 'data')
    const start = performance.now()
    socket.write(hello)
    await answered
    return performance.now() - start
  } finally {
    socket.destroy()
  }
}
