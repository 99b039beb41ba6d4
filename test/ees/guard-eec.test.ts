import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { fastify } from 'fastify'
import { type EecGuard, eecOf, guardEecFastify, guardEecHttp2, openEecGuard } from '../../src/ees/index.ts'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { clientTls } from '../../src/tls/client.ts'
import { issueAccessToken } from '../../src/tokens/access-token.ts'
import { issueEntitlementToken } from '../../src/tokens/entitlement-token.ts'
import { edgeScope } from '../../src/tokens/scope.ts'
import { aKey } from '../certificates/a-domain.ts'
import { ENT, eecId, scope } from '../tokens/parties.ts'
import { EES_FQDN } from './an-ecs.ts'
import { anEcsOnTls, anEec, bodyOf, type Eec, outcomeOf, type RunningEes, resolve, runEes } from './running-ees.ts'

const SCOPE = 'vendor-service'
const PATH = '/vendor/v1/things'

describe('a vendor with a server of its own for EECs: EDGE-1', () => {
  let ecs: Awaited<ReturnType<typeof anEcsOnTls>>
  let ees: RunningEes
  let guard: EecGuard
  let eec: Eec
  const closing: (() => unknown)[] = []
  const peers = new Map<'fastify' | 'http2', Peer>()

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs)
    guard = openEecGuard(ees.registration)
    eec = await anEec(ecs.ecs, 'eec-1', { scope: SCOPE, gpsi: 'msisdn-491701234567' })

    const app = fastify({ http2: true, https: { ...guard.tls(), allowHTTP1: false } })
    app.post(PATH, { onRequest: guardEecFastify(guard, SCOPE) }, async (request) => {
      const { eecId: id, gpsi, method } = eecOf(request)
      return { id, gpsi, method }
    })
    app.get('/open', async (request) => eecOf(request))
    await app.listen({ host: '127.0.0.1', port: 0 })
    closing.push(() => app.close())
    const server = createSecureServer(
      guard.tls(),
      guardEecHttp2(guard, SCOPE, (_request, response, { eecId: id, gpsi, method }) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id, gpsi, method }))
      }),
    )
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    closing.push(() => server.close())
    const connect = (port: number) => openPeer(`https://${EES_FQDN}:${port}`, clientTls([ecs.ecs.rootPem]), resolve)
    peers.set('fastify', connect((app.server.address() as AddressInfo).port))
    peers.set('http2', connect((server.address() as AddressInfo).port))
  })
  after(async () => {
    for (const peer of peers.values()) peer.close()
    for (const close of closing) await close()
    guard.close()
    await ees.close()
    ecs.network.close()
  })

  for (const kind of ['fastify', 'http2'] as const) {
    const peerOf = () => {
      const peer = peers.get(kind)
      assert.ok(peer)
      return peer
    }

    test(`NG-01: ${kind} behind the guard serves an EEC with its token and a proof, and nobody else`, async () => {
      const peer = peerOf()
      const served = await eec.ask(peer, 'POST', `${PATH}?q=1`, {})
      assert.equal(served.status, 200, served.body.toString())
      const identity = { id: 'eec-1', gpsi: 'msisdn-491701234567', method: 'EDGE_ACCESS_TOKEN' }
      assert.deepEqual(bodyOf(served), identity)
      const none = await peer.request({ method: 'POST', path: PATH })
      assert.deepEqual(outcomeOf(none), [401, 'CREDENTIAL_MISSING'])
      assert.equal(none.headers['www-authenticate'], 'DPoP realm="edgeward", algs="ES256"')
      const stranger = await anEec(ecs.ecs, 'eec-1', { scope: SCOPE })
      assert.deepEqual(outcomeOf(await stranger.ask(peer, 'POST', PATH, {}, eec.token)), [401, 'TOKEN_INVALID'])
      const elsewhere = await anEec(ecs.ecs, 'eec-1', { scope: SCOPE, aud: 'ees9.ecsp.example' })
      const refused = await elsewhere.ask(peer, 'POST', PATH, {})
      assert.deepEqual(outcomeOf(refused), [401, 'TOKEN_INVALID'])
      assert.match(refused.headers['www-authenticate'] ?? '', /^DPoP .*error="invalid_token"/)
      const other = await anEec(ecs.ecs, 'eec-1', { scope: 'eees-easdiscovery' })
      assert.deepEqual(outcomeOf(await other.ask(peer, 'POST', PATH, {})), [403, 'INSUFFICIENT_SCOPE'])
    })

    test(`TK-05: ${kind}: a proof is good once, and for this method, this path and this host`, async () => {
      const peer = peerOf()
      const send = (headers: Record<string, string>) => peer.request({ method: 'POST', path: PATH, headers })
      const good = await eec.headers(peer.origin, { method: 'POST', path: PATH })
      assert.equal((await send(good)).status, 200)
      assert.deepEqual(outcomeOf(await send(good)), [401, 'DPOP_PROOF_INVALID'])
      for (const headers of [
        await eec.headers(peer.origin, { method: 'PUT', path: PATH }),
        await eec.headers(peer.origin, { method: 'POST', path: '/other' }),
        await eec.headers('https://ees9.ecsp.example', { method: 'POST', path: PATH }),
      ]) {
        assert.deepEqual(outcomeOf(await send(headers)), [401, 'DPOP_PROOF_INVALID'])
      }
      const elsewhere = await eec.headers('https://ees9.ecsp.example', { method: 'POST', path: PATH })
      const misdirected = await send({ ...elsewhere, ':authority': 'ees9.ecsp.example' })
      assert.deepEqual(outcomeOf(misdirected), [421, 'MISDIRECTED_REQUEST'])
      const { authorization } = await eec.headers(peer.origin, { method: 'POST', path: PATH })
      assert.deepEqual(outcomeOf(await send({ authorization })), [401, 'DPOP_PROOF_INVALID'])
    })

    test(`TK-06: ${kind}: neither the token of an EES nor that of a stranger's entitlement server is taken`, async () => {
      const peer = peerOf()
      const issuance = { signer: ecs.ecs.tokenSigner, now: Date.now(), jti: randomUUID() }
      const ofEes = await issueAccessToken(
        {
          iss: ecs.ecs.origins.server,
          sub: EES_FQDN,
          aud: EES_FQDN,
          scope: scope(SCOPE),
          certificateThumbprint: 'A'.repeat(43),
        },
        issuance,
      )
      const entitlement = await issueEntitlementToken(
        {
          iss: ENT.iss,
          eecId: eecId('eec-1'),
          aud: EES_FQDN,
          scope: edgeScope(EES_FQDN),
          jkt: 'A'.repeat(43),
          certificateThumbprint: 'A'.repeat(43),
        },
        { ...issuance, signer: signerOf(aKey()) },
      )
      for (const token of [ofEes, entitlement]) {
        assert.deepEqual(outcomeOf(await eec.ask(peer, 'POST', PATH, {}, token)), [401, 'TOKEN_INVALID'])
      }
    })
  }

  test('a route without guard has no EEC', async () => {
    const peer = peers.get('fastify')
    const response = await peer?.request({ method: 'GET', path: '/open' })
    assert.equal(response?.status, 500)
  })

  test('NG-05: an EES that takes entitlement tokens alone takes none of its ECS', async () => {
    const strict = openEecGuard(ees.registration, { methods: ['ENTITLEMENT_TOKEN'] })
    const uri = `https://${EES_FQDN}${PATH}`
    const headers = await eec.headers(`https://${EES_FQDN}`, { method: 'POST', path: PATH })
    await assert.rejects(strict.authorizeEec({ headers, method: 'POST', uri }, SCOPE), { code: 'TOKEN_INVALID' })
    strict.close()
  })
})
