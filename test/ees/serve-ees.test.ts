import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fastify } from 'fastify'
import { createIssuer } from '../../src/certificates/authority.ts'
import { readCertificate, x5tS256 } from '../../src/certificates/certificate.ts'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { issueCertificate } from '../../src/certificates/issue.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { drawSerial, templateFor } from '../../src/certificates/template.ts'
import {
  callerOf,
  type EesCredential,
  type EesGuard,
  guardFastify,
  guardHttp2,
  onboard,
  openGuard,
  type Registration,
  serveEes,
} from '../../src/ees/index.ts'
import type { ServingEes } from '../../src/ees/server/serve-ees.ts'
import { openPeer, type Peer, type Response } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { clientTls } from '../../src/tls/client.ts'
import { aDomain, aKey, aSigner, fqdn, random, spkiOf } from '../certificates/a-domain.ts'
import { anEcs, certsOnly, ECS_FQDN, type Ecs, EES_FQDN, firstPem, PROFILE } from './an-ecs.ts'
import { ecsCredential, overTls } from './ecs-over-tls.ts'

const SCOPE = 'edgeward-whoami'
const S_EES = fqdn('ees2.ecsp.example')
const OTHER_EES = fqdn('ees3.ecsp.example')
const resolve = new Map<string, string>([ECS_FQDN, EES_FQDN].map((name) => [name, '127.0.0.1']))
const log = createLog('test', 'silent')

const derOf = ({ certificateChain }: EesCredential) => readCertificate(firstPem(certificateChain)).der
const causeOf = ({ body }: Response) => JSON.parse(body.toString()).cause

