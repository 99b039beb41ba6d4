import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { clientTls } from '../../src/tls/client.ts'
import { mutualTls, serverTls } from '../../src/tls/profile.ts'
import { type Credentials, someCredentials } from '../http/credentials.ts'
import { connected, runServer } from './a-server.ts'
import { GROUP, offer, VERSION } from './client-hello.ts'

/** A server as Node and OpenSSL make it when nobody restrains them: what it takes, an attacker could have had. */
const LAX = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0', ecdhCurve: 'auto' } as const

const TLS13 = { aes128: 0x1301, aes256: 0x1302, chacha20: 0x1303 }
const TLS12 = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b,
  'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c,
  'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f,
  'ECDHE-RSA-AES256-GCM-SHA384': 0xc030,
}
const REFUSED = {
  'ECDHE-ECDSA-AES128-SHA': 0xc009,
  'ECDHE-ECDSA-AES256-SHA': 0xc00a,
  'ECDHE-ECDSA-AES128-SHA256': 0xc023,
  'ECDHE-ECDSA-AES256-SHA384': 0xc024,
  'ECDHE-RSA-AES128-SHA': 0xc013,
  'ECDHE-RSA-AES256-SHA': 0xc014,
  'ECDHE-RSA-AES128-SHA256': 0xc027,
  'ECDHE-RSA-AES256-SHA384': 0xc028,
  'AES128-GCM-SHA256': 0x009c,
  'AES256-GCM-SHA384': 0x009d,
  'AES128-SHA': 0x002f,
  'AES256-SHA256': 0x003d,
  'ECDH-anon-AES128-SHA': 0xc018,
}
/** OpenSSL has no code for these, whatever is asked of it. */
const REFUSED_BY_EVERYBODY = {
  'DES-CBC3-SHA': 0x000a,
  'ECDHE-RSA-DES-CBC3-SHA': 0xc012,
  'RC4-SHA': 0x0005,
  'NULL-SHA256': 0x003b,
  'EXP-DES-CBC-SHA': 0x0008,
}
const HANDSHAKE_FAILURE = 40

type Server = Awaited<ReturnType<typeof runServer>>

