import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, afterEach, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { clientTls } from '../../src/tls/client.ts'
import { channelBinding, peerCertificate, showsUri } from '../../src/tls/connection.ts'
import { mutualTls, serverTls } from '../../src/tls/profile.ts'
import { type Credentials, someCredentials } from '../http/credentials.ts'
import { connected, runServer } from './a-server.ts'

describe('what a connection shows', () => {
  let credentials: Credentials
  let running: Awaited<ReturnType<typeof runServer>>
  before(async () => {
    credentials = await someCredentials()
    running = await runServer(mutualTls(credentials.server, [credentials.rootPem, credentials.eesIssuerPem]))
  })
  after(() => running[Symbol.asyncDispose]())
  const clients: TLSSocket[] = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy()
  })

  /** Both ends of a new connection. */
  const bothEnds = async (change = {}): Promise<[TLSSocket, TLSSocket]> => {
    const client = await connected(running.port, { ...clientTls([credentials.rootPem], credentials.client), ...change })
    clients.push(client)
    const server = running.accepted.at(-1)
    assert.ok(server)
    return [client, server]
  }

  test('RFC 9266: both ends of a connection have one channel binding, two connections have two', async () => {
    const seen = new Set<string>()
    for (let connection = 0; connection < 3; connection++) {
      const [client, server] = await bothEnds()
      const binding = channelBinding(client)
      assert.equal(binding?.length, 32)
      assert.deepEqual(channelBinding(server), binding)
      assert.deepEqual(channelBinding(client), binding, 'as often as it is asked for')
      seen.add(binding.toString('hex'))
    }
    assert.equal(seen.size, 3)
  })

  test('RFC 9266 3: TLS 1.2 has no channel binding', async () => {
    const [client, server] = await bothEnds({ maxVersion: 'TLSv1.2' })
    assert.equal(client.getProtocol(), 'TLSv1.2')
    assert.equal(channelBinding(client), undefined)
    assert.equal(channelBinding(server), undefined)
  })

  test('the certificate is the one whose key the peer has', async () => {
    const [client, server] = await bothEnds()
    assert.deepEqual(peerCertificate(server), new X509Certificate(credentials.client.certificateChain).raw)
    assert.deepEqual(peerCertificate(client), new X509Certificate(credentials.server.certificateChain).raw)
  })

  test('who was asked for no certificate shows none', async () => {
    await using anybody = await runServer(serverTls(credentials.server))
    const client = await connected(anybody.port, clientTls([credentials.rootPem], credentials.client))
    const [server] = anybody.accepted
    assert.ok(server)
    assert.equal(peerCertificate(server), undefined)
    assert.equal(showsUri(server, 'urn:a'), false)
    client.destroy()
  })

  test('connections are found by a URI of their certificate, letter by letter', async () => {
    const [, server] = await bothEnds()
    const uri = /urn:uuid:[\w-]+/.exec(
      new X509Certificate(credentials.client.certificateChain).subjectAltName ?? '',
    )?.[0]
    assert.ok(uri)
    assert.equal(showsUri(server, uri), true)
    for (const other of [uri.slice(0, -1), `${uri}0`, uri.toUpperCase(), 'urn:uuid:', '']) {
      assert.equal(showsUri(server, other), false, other)
    }
  })
})
