import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'
import { before, describe, test } from 'node:test'
import { type KeptKey, pskServer } from '../../src/tls/psk-server.ts'
import { TlsSelfTestFailed, tlsSelfTest } from '../../src/tls/self-test.ts'
import { type Credentials, someCredentials } from '../http/credentials.ts'

type MakeServer = typeof pskServer<KeptKey>

/** A TLS stack that behaves otherwise, as it would after a careless release. */
const changed =
  (change: (own: SecureServerOptions, options: Parameters<MakeServer>[0]) => SecureServerOptions): MakeServer =>
  (options) => {
    const psk = pskServer(options)
    return { ...psk, tls: { ...psk.tls, ...change(psk.tls, options) } }
  }

const failsWith = (make: MakeServer, message: RegExp) =>
  assert.rejects(tlsSelfTest(make), (error) => error instanceof TlsSelfTestFailed && message.test(error.message))

describe('the TLS self-test: THREATS R5', () => {
  let credentials: Credentials
  before(async () => {
    credentials = await someCredentials()
  })

  test('PS-01: this Node passes', () => tlsSelfTest())

  test('PS-01: a stack that falls back to a certificate does not', async () => {
    const { certificateChain: cert, privateKey: key } = credentials.server
    const ciphers = 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256'
    await failsWith(
      changed(() => ({ cert, key, ciphers })),
      /opens a connection/,
    )
  })

  test('PS-01: nor one whose keys open nothing, or that does not know by which key it was opened', async () => {
    await failsWith(
      changed(() => ({ pskCallback: () => randomBytes(32) })),
      /a key opens no connection/,
    )
    const proven: MakeServer = (options) => ({
      ...pskServer(options),
      provenKey: () => ({ ...options.keyOf('') }) as KeptKey,
    })
    await failsWith(proven, /does not know its key/)
  })

  test('PS-01: nor one that breaks off, whatever it says', async () => {
    const broken: MakeServer = (options) => ({
      ...pskServer(options),
      provenKey() {
        throw new RangeError('unforeseen')
      },
    })
    await failsWith(broken, /^Node v\d.* fails the TLS self-test: unforeseen$/)
  })

  test('PS-02: nor one that resumes sessions', async () => {
    await failsWith(
      changed(() => ({ secureOptions: 0 })),
      /a session that has ended opens a connection/,
    )
  })

  test('PS-03: nor one that tells which identities are known', async () => {
    const pskCallback = (own: SecureServerOptions, { keyOf }: Parameters<MakeServer>[0]) =>
      ((socket, identity) =>
        keyOf(identity) === undefined
          ? null
          : own.pskCallback?.(socket, identity)) as SecureServerOptions['pskCallback']
    await failsWith(
      changed((own, options) => ({ pskCallback: pskCallback(own, options) }) as SecureServerOptions),
      /tells which identities are known/,
    )
  })

  test('PS-08: nor one that speaks TLS 1.2', async () => {
    await failsWith(
      changed(({ ciphers }) => ({ minVersion: 'TLSv1.2', ciphers: `${ciphers}:PSK` })),
      /TLS 1.2 opens a connection/,
    )
  })
})