describe('TLS profile: TS 33.210 6.2', () => {
  let credentials: Credentials
  let ec: Server
  let rsa: Server
  let laxEc: Server
  let laxRsa: Server

  before(async () => {
    credentials = await someCredentials()
    const rsaKey = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
    const rsaCredential = await credentials.forged({}, rsaKey)
    const lax = ({ certificateChain: cert, privateKey: key }: typeof rsaCredential) => runServer({ ...LAX, cert, key })
    ;[ec, rsa, laxEc, laxRsa] = await Promise.all([
      runServer(serverTls(credentials.server)),
      runServer(serverTls(rsaCredential)),
      lax(credentials.server),
      lax(rsaCredential),
    ])
  })
  after(async () => {
    for (const server of [ec, rsa, laxEc, laxRsa]) await server[Symbol.asyncDispose]()
  })

  test('TLS 1.2 and 1.3 are taken, with each of the suites', async () => {
    for (const suite of Object.values(TLS13)) {
      const version = VERSION['TLS 1.3']
      assert.deepEqual(await offer(ec.port, { version, suites: [suite] }), { suite, version, group: GROUP.X25519 })
    }
    for (const [name, suite] of Object.entries(TLS12)) {
      const version = VERSION['TLS 1.2']
      const { port } = name.includes('RSA') && !name.includes('ECDSA') ? rsa : ec
      assert.deepEqual(await offer(port, { version, suites: [suite] }), { suite, version }, name)
    }
  })

  test('TLS 1.1 and older are refused, whatever the suite', async () => {
    const suites = [...Object.values(TLS12), ...Object.values(REFUSED)]
    for (const name of ['SSL 3.0', 'TLS 1.0', 'TLS 1.1'] as const) {
      for (const { port } of [ec, rsa]) {
        assert.ok('alert' in (await offer(port, { version: VERSION[name], suites })), name)
      }
    }
    for (const name of ['TLS 1.0', 'TLS 1.1'] as const) {
      const taken = await offer(laxRsa.port, { version: VERSION[name], suites })
      assert.ok('suite' in taken, `${name} is refused by our profile only`)
    }
  })

  test('CBC, key exchange by RSA and anonymous suites are refused', async () => {
    const version = VERSION['TLS 1.2']
    for (const [name, suite] of Object.entries(REFUSED)) {
      for (const { port } of [ec, rsa]) {
        assert.deepEqual(await offer(port, { version, suites: [suite] }), { alert: HANDSHAKE_FAILURE }, name)
      }
      const takenBy = [
        await offer(laxEc.port, { version, suites: [suite] }),
        await offer(laxRsa.port, { version, suites: [suite] }),
      ]
      assert.ok(
        takenBy.some((choice) => 'suite' in choice),
        `${name} is refused by our profile only`,
      )
    }
  })

  test('3DES, RC4, NULL and export suites are refused', async () => {
    const version = VERSION['TLS 1.2']
    for (const [name, suite] of Object.entries(REFUSED_BY_EVERYBODY)) {
      for (const { port } of [ec, rsa]) {
        assert.deepEqual(await offer(port, { version, suites: [suite] }), { alert: HANDSHAKE_FAILURE }, name)
      }
    }
  })

  test('X25519, P-256 and P-384 are offered, and nothing that costs more', async () => {
    const version = VERSION['TLS 1.3']
    const suites = [TLS13.aes128]
    for (const [name, group] of Object.entries(GROUP)) {
      const choice = await offer(ec.port, { version, suites, groups: [group] })
      const ours = ['X25519', 'P-256', 'P-384'].includes(name)
      assert.deepEqual(choice, ours ? { suite: TLS13.aes128, version, group } : { alert: HANDSHAKE_FAILURE }, name)
    }
    const costly = await offer(laxEc.port, { version, suites, groups: [GROUP.ffdhe3072] })
    assert.ok('suite' in costly, 'finite fields are refused by our profile only')
  })

  test('the server chooses: its order, not that of the client', async () => {
    const version = VERSION['TLS 1.2']
    const suites = [0xc02c, 0xc02b]
    assert.deepEqual(await offer(ec.port, { version, suites }), { suite: 0xc02b, version })
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`no session can be resumed: ${version}`, async () => {
      const client = { ...clientTls([credentials.rootPem]), secureOptions: 0, maxVersion: version }
      assert.equal(await resumed(ec, client), false)
      assert.equal(await resumed(laxEc, client), true, 'the client of this test can resume')
    })
  }

  test('a connection of TLS 1.2 cannot be negotiated again', async () => {
    const client = { ...clientTls([credentials.rootPem]), secureOptions: 0, maxVersion: 'TLSv1.2' } as const
    const again = async ({ port }: Server) => {
      const socket = await connected(port, client)
      const ended = once(socket, 'error').then(([error]) => error.code)
      const done = new Promise<string>((resolve) => socket.renegotiate({}, (error) => !error && resolve('negotiated')))
      return Promise.race([ended, done]).finally(() => socket.destroy())
    }
    assert.equal(await again(ec), 'ERR_SSL_NO_RENEGOTIATION')
    assert.equal(await again(laxEc), 'negotiated', 'the client of this test can')
  })

  test('PS-10: a handshake has five seconds', () => {
    assert.equal(serverTls(credentials.server).handshakeTimeout, 5_000)
    assert.equal(mutualTls(credentials.server, [credentials.rootPem]).handshakeTimeout, 5_000)
  })
})

/** Whether a second connection is let in by what the first left behind. */
async function resumed(server: Server, options: Parameters<typeof connected>[1]): Promise<boolean> {
  const first = await connected(server.port, options)
  const session =
    first.getProtocol() === 'TLSv1.3' ? await Promise.race([ticketOf(first), waited()]) : first.getSession()
  first.destroy()
  if (session === undefined) return false
  const second = await connected(server.port, { ...options, session })
  const reused = second.isSessionReused()
  second.destroy()
  return reused
}

const ticketOf = async (socket: Awaited<ReturnType<typeof connected>>): Promise<Buffer> => {
  const [session] = await once(socket, 'session')
  return session
}
const waited = () => setTimeout(300, undefined)
