import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { EXTENSION, readClientHello } from '../eec/client-hello.ts'
import { folderWith, needs } from '../judges.ts'
import { runEcsWithKeyServices } from './a-key-service.ts'
import { type AnEec, anEec, authenticated } from './an-eec.ts'
import { type Case, CLIENTS, type Offer, type OutsideClient, printedBy } from './outside-clients/clients.ts'

type Running = Awaited<ReturnType<typeof runEcsWithKeyServices>>

/** The status of the answer, or the alert (RFC 8446 6); or why this client cannot come in this way. */
type Outcome = 204 | 'decrypt_error' | 'handshake_failure' | 'protocol_version' | { readonly impossible: string }

const ALERTS: Readonly<Record<number, Outcome>> = {
  40: 'handshake_failure',
  51: 'decrypt_error',
  70: 'protocol_version',
}

const REFUSED = {
  'another key': 'decrypt_error',
  'an unknown identity': 'decrypt_error',
  'no key': 'handshake_failure',
  'the key in TLS 1.2': 'protocol_version',
  'the key with AES-256 alone': 'handshake_failure',
  'the key in psk_ke alone': 'handshake_failure',
} as const satisfies Omit<Record<Case, Outcome>, 'the key'>

const always = { impossible: 'its ClientHello always has psk_dhe_ke' }

/** What becomes of each client in each case. */
const EXPECTED: Readonly<Record<keyof typeof CLIENTS, Readonly<Record<Case, Outcome>>>> = {
  OpenSSL: { 'the key': 204, ...REFUSED, 'the key in psk_ke alone': always },
  GnuTLS: { 'the key': 204, ...REFUSED },
  NSS: {
    'the key': 204,
    ...REFUSED,
    'the key in TLS 1.2': { impossible: 'it has keys that are shared beforehand in TLS 1.3 only' },
    'the key in psk_ke alone': always,
  },
  wolfSSL: { 'the key': 204, ...REFUSED },
  'Bouncy Castle': { 'the key': 204, ...REFUSED },
}