describe('an EES that is served: TS 33.501 13.4.1.1.2', () => {
  const parent = mkdtempSync(join(tmpdir(), 'edgeward-serve-'))
  let ecs: Ecs
  let network: Awaited<ReturnType<typeof overTls>>
  let registration: Registration
  let serving: ServingEes
  let source: EesCredential
  const peers: Peer[] = []

  before(async () => {
    ecs = await anEcs({ domain: await aDomain() })
    network = await overTls(ecs, await ecsCredential(ecs.domain))
    const file = JSON.stringify(ecs.bundleFile())
    registration = await onboard(file, { eesProf: PROFILE }, { store: join(parent, 'ees'), resolve })
    serving = await serveEes(registration, { folder: join(parent, 'ees'), log, revocationPeriod: 50 })
    source = await ecs.credentialFor(S_EES)
  })
  after(async () => {
    for (const peer of peers) peer.close()
    await serving.close()
    registration.close()
    network.close()
    rmSync(parent, { recursive: true })
  })

  const peerOf = (credential?: EesCredential, port = new URL(serving.listeners.mtls).port) => {
    const peer = openPeer(`https://${EES_FQDN}:${port}`, clientTls([ecs.rootPem], credential), resolve)
    peers.push(peer)
    return peer
  }
  const tokenFor = (credential: EesCredential, { aud = EES_FQDN as Fqdn, names = SCOPE } = {}) =>
    ecs.token(derOf(credential), { aud, names, lifetime: 300 })
  const whoAmI = (peer: Peer, token?: string) =>
    peer.request({
      method: 'GET',
      path: '/edgeward/v1/whoami',
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    })

  test('the caller hears what was verified about it', async () => {
    const response = await whoAmI(peerOf(source), await tokenFor(source))
    assert.equal(response.status, 200)
    const { sub, aud, scope, cnf } = JSON.parse(response.body.toString())
    assert.deepEqual([sub, aud, scope], [S_EES, [EES_FQDN], SCOPE])
    assert.equal(cnf['x5t#S256'], x5tS256(derOf(source)))
  })

  test('RS-04, TK-03: a token that another EES was shown is refused here', async () => {
    const response = await whoAmI(peerOf(source), await tokenFor(source, { aud: OTHER_EES }))
    assert.deepEqual([response.status, causeOf(response)], [401, 'TOKEN_INVALID'])
    assert.equal(response.headers['www-authenticate'], 'Bearer realm="edgeward", error="invalid_token"')
    assert.equal(response.headers['content-type'], 'application/problem+json')
  })

  test('TK-05: the token of one EES over the connection of another is refused', async () => {
    const other = await ecs.credentialFor(OTHER_EES)
    const token = await tokenFor(source)
    assert.equal((await whoAmI(peerOf(source), token)).status, 200)
    const response = await whoAmI(peerOf(other), token)
    assert.deepEqual([response.status, causeOf(response)], [401, 'TOKEN_INVALID'])
  })

  test('TK-07: too little scope is 403, no token is 401', async () => {
    const peer = peerOf(source)
    const scoped = await whoAmI(peer, await tokenFor(source, { names: 'eees-eeccontextreloc' }))
    assert.deepEqual([scoped.status, causeOf(scoped)], [403, 'INSUFFICIENT_SCOPE'])
    assert.match(scoped.headers['www-authenticate'] ?? '', /error="insufficient_scope"/)
    const missing = await whoAmI(peer)
    assert.deepEqual([missing.status, missing.headers['www-authenticate']], [401, 'Bearer realm="edgeward"'])
  })

  test('CA-11: no certificate, and one of another authority, get no connection', async () => {
    const elsewhere = await anEcs({ domain: await aDomain() })
    for (const credential of [undefined, await elsewhere.credentialFor(S_EES)]) {
      await assert.rejects(whoAmI(peerOf(credential), await tokenFor(source)), { name: 'PeerUnavailable' })
    }
  })

  test('CA-11: the certificate of an ECS, under the same root, is none of an EES', async () => {
    const credential = await ecsCredential(ecs.domain, S_EES)
    const response = await whoAmI(peerOf(credential), await tokenFor(credential))
    assert.deepEqual([response.status, causeOf(response)], [401, 'CERTIFICATE_NOT_ACCEPTED'])
  })

  test('TK-12: the key set was fetched once for all of them', () => {
    assert.equal(ecs.paths().filter((path) => path === 'GET /oauth2/jwks').length, 1)
  })

  test('D-7: a renewal shows the new certificate to the next connection, and drops none', async () => {
    const peer = peerOf(source)
    const token = await tokenFor(source)
    const socket = await peer.socket()
    assert.equal((await whoAmI(peer, token)).status, 200)
    const before = registration.certificate
    await registration.renew({ newKey: true })
    assert.equal((await whoAmI(peer, token)).status, 200)
    assert.equal(await peer.socket(), socket)
    assert.deepEqual(socket.getPeerX509Certificate()?.raw, before.der)
    const next = peerOf(source)
    assert.equal((await whoAmI(next, token)).status, 200)
    assert.deepEqual((await next.socket()).getPeerX509Certificate()?.raw, registration.certificate.der)
  })

  test('CA-06: a revoked client loses its open connection, and gets no new one served; others go on', async () => {
    const victim = await ecs.credentialFor(OTHER_EES)
    const [ofVictim, ofSource] = [peerOf(victim), peerOf(source)]
    const token = await tokenFor(victim)
    assert.equal((await whoAmI(ofVictim, token)).status, 200)
    const socket = await ofVictim.socket()
    await whoAmI(ofSource, await tokenFor(source))
    const kept = await ofSource.socket()
    ecs.revoke(readCertificate(firstPem(victim.certificateChain)).serial)
    for (let waited = 0; !socket.destroyed && waited < 5_000; waited += 20) await wait(20)
    assert.ok(socket.destroyed)
    // The list that ended the first connection may end the next one too, if that was quick to come.
    const response = await whoAmI(ofVictim, token).catch(() => whoAmI(ofVictim, token))
    assert.deepEqual([response.status, causeOf(response)], [401, 'CERTIFICATE_REVOKED'])
    assert.equal((await whoAmI(ofSource, await tokenFor(source))).status, 200)
    assert.equal(await ofSource.socket(), kept)
  })

  describe('a vendor with a server of its own', () => {
    let guard: EesGuard
    const served: string[] = []
    before(async () => {
      guard = await openGuard(registration, { revocationPeriod: 50 })
    })
    after(() => guard.close())

    const servers: Record<string, () => Promise<{ port: number; close(): void }>> = {
      'node:http2': async () => {
        const server = createSecureServer(
          guard.tls(),
          guardHttp2(guard, SCOPE, (_request, response, caller) => {
            served.push(caller.fqdn)
            response.end(caller.fqdn)
          }),
        )
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        return { port: (server.address() as AddressInfo).port, close: () => server.close() }
      },
      fastify: async () => {
        const app = fastify({ http2: true, https: guard.tls() })
        app.get('/edgeward/v1/whoami', { onRequest: guardFastify(guard, SCOPE) }, async (request) => {
          served.push(callerOf(request).fqdn)
          return callerOf(request).fqdn
        })
        await app.listen({ host: '127.0.0.1', port: 0 })
        return { port: (app.server.address() as AddressInfo).port, close: () => void app.close() }
      },
    }
    for (const [name, start] of Object.entries(servers)) {
      test(`TK-05: ${name} behind the guard serves who may, and no one else`, async () => {
        served.length = 0
        const server = await start()
        const peer = peerOf(source, String(server.port))
        const granted = await whoAmI(peer, await tokenFor(source))
        assert.deepEqual([granted.status, granted.body.toString()], [200, S_EES])
        const cases = [
          [await tokenFor(source, { aud: OTHER_EES }), 401, 'TOKEN_INVALID'],
          [await tokenFor(source, { names: 'eees-cea' }), 403, 'INSUFFICIENT_SCOPE'],
          [undefined, 401, 'CREDENTIAL_MISSING'],
        ] as const
        for (const [token, status, cause] of cases) {
          const refused = await whoAmI(peer, token)
          assert.deepEqual([refused.status, causeOf(refused)], [status, cause])
          assert.match(refused.headers['www-authenticate'] ?? '', /^Bearer realm="edgeward"/)
        }
        assert.deepEqual(served, [S_EES])
        peer.close()
        server.close()
      })
    }

    test('HT-10: what fails behind the guard is 500 without detail, and the server goes on', async () => {
      const broken = { authorize: async () => assert.fail('a fault of ours, with details') }
      const server = createSecureServer(
        guard.tls(),
        guardHttp2(broken, SCOPE, () => {}),
      )
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const peer = peerOf(source, String((server.address() as AddressInfo).port))
      for (let request = 0; request < 2; request++) {
        const response = await whoAmI(peer, 'x.y.z')
        assert.equal(response.status, 500)
        assert.ok(!response.body.includes('details'))
      }
      peer.close()
      server.close()
    })

    test('CA-12: after the authority has changed, clients of the new one are served', async () => {
      const next = await createIssuer('ees-issuer', ecs.domain.root, { signer: aSigner(), random, now: Date.now() })
      const certified = async (spki: Buffer, name: Fqdn) => {
        const subject = { role: 'ees', fqdn: name, registrationId: ecs.registrationId } as const
        const crlDistributionPoint = ecs.authInfo().crlUrl
        const issuance = {
          issuer: next.certificate,
          spki,
          serial: drawSerial(random),
          now: Date.now(),
          crlDistributionPoint,
        }
        const leaf = await issueCertificate(templateFor(subject, issuance), next.signer)
        return [leaf, next.certificate.der].map((der) => writePem('CERTIFICATE', der))
      }
      ecs.answers['POST /.well-known/est/simplereenroll'] = async ({ message }) => {
        const { spki } = readCertificationRequest(Buffer.from(String(message.body), 'base64'))
        return certsOnly(await certified(spki, EES_FQDN))
      }
      const trusting = await openGuard(registration, { checkRevocation: false })
      await registration.renew()
      const server = createSecureServer(
        trusting.tls(),
        guardHttp2(trusting, SCOPE, (_request, response) => response.end()),
      )
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const key = aKey()
      const certificateChain = (await certified(spkiOf(signerOf(key)), S_EES)).join('')
      const client = { certificateChain, privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
      const peer = peerOf(client, String((server.address() as AddressInfo).port))
      assert.equal((await whoAmI(peer, await tokenFor(client))).status, 200)
      peer.close()
      server.close()
      trusting.close()
    })
  })
})
