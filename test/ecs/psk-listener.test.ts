import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { openEcs } from '../../src/ecs/adapters/open-ecs.ts'
import { serveEcs } from '../../src/ecs/server/serve-ecs.ts'
import type { Peer } from '../../src/http/client.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { formatPskIdentity } from '../../src/spec/kedge-id.ts'
import { TlsSelfTestFailed } from '../../src/tls/self-test.ts'
import {
  AES_128,
  AES_256,
  CHACHA20,
  PSK_DHE_KE,
  PSK_KE,
  type RawConnection,
  type RawOffer,
  rawHandshake,
} from '../tls/raw-client.ts'
import { runEcsWithKeyServices } from './a-key-service.ts'
import { type AnEec, anEec, ask, authenticated, byPsk, eecIdOf, hurried, provision } from './an-eec.ts'
import { notLetIn } from './refusals.ts'
import { runEcs } from './running-ecs.ts'

type Running = Awaited<ReturnType<typeof runEcsWithKeyServices>>

const ALERT = {
  handshakeFailure: 40,
  illegalParameter: 47,
  decryptError: 51,
  protocolVersion: 70,
  missingExtension: 109,
}
const wrongKey = () => randomBytes(32)

const portOf = ({ ecs }: Running) => Number(new URL(ecs.serving.listeners.psk).port)
const offerOf = ({ identity, key }: AnEec): RawOffer => ({ psks: [{ identity, key: key.export() }] })