describe('TLS-PSK of an ECS with the clients of others: RFC 8446 2.2, D-25', () => {
  let running: Running
  let eec: AnEec
  before(async () => {
    running = await runEcsWithKeyServices('ecs1.example.com')
    eec = anEec(running.ecs, running.ausf)
    ;(await authenticated(running.ecs, eec)).close()
  })
  after(() => running.close())

  /** Stands between client and ECS, and keeps what they say. */
  async function aTap() {
    const { port } = new URL(running.ecs.serving.listeners.psk)
    const [client, server]: [Buffer[], Buffer[]] = [[], []]
    const tap = createServer((near) => {
      const far = connect(Number(port), '127.0.0.1')
      const end = () => [near, far].map((socket) => socket.destroy())
      near.on('error', end).on('data', (octets) => client.push(octets))
      far.on('error', end).on('data', (octets) => server.push(octets))
      near.pipe(far).pipe(near)
    })
    await once(tap.listen(0, '127.0.0.1'), 'listening')
    return {
      port: (tap.address() as AddressInfo).port,
      saidByClient: () => Buffer.concat(client),
      saidByServer: () => Buffer.concat(server),
      [Symbol.dispose]: () => tap.close(),
    }
  }

  function offerFor(what: Case, port: number): Offer {
    const { identity, key } = eec
    const unknown = identity.replace(eecIdTag(eec.eecId), '0123456789abcdef')
    return {
      name: running.ecs.fqdn,
      port,
      identity: what === 'an unknown identity' ? unknown : identity,
      key: what === 'another key' ? '11'.repeat(32) : key.export().toString('hex'),
    }
  }

  function provisioningRequest(): string {
    const body = JSON.stringify({ eecId: eec.eecId })
    const head = [
      'POST /eecs-serviceprovisioning/v1/request HTTP/1.1',
      `Host: ${running.ecs.fqdn}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ]
    return `${head.join('\r\n')}\r\n\r\n${body}`
  }

  /** One client, once: what it prints, and what went over the wire. */
  async function met({ command }: OutsideClient, what: Case, folder: string) {
    using tap = await aTap()
    const printed = await printedBy(command(what, offerFor(what, tap.port), folder), provisioningRequest())
    const hello = readClientHello(tap.saidByClient()) ?? assert.fail(`no ClientHello: ${printed}`)
    const server = tap.saidByServer()
    const status = /HTTP\/1\.1 (\d{3}) /.exec(printed)?.[1]
    const isAlert = server[0] === 21
    const outcome = isAlert ? (ALERTS[server.readUInt8(6)] ?? server.readUInt8(6)) : Number(status)
    return { outcome, hello, server, printed }
  }

  for (const [name, client] of Object.entries(CLIENTS)) {
    test(
      `PS-11, PS-05: ${name}: the key opens, by psk_dhe_ke; nothing else does`,
      needs(...client.needed),
      async () => {
        using folder = folderWith({})
        await client.build?.(folder.path(''))
        const expected = EXPECTED[name] ?? assert.fail(name)
        const answers = new Map<string, Buffer>()
        for (const [what, wanted] of Object.entries(expected) as [Case, Outcome][]) {
          if (typeof wanted === 'object') continue
          const { outcome, hello, server, printed } = await met(client, what, folder.path(''))
          assert.equal(outcome, wanted, `${what}: ${printed}`)
          answers.set(what, server)
          // The client has said what its case is about, or the case shows nothing.
          assert.equal(hello.extensions.has(EXTENSION.preSharedKey), !/no key|TLS 1\.2/.test(what), what)
          const modes = [...(hello.extensions.get(EXTENSION.pskKeyExchangeModes)?.subarray(1) ?? [])]
          if (what === 'the key') assert.ok(modes.includes(1))
          if (what === 'the key in psk_ke alone') assert.deepEqual(modes, [0])
          if (outcome === 204) assert.deepEqual(serverExtensions(server), PSK_DHE_KE)
        }
        // PS-03: to this client too they are the same.
        assert.deepEqual(answers.get('another key'), answers.get('an unknown identity'))
      },
    )
  }

  test(
    'PS-05: OpenSSL reads psk_dhe_ke, a key share of X25519 and the key in the handshake',
    needs('openssl'),
    async () => {
      const { OpenSSL } = CLIENTS
      assert.ok(OpenSSL !== undefined)
      const traced = {
        ...OpenSSL,
        command: (...args: Parameters<OutsideClient['command']>) => [...OpenSSL.command(...args), '-trace'] as const,
      }
      const { outcome, printed } = await met(traced as OutsideClient, 'the key', '')
      assert.equal(outcome, 204)
      const [, server = ''] = printed.split('ServerHello, ')
      assert.match(printed, /extension_type=psk_key_exchange_modes\(45\), length=2\s+psk_dhe_ke \(1\)/)
      assert.match(server, /extension_type=key_share\(51\), length=36\s+NamedGroup: ecdh_x25519/)
      assert.match(server, /extension_type=psk\(41\), length=2\s+0000 - 00 00/)
      assert.doesNotMatch(server, /Certificate/)
    },
  )
})

/** ServerHello of a handshake by psk_dhe_ke, in order: RFC 8446 4.1.3. */
const PSK_DHE_KE = [EXTENSION.preSharedKey, EXTENSION.supportedVersions, EXTENSION.keyShare]

/** @param octets - that begin with the record of a ServerHello. @returns the types of its extensions, sorted */
function serverExtensions(octets: Buffer): number[] {
  const hello = octets.subarray(5, 5 + octets.readUInt16BE(3))
  const types: number[] = []
  // Message header, version, random, session ID, suite, compression, and the length of the list.
  let at = 4 + 2 + 32 + 1 + hello.readUInt8(38) + 2 + 1 + 2
  while (at < hello.length) {
    types.push(hello.readUInt16BE(at))
    at += 4 + hello.readUInt16BE(at + 2)
  }
  return types.sort((a, b) => a - b)
}
