import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { TlsOptions } from 'node:tls'
import type { Template } from '../../src/certificates/template.ts'
import { clientTls } from '../../src/tls/client.ts'
import { mutualTls, type ServerCredential, serverTls } from '../../src/tls/profile.ts'
import { type Credentials, someCredentials } from '../http/credentials.ts'
import { connected, NAME, runServer } from './a-server.ts'

const refusedName = { message: `the server's certificate is not for ${NAME}` }

describe('TLS towards a server: RFC 9525', () => {
  let credentials: Credentials
  before(async () => {
    credentials = await someCredentials()
  })

  const reach = async (server: TlsOptions, options = clientTls([credentials.rootPem])) => {
    await using running = await runServer(server)
    const socket = await connected(running.port, options)
    socket.destroy()
  }
  const names = (dnsNames: readonly string[], uris: readonly string[] = []): Partial<Template> => ({
    subjectAltNames: { dnsNames, uris },
  })

  test('ON-07: the name that was called is taken, in any case of letters and among others', async () => {
    await reach(serverTls(credentials.server))
    for (const dnsNames of [[NAME.toUpperCase()], ['a.example', NAME]]) {
      await reach(serverTls(await credentials.forged(names(dnsNames))))
    }
  })

  test('ON-07: another name is refused, under the same root', async () => {
    const others = {
      another: names(['ecs2.ecsp.example']),
      'one of a wildcard': names(['*.ecsp.example']),
      'one of a partial wildcard': names(['ecs*.ecsp.example']),
      'the name of its domain': names(['ecsp.example']),
      'a name below': names([`a.${NAME}`]),
      'a name that goes on': names([`${NAME}.evil.example`]),
      'a name cut off by NUL': names([`${NAME}\0.evil.example`]),
      'its name with a root label': names([`${NAME}.`]),
      'none but the common name': { ...names([], ['urn:a']), subject: { commonName: NAME } },
      'the common name, and another': { ...names(['ecs2.ecsp.example']), subject: { commonName: NAME } },
      'a URI that names it': names(['ecs2.ecsp.example'], [`https://${NAME}`]),
      'a URI whose text reads as its name': names(['ecs2.ecsp.example'], [`urn:a, DNS:${NAME}, b`]),
    }
    for (const [which, change] of Object.entries(others)) {
      const server = serverTls(await credentials.forged(change as Partial<Template>))
      await assert.rejects(reach(server), refusedName, which)
    }
  })

  test('ON-07: the right name under another root is refused', async () => {
    const rogue = await someCredentials()
    await assert.rejects(reach(serverTls(rogue.server)), { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  test('ON-07: an expired certificate is refused', async () => {
    const day = 24 * 60 * 60 * 1000
    const noon = Math.floor(credentials.now / 1000) * 1000
    const expired = await credentials.forged({ notBefore: noon - 2 * day, notAfter: noon - day })
    await assert.rejects(reach(serverTls(expired)), { code: 'CERT_HAS_EXPIRED' })
  })

  test('ON-07: a client certificate is not taken for that of a server', async () => {
    const forClients = await credentials.forged({ extendedKeyUsage: ['clientAuth'] })
    await assert.rejects(reach(serverTls(forClients)), { code: 'INVALID_PURPOSE' })
  })

  test('NODE_TLS_REJECT_UNAUTHORIZED changes nothing', async () => {
    const rogue = await someCredentials()
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      await assert.rejects(reach(serverTls(rogue.server)))
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
  })
})

describe('mutual TLS: TS 33.310 6.1.3c', () => {
  let credentials: Credentials
  let server: TlsOptions
  before(async () => {
    credentials = await someCredentials()
    server = mutualTls(credentials.server, [credentials.rootPem, credentials.eesIssuerPem])
  })
  const reachWith = async (credential?: ServerCredential) => {
    await using running = await runServer(server)
    const socket = await connected(running.port, clientTls([credentials.rootPem], credential))
    socket.destroy()
  }

  test('a certificate under the authorities is let in, with and without its issuer', async () => {
    await reachWith(credentials.client)
    const { certificateChain } = credentials.client
    const leaf = certificateChain.slice(0, certificateChain.indexOf('-----END') + 26)
    await reachWith({ ...credentials.client, certificateChain: leaf })
  })

  test('no certificate, and one under another root, do not get through the handshake', async () => {
    await assert.rejects(reachWith(), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })
    const stranger = await someCredentials()
    await assert.rejects(reachWith(stranger.client), { message: 'the server closed the connection' })
  })

  test('a certificate without its private key is refused', async () => {
    const { privateKey } = (await someCredentials()).client
    await assert.rejects(reachWith({ ...credentials.client, privateKey }), /key values mismatch/i)
  })
})