describe('the listener of an ECS for TLS-PSK: THREATS R1, R2, D-25', () => {
  let running: Running
  let eec: AnEec
  before(async () => {
    running = await runEcsWithKeyServices('ecs1.example.com')
    eec = anEec(running.ecs, running.ausf)
    ;(await authenticated(running.ecs, eec)).close()
  })
  after(() => running.close())

  const shakeHands = (offer: RawOffer) => rawHandshake(portOf(running), offer)
  const opened = async (offer: RawOffer): Promise<RawConnection> => {
    const { connection, alert } = await shakeHands(offer)
    return connection ?? assert.fail(`alert ${alert}`)
  }
  /** Somebody's who has never been here, of the same form. */
  const unknown = (): string =>
    formatPskIdentity({ eecIdTag: randomBytes(8).toString('hex'), kedgeId: running.ausf.newKedgeId() })

  test('PS-01, PS-08: whoever lacks the key, or asks for something weaker, gets an alert and no connection', async () => {
    const { identity } = eec
    const key = eec.key.export()
    const table: Record<string, readonly [RawOffer, number]> = {
      'another key': [{ psks: [{ identity, key: wrongKey() }] }, ALERT.decryptError],
      'an unknown identity': [{ psks: [{ identity: unknown(), key }] }, ALERT.decryptError],
      'the Kedge ID for an identity': [{ psks: [{ identity: eec.kedgeId, key }] }, ALERT.decryptError],
      'all of the UE’s key': [{ psks: [{ identity, key: eec.kedge.export() }] }, ALERT.decryptError],
      'another key, AES-256 first': [
        { suites: [AES_256, AES_128], psks: [{ identity, key: wrongKey() }] },
        ALERT.decryptError,
      ],
      'an unknown identity, AES-256 first': [
        { suites: [AES_256, AES_128], psks: [{ identity: unknown(), key }] },
        ALERT.decryptError,
      ],
      'no key': [{ suites: [AES_256, AES_128, CHACHA20] }, ALERT.handshakeFailure],
      'AES-256 alone': [{ suites: [AES_256], psks: [{ identity, key, hash: 'sha384' }] }, ALERT.handshakeFailure],
      'TLS 1.2': [{ ...offerOf(eec), versions: [0x0303], suites: [0xc037, 0x00a8] }, ALERT.protocolVersion],
      compression: [{ ...offerOf(eec), compression: [1, 0] }, ALERT.illegalParameter],
    }
    const outcomes: Record<string, number | undefined> = {}
    for (const [name, [offer]] of Object.entries(table)) {
      const { connection, alert } = await shakeHands(offer)
      connection?.close()
      outcomes[name] = connection === undefined ? alert : 0
    }
    assert.deepEqual(outcomes, Object.fromEntries(Object.entries(table).map(([name, [, alert]]) => [name, alert])))
    assert.match(await (await opened(offerOf(eec))).get('/'), /^HTTP\/1\.1 421 /)
  })

  test('PS-02: what a good session leaves behind opens nothing, alone or behind the identity of another', async () => {
    const connection = await opened(offerOf(eec))
    const tickets = await connection.tickets(200)
    connection.close()
    const victim = { identity: eec.identity, key: wrongKey() }
    for (const { identity, key, hash } of [
      ...tickets,
      { identity: randomBytes(32), key: wrongKey(), hash: 'sha256' },
    ] as const) {
      for (const first of ['ext', 'res'] as const) {
        for (const binder of ['ext', 'res'] as const) {
          const ticket = { identity, key, hash, binder }
          for (const psks of [[ticket], [{ ...victim, binder: first }, ticket]]) {
            assert.equal((await shakeHands({ psks, suites: [AES_128, AES_256] })).connection, undefined)
          }
        }
      }
    }
  })

  test('PS-03, NG-06: a wrong key, an unknown identity and one of a foreign network get the same octets', async () => {
    const identities = [eec.identity, unknown(), unknown().replace('mnc001', 'mnc999'), eec.kedgeId, 'x']
    const answers = new Set<string>()
    for (const identity of identities) {
      for (const suites of [[AES_128], [CHACHA20], [AES_256, AES_128]]) {
        const { received } = await shakeHands({ suites, psks: [{ identity, key: wrongKey() }] })
        answers.add(received.toString('hex'))
      }
    }
    assert.deepEqual([...answers], ['15030300020233'])
  })

  test('PS-05: psk_ke is refused, and every handshake has a key share', async () => {
    for (const offer of [{ modes: [PSK_KE] }, { modes: [PSK_KE], withoutKeyShare: true }, { modes: [] }]) {
      assert.equal((await shakeHands({ ...offerOf(eec), ...offer })).connection, undefined)
    }
    for (const modes of [[PSK_DHE_KE], [PSK_KE, PSK_DHE_KE]]) {
      const connection = await opened({ ...offerOf(eec), modes })
      assert.ok(connection.extensions.has(51))
      assert.equal(connection.selected, 0)
      connection.close()
    }
  })

  test('PS-08: early data is not taken', async () => {
    const connection = await opened({ ...offerOf(eec), earlyData: 'GET /early HTTP/1.1\r\nHost: x\r\n\r\n' })
    assert.ok(!connection.extensions.has(42))
    assert.match(await connection.get('/'), /^HTTP\/1\.1 421 /)
    connection.close()
  })

  test('PS-10: a source begins no more handshakes than it may, and the others go on', async () => {
    const limited = await runEcsWithKeyServices('ecs2.example.com', { handshakes: { perSecond: 0.01, burst: 3 } })
    const somebody = anEec(limited.ecs, limited.ausf)
    assert.equal((await ask(limited.ecs, somebody)).status, 201)
    const openedFrom = async (localAddress: string) => {
      const { connection } = await rawHandshake(portOf(limited), { ...offerOf(somebody), localAddress })
      connection?.close()
      return connection !== undefined
    }
    const flooded = []
    for (let time = 0; time < 6; time += 1) flooded.push(await openedFrom('127.0.0.1'))
    assert.deepEqual(flooded, [true, true, true, false, false, false])
    assert.equal(await openedFrom('127.0.0.2'), true)
    await limited.close()
  })

  test('R5: the server refuses to start on a Node whose TLS self-test fails', async () => {
    const ecs = await runEcs('ecs9.example.com')
    const { port } = new URL(ecs.serving.listeners.server)
    const { opened: environment } = ecs
    await ecs.restart(async () => {
      const again = await openEcs(ecs.folder, environment)
      const failing = serveEcs(again, () => Promise.reject(new TlsSelfTestFailed('another key opens a connection')))
      await assert.rejects(failing, { name: 'TlsSelfTestFailed' })
      const { promise, resolve } = Promise.withResolvers<string>()
      connect(Number(port), '127.0.0.1').once('error', (error) => resolve('code' in error ? String(error.code) : ''))
      assert.equal(await promise, 'ECONNREFUSED')
      await again.close()
    })
    await ecs.close()
  })
})

