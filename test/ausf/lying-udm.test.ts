import assert from 'node:assert/strict'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { openNfFolder } from '../../src/nf/adapters/folder.ts'
import { systemTimers, type Timers } from '../../src/ports/timers.ts'
import { mutualTls } from '../../src/tls/profile.ts'
import { UDM, type UdmConfiguration } from '../../src/udm/configuration.ts'
import { authCtxIdOf, authenticate, confirm, type RunningCore, runCore, SUPI } from './a-core.ts'

const RES_STAR = 'f236a7417272bfb2d66d4d670733b527'
const VECTOR = {
  avType: '5G_HE_AKA',
  rand: '23553cbe9637a89d218ae64dae47bf35',
  autn: '55f328b43577b9b94a9ffac354dfafb3',
  xresStar: RES_STAR,
  kausf: '474698caf02cc715db2ec0726510cfee6caa5bb1a649cb01224f2e23af94de1b',
}
const AKA_PRIME_VECTOR = {
  avType: 'EAP_AKA_PRIME',
  rand: VECTOR.rand,
  autn: VECTOR.autn,
  xres: 'a54211d5e3ba50bf',
  ckPrime: '2def1303f911a1dbf383c5c43603af11',
  ikPrime: 'ed618c501a81783428dbcb39707d5532',
}
const TRUTH = { authType: '5G_AKA', authenticationVector: VECTOR, supi: SUPI, edgeInd: true, routingId: '0' }

type Says = (stream: ServerHttp2Stream, path: string) => void

/** An answer with a status, and headers where they matter. */
const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): Says =>
  (stream) => {
    stream.respond({ ':status': status, 'content-type': 'application/json', ...headers })
    stream.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
const honest: Says = (stream, path) => {
  if (path.endsWith('/generate-auth-data')) says(200, TRUTH)(stream, path)
  else says(201, {}, { location: `https://udm${path}/1` })(stream, path)
}

describe('KE-13: an AUSF whose UDM is down, slow or lies', () => {
  let core: RunningCore
  let server: Http2SecureServer
  let udm: Says = honest
  const sessions = new Set<{ close(): void }>()
  let waited = 0
  const timers: Timers = {
    ...systemTimers,
    after: (milliseconds, action) =>
      systemTimers.after(milliseconds, () => {
        waited += 1
        action()
      }),
  }
  before(async () => {
    core = await runCore({ ausf: { timers } })
    const { credential, root, configuration } = await openNfFolder<UdmConfiguration>(
      `${core.folder}/udm`,
      UDM,
      undefined,
    )
    await core.stopUdm()
    server = createSecureServer(mutualTls(credential.current(), [root]))
    server.on('session', (session) => sessions.add(session))
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      udm(stream, String(headers[':path']))
    })
    await new Promise<void>((done) => server.listen(configuration.listen.mtls, '127.0.0.1', done))
  })
  after(async () => {
    await core.close()
    server.close()
  })

  const change = (member: object) => says(200, { ...TRUTH, ...member })
  const vector = (member: object) => change({ authenticationVector: { ...VECTOR, ...member } })
  const lies: readonly (readonly [string, Says])[] = [
    ['no answer at all', () => {}],
    ['HTML', says(200, '<html></html>')],
    ['10 MB', says(200, `"${'a'.repeat(1e7)}"`)],
    ['an empty answer', says(204, '')],
    ['a redirect', says(307, {}, { location: 'https://elsewhere.example/' })],
    ['an error of its own', says(500, { cause: 'SYSTEM_FAILURE' })],
    ['a cause that is not known', says(403, { cause: 'LET_IT_IN' })],
    ['a cause in a success', says(200, { cause: 'USER_NOT_FOUND' })],
    ['no vector', change({ authenticationVector: undefined })],
    ['no SUPI', change({ supi: undefined })],
    ['another SUPI', change({ supi: 'imsi-001010000000002' })],
    ['a SUPI that is none', change({ supi: 'root' })],
    ['another method than the vector', change({ authType: 'EAP_AKA_PRIME' })],
    ['a method that is not spoken', change({ authType: 'EAP_TLS' })],
    ['no authentication', change({ authType: 'NONE' })],
    ['a KAUSF of zeros', vector({ kausf: '00'.repeat(32) })],
    ['a KAUSF of 31 octets', vector({ kausf: VECTOR.kausf.slice(2) })],
    ['a KAUSF of 33 octets', vector({ kausf: `${VECTOR.kausf}00` })],
    ['a short XRES*', vector({ xresStar: RES_STAR.slice(2) })],
    ['no XRES*', vector({ xresStar: undefined })],
    ['a vector of both methods', vector(AKA_PRIME_VECTOR)],
    ['a vector under another name', vector({ avType: 'EAP_AKA_PRIME' })],
    [
      "a CK' of zeros",
      change({ authType: 'EAP_AKA_PRIME', authenticationVector: { ...AKA_PRIME_VECTOR, ckPrime: '00'.repeat(16) } }),
    ],
    ['a routing indicator that is none', change({ routingId: 'x' })],
    ['a list without EEC IDs', change({ eecIds: [] })],
    ['no list where one belongs', change({ eecIds: null })],
    ['17 EEC IDs', change({ eecIds: Array.from({ length: 17 }, (_, n) => `eec-${n}`) })],
    ['an EEC ID that is none', change({ eecIds: ['eec-1', ''] })],
    ['an EEC ID twice', change({ eecIds: ['eec-1', 'eec-1'] })],
  ]
  for (const [title, lie] of lies) {
    test(`${title}: 503, and no challenge`, async () => {
      udm = lie
      const { status, body } = await authenticate(core.seaf)
      assert.deepEqual([status, body.cause, body.authType], [503, 'NF_CONGESTION', undefined])
    })
  }

  test('an honest one is believed, and what it says of the subscriber is passed on', async () => {
    udm = honest
    assert.equal((await authenticate(core.seaf)).status, 201)
    udm = says(404, { cause: 'USER_NOT_FOUND', detail: SUPI })
    const refused = await authenticate(core.seaf)
    assert.deepEqual([refused.status, refused.body.cause], [404, 'USER_NOT_FOUND'])
    assert.ok(!refused.text.includes(SUPI), 'but not in its words')
  })

  test('6.1.4.1a: nobody is authenticated while the UDM does not hear of it; then the same answer holds', async () => {
    udm = honest
    const authCtxId = authCtxIdOf(await authenticate(core.seaf))
    for (const deaf of [says(500, {}), says(201, {}), says(201, {}, { location: '/' })]) {
      udm = deaf
      const failed = await confirm(core.seaf, authCtxId, RES_STAR)
      assert.deepEqual([failed.status, failed.body.authResult], [503, undefined])
    }
    udm = honest
    const confirmed = await confirm(core.seaf, authCtxId, RES_STAR)
    assert.equal(confirmed.body.authResult, 'AUTHENTICATION_SUCCESS')
  })

  test('a UDM that is not there: 503 at once', async () => {
    await new Promise<void>((done) => {
      server.close(() => done())
      for (const session of sessions) session.close()
    })
    const before = waited
    assert.equal((await authenticate(core.seaf)).status, 503)
    assert.equal(waited, before, 'nobody waits for an answer that cannot come')
  })
})
