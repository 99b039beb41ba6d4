import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createServer as createTlsServer, type PeerCertificate, type TlsOptions } from 'node:tls'
import { openPeer } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { pskClientTls, requirePsk } from '../../src/tls/psk-client.ts'
import { type AServingUe, aServingUe, EEC_1, EEC_2, VECTOR } from '../ue/a-folder.ts'
import { type AnEcs, anEcs, ECS, type EcsOptions, listen } from './an-ecs.ts'
import { authenticateAt, K_ECS } from './an-eec.ts'
import { EXTENSION, keyShareGroups, offeredPsks, readClientHello, uint16s } from './client-hello.ts'

describe('servers that an EEC must not take for its ECS: THREATS R4', () => {
  let ue: AServingUe
  const closing: (() => void)[] = []
  const started = async (options: EcsOptions = {}): Promise<AnEcs> => {
    const ecs = await anEcs(options)
    closing.push(() => ecs.close())
    return ecs
  }
  /** The port of a server that is there until the end. */
  const onPort = async (server: ReturnType<typeof createTcpServer>) => {
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return listen(server)
  }

  before(async () => {
    ue = await aServingUe()
  })
  after(async () => {
    for (const close of closing) close()
    await ue.close()
  })

  const failsAtStep7 = (attempt: Promise<unknown>) =>
    assert.rejects(attempt, { name: 'AuthenticationStepFailed', step: 7 })

  /** A server at the PSK endpoint, with the very certificate of the ECS. @returns the octets of HTTP that it got */
  async function meet(tls: TlsOptions): Promise<number> {
    const honest = await started()
    let octets = 0
    const rogue = createTlsServer({
      cert: honest.credential.certificateChain,
      key: honest.credential.privateKey,
      ALPNProtocols: ['h2'],
      ...tls,
    })
    rogue.on('secureConnection', (socket) => {
      socket.on('error', () => {})
      socket.on('data', (part) => {
        octets += part.length
      })
    })
    const port = await onPort(rogue)
    const ecs = await started({ pskEndpoint: `https://${ECS}:${port}` })
    // Authority and name are right: at step 4 the EEC trusts this very certificate.
    const trusted = { ecs: ecs.apiRoot, root: `${ecs.root}${honest.root}` }
    await failsAtStep7(authenticateAt(ecs, ue, trusted))
    await new Promise((resolve) => setTimeout(resolve, 50))
    return octets
  }

  for (const [name, tls] of [
    ['shows its certificate and does not look at the key', {}],
    ['asks for a key and has none', { pskCallback: () => null }],
    ['prefers suites that no key can have', { ciphers: 'TLS_AES_256_GCM_SHA384', pskCallback: () => null }],
    ['speaks TLS 1.2 only', { maxVersion: 'TLSv1.2' }],
    ['guesses the key', { pskCallback: () => Buffer.alloc(32, 1) }],
  ] as const) {
    test(`PS-07: a rogue with the certificate of the ECS that ${name} gets no octet of HTTP`, async () => {
      assert.equal(await meet(tls), 0)
    })
  }

  test('PS-07: the look at the connection alone keeps HTTP back, where all else would trust the certificate', async () => {
    const ecs = await started()
    const peer = openPeer(ecs.apiRoot, clientTls([ecs.root]), ecs.resolve, requirePsk)
    const message = { method: 'POST', path: '/eecs-authentication/v1/requests', body: '{}' } as const
    await assert.rejects(peer.request(message), { name: 'PeerUnavailable', phase: 'connect', message: /not proven/ })
    assert.deepEqual(ecs.received, [])
    const careless = openPeer(ecs.apiRoot, clientTls([ecs.root]), ecs.resolve)
    assert.equal((await careless.request(message)).status, 201)
    careless.close()
  })

  test('PS-07: the options alone trust no authority, and no name', () => {
    const { checkServerIdentity, ca, rejectUnauthorized } = pskClientTls({ identity: 'x', key: K_ECS })
    assert.deepEqual([ca, rejectUnauthorized], [[], true])
    assert.ok(checkServerIdentity?.(ECS, {} as PeerCertificate) instanceof Error)
  })

  test('PS-08: a server that knows the key and speaks TLS 1.2 is refused', async () => {
    const knowing = { pskCallback: () => K_ECS.export(), ciphers: 'PSK+AES128' }
    assert.equal(await meet({ ...knowing, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), 0)
  })

  test('PS-06: an EEC whose octets come back to itself fails the handshake', async () => {
    const echo = createTcpServer((socket) => socket.pipe(socket))
    const ecs = await started({ pskEndpoint: `https://${ECS}:${await onPort(echo)}` })
    await failsAtStep7(authenticateAt(ecs, ue))
  })

  test('PS-06: two EECs that are led to each other fail both', async () => {
    let waiting: Socket | undefined
    const matchmaker = createTcpServer((socket) => {
      if (waiting === undefined) {
        waiting = socket
      } else {
        socket.pipe(waiting).pipe(socket)
      }
    })
    const ecs = await started({ pskEndpoint: `https://${ECS}:${await onPort(matchmaker)}` })
    await Promise.all([failsAtStep7(authenticateAt(ecs, ue)), failsAtStep7(authenticateAt(ecs, ue, { eecId: EEC_2 }))])
  })

  test('PS-06: a proxy that passes everything on is no attack; one that changes an octet is noticed', async () => {
    const honest = await started()
    honest.keys.set(VECTOR.pskIdentity, K_ECS)
    const { port } = new URL(honest.pskEndpoint)
    const through = async (change: (part: Buffer) => Buffer) => {
      const proxy = createTcpServer((socket) => {
        const onward = connect(Number(port), '127.0.0.1').on('error', () => socket.destroy())
        socket.on('data', (part: Buffer) => onward.write(change(part))).on('close', () => onward.destroy())
        onward.pipe(socket)
      })
      const ecs = await started({ pskEndpoint: `https://${ECS}:${await onPort(proxy)}` })
      return authenticateAt(ecs, ue)
    }
    const session = await through((part) => part)
    assert.ok(await session.provision())
    session.close()
    await failsAtStep7(
      through((part) => {
        const changed = Buffer.from(part)
        changed[20] = (changed[20] ?? 0) ^ 1
        return changed
      }),
    )
  })
})

describe('what an EEC offers to its ECS: RFC 8446 4.2.11, D-25', () => {
  test('PS-05: one identity, psk_dhe_ke alone, a key share, TLS 1.3 alone, no ticket and no early data', async (t) => {
    const ue = await aServingUe()
    t.after(() => ue.close())
    let hello = Buffer.alloc(0)
    const server = createTcpServer((socket) => {
      socket.on('data', (part) => {
        hello = Buffer.concat([hello, part])
        if (readClientHello(hello) !== undefined) socket.destroy()
      })
    })
    t.after(() => server.close())
    const ecs = await anEcs({ pskEndpoint: `https://${ECS}:${await listen(server)}` })
    t.after(() => ecs.close())
    await assert.rejects(authenticateAt(ecs, ue), { step: 7 })

    const { suites, extensions } = readClientHello(hello) ?? assert.fail('there was no ClientHello')
    const contentOf = (name: keyof typeof EXTENSION) => extensions.get(EXTENSION[name]) ?? assert.fail(name)
    assert.deepEqual(
      suites.filter((suite) => suite !== 0x00ff),
      [0x1301, 0x1303],
    )
    assert.deepEqual(offeredPsks(contentOf('preSharedKey')), [{ identity: VECTOR.pskIdentity, ticketAge: 0 }])
    assert.equal([...extensions.keys()].at(-1), EXTENSION.preSharedKey)
    assert.deepEqual([...contentOf('pskKeyExchangeModes')], [1, 1])
    assert.deepEqual(uint16s(contentOf('supportedVersions').subarray(1)), [0x0304])
    assert.deepEqual(keyShareGroups(contentOf('keyShare')), [29])
    assert.ok(!extensions.has(EXTENSION.earlyData))
    assert.equal(extensions.get(EXTENSION.sessionTicket)?.length ?? 0, 0)
    assert.equal(contentOf('serverName').subarray(5).toString(), ECS)
    assert.equal(contentOf('alpn').subarray(3).toString(), 'h2')
    assert.ok(!hello.includes(EEC_1))
  })

  test('PS-09: a key has 32 octets that are not all the same', () => {
    for (const octets of [1, 16, 31, 33, 64]
      .map((length) => randomBytes(length))
      .concat(Buffer.alloc(32), Buffer.alloc(32, 7))) {
      assert.throws(() => pskClientTls({ identity: 'eec', key: createSecretKey(octets) }), RangeError)
    }
    assert.ok(pskClientTls({ identity: 'eec', key: K_ECS }))
  })

  test('KE-14: an identity is printable ASCII of at most 128 octets', () => {
    for (const identity of ['', 'a\0b', 'a b', 'ä', 'a\n', 'x'.repeat(129)]) {
      assert.throws(() => pskClientTls({ identity, key: K_ECS }), RangeError)
    }
    assert.ok(pskClientTls({ identity: 'x'.repeat(128), key: K_ECS }))
  })
})