describe('a handshake at an ECS that waits for its key: TR 33.839 6.x.2 steps 5 to 7, D-23', () => {
  const started: { close(): Promise<void> }[] = []
  const start = async (options: Parameters<typeof runEcsWithKeyServices>[1] = {}) => {
    const running = await runEcsWithKeyServices('ecs1.example.com', {
      fetchOnHandshake: true,
      timers: hurried,
      ...options,
    })
    started.push(running)
    return running
  }
  after(async () => {
    for (const each of started) await each.close()
  })

  /** An EEC that was here, and whose key was forgotten since. */
  async function aReturning({ ecs, ausf }: Running, who: Parameters<typeof anEec>[2] = {}): Promise<AnEec> {
    const eec = anEec(ecs, ausf, { ...who, expiresAt: Date.now() + 86_400_000 })
    const peer = await authenticated(ecs, eec)
    // The client is done before the server is, which must have seen the proof.
    assert.equal((await provision(peer, eec.eecId)).status, 204)
    const socket = await peer.socket()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    ecs.advance(601_000)
    await closed
    peer.close()
    ausf.asked.length = 0
    return eec
  }

  async function isServed({ ecs }: Running, eec: AnEec): Promise<void> {
    const peer: Peer = byPsk(ecs, eec)
    assert.equal((await provision(peer, eec.eecId)).status, 204)
    peer.close()
  }

  for (const keyProfile of ['bound', 'literal'] as const) {
    test(`${keyProfile}: an EEC that was here needs no authentication request; its key is asked for and proven`, async () => {
      const running = await start({ keyProfile })
      const eec = await aReturning(running, { keyProfile })
      await isServed(running, eec)
      assert.deepEqual(
        running.ausf.asked.map(({ body }) => body),
        [{ kedgeId: eec.kedgeId, eecId: eec.eecId }],
      )
      await isServed(running, eec)
      assert.equal(running.ausf.asked.length, 1, 'what is held is not asked for')
      await notLetIn(byPsk(running.ecs, { ...eec, key: anEec(running.ecs, running.ausf).key }).socket())
    })
  }

  test('bound: nor does it after another primary authentication', async () => {
    const running = await start()
    const before = await aReturning(running)
    const renewed = anEec(running.ecs, running.ausf, { eecId: before.eecId })
    assert.notEqual(renewed.kedgeId, before.kedgeId)
    await isServed(running, renewed)
  })

  test('it is off unless it is configured', async () => {
    const running = await start({ fetchOnHandshake: false })
    const eec = await aReturning(running)
    await notLetIn(byPsk(running.ecs, eec).socket())
    assert.deepEqual(running.ausf.asked, [])
    assert.equal((await ask(running.ecs, eec)).status, 201)
    await isServed(running, eec)
  })

  test('PS-03: an EEC that was never here, a key that has ended and a network that is down look alike', async () => {
    const running = await start()
    const { ecs, ausf } = running
    const known = await aReturning(running)
    const stranger = anEec(ecs, ausf, { eecId: 'eec-never-here' })
    const identityFor = (eecId: string, kedgeId = ausf.newKedgeId()) =>
      formatPskIdentity({ eecIdTag: eecIdTag(eecIdOf(eecId)), kedgeId })
    const answerTo = async (identity: string, key: Uint8Array) =>
      (await rawHandshake(portOf(running), { psks: [{ identity, key }] })).received.toString('hex')
    const answers = new Set([await answerTo(stranger.identity, stranger.key.export())])
    assert.deepEqual(ausf.asked, [], 'nobody knows for which EEC to ask')
    answers.add(await answerTo(identityFor(known.eecId), wrongKey()))
    assert.equal(ausf.asked.length, 1)
    answers.add(await answerTo(known.identity, wrongKey()))
    ausf.subscribers.delete(known.kedgeId)
    answers.add(await answerTo(identityFor(known.eecId), known.key.export()))
    await ausf.stop()
    answers.add(await answerTo(identityFor(known.eecId), known.key.export()))
    assert.deepEqual([...answers], ['15030300020233'])
  })

  test('KE-08: handshakes of one source that want keys reach the key service no oftener than its requests may', async () => {
    const running = await start({ requests: { perSecond: 0.01, burst: 5 } })
    const { ausf } = running
    const eec = await aReturning(running)
    for (let time = 0; time < 20; time += 1) {
      const identity = formatPskIdentity({ eecIdTag: eecIdTag(eec.eecId), kedgeId: ausf.newKedgeId() })
      const { connection } = await rawHandshake(portOf(running), { psks: [{ identity, key: wrongKey() }] })
      assert.equal(connection, undefined)
    }
    // Ten minutes have filled the bucket again.
    assert.ok(ausf.asked.length <= 5, `${ausf.asked.length}`)
    assert.ok(ausf.asked.length > 0)
  })
})
