import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { type DeviceRoutePorts, deviceRoutes } from '../../src/entitlement/routes/device-routes.ts'
import { documentTypeFor, takesEapRelay, writeDocument } from '../../src/entitlement/ts43/document.ts'
import { openNfFolder } from '../../src/nf/adapters/folder.ts'
import { rateLimit } from '../../src/nf/rate-limit.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { mutualTls } from '../../src/tls/profile.ts'
import { UDM, type UdmConfiguration } from '../../src/udm/configuration.ts'
import { needs } from '../judges.ts'
import {
  acquisition,
  authenticate,
  ECS,
  ENT,
  naiOf,
  type RunningEntitlement,
  runEntitlement,
  SET_1,
  SUPI,
  TERMINAL,
  usimOf,
} from './an-entitlement-server.ts'

const run = promisify(execFile)
const outcome = ({ status, body }: { status: number; body: { cause?: string } }) => [status, body.cause]
const START = { ...TERMINAL, EAP_ID: naiOf(SUPI) }

describe('requests of devices: GSMA TS.43 2.2, 2.3, 2.12', () => {
  let ent: RunningEntitlement
  before(async () => {
    ent = await runEntitlement()
    await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1' })
  })
  after(() => ent.close())

  test('GET and POST take the same parameters, without regard to the case of their values', async () => {
    for (const begun of [await ent.device.get(START), await ent.device.post({ ...START, app: 'AP2015' })]) {
      assert.equal(begun.status, 200)
      assert.equal(begun.headers['content-type'], 'application/vnd.gsma.eap-relay.v1.0+json')
      const cookie = String(begun.headers['set-cookie'])
      assert.match(cookie, /^__Host-entitlement-session=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
      const { response } = usimOf(begun.body['eap-relay-packet'] ?? '')
      const done = await ent.device.relay(response(), begun.cookie)
      assert.equal(done.status, 200)
      assert.match(String(done.headers['set-cookie']), /Max-Age=0$/)
      assert.deepEqual(Object.keys(done.body), ['Vers', 'Token', 'ap2015'])
    }
    const lower = { ...acquisition(), operation: 'acquireoperatortoken' }
    const told = await authenticate(ent.device, lower, { headers: await ent.device.proof() })
    assert.ok(told.body.ap2015['OperatorToken'])
  })

  test('each parameter that is missing or wrong is told by its status', async () => {
    const { device } = ent
    for (const name of Object.keys(TERMINAL)) {
      const { [name as keyof typeof TERMINAL]: _, ...rest } = START
      assert.deepEqual(outcome(await device.post(rest)), [400, 'MANDATORY_IE_MISSING'], name)
    }
    assert.deepEqual(outcome(await device.post({ ...START, app: 'ap2004' })), [400, 'MANDATORY_IE_INCORRECT'])
    assert.deepEqual(outcome(await device.post({ ...START, operation: 'x' })), [400, 'OPTIONAL_IE_INCORRECT'])
    assert.deepEqual(outcome(await device.post({ ...START, terminal_id: ['1'] })), [400, 'MANDATORY_IE_INCORRECT'])
    const version = (entitlement_version: string) => device.post({ ...START, entitlement_version })
    assert.deepEqual(outcome(await version('1.0')), [406, 'ENTITLEMENT_VERSION_UNSUPPORTED'])
    assert.deepEqual(outcome(await version('12')), [400, 'MANDATORY_IE_INCORRECT'])
    assert.deepEqual(outcome(await device.post(TERMINAL)), [511, 'AUTHENTICATION_REQUIRED'])
    const neither = await device.post(START, { accept: 'text/html' })
    assert.deepEqual(outcome(neither), [406, 'NOT_ACCEPTABLE'])
    const noRelay = await device.post(START, { accept: 'application/json' })
    assert.deepEqual(outcome(noRelay), [406, 'NOT_ACCEPTABLE'])
    const put = await device.peer.request({ method: 'PUT', path: '/' })
    assert.deepEqual([put.status, put.headers.allow], [405, 'GET, POST'])
    assert.deepEqual(outcome(await device.relay('AA=', '')), [400, 'MANDATORY_IE_INCORRECT'])
  })

  test('a subscriber who is unknown here, or to the UDM, is refused in the same words', async () => {
    const unknown = await ent.device.post({ ...START, EAP_ID: naiOf('imsi-001010000000009') })
    const foreign = await ent.device.post({ ...START, EAP_ID: naiOf('imsi-262010000000001') })
    assert.deepEqual(outcome(unknown), [403, 'AUTHENTICATION_REJECTED'])
    assert.deepEqual(outcome(foreign), [403, 'AUTHENTICATION_REJECTED'])
  })

  test('HTTP/1.1 is answered too (D-35)', needs('curl'), async () => {
    const { host, port } = new URL(ent.server.listeners.server)
    const url = `https://${ENT}:${port}/`
    const root = ['--cacert', join(ent.folder, 'ca', 'root.crt'), '--resolve', `${ENT}:${port}:${host.split(':')[0]}`]
    const body = ['-H', 'content-type: application/json', '-d', JSON.stringify(START)]
    const format = '%{http_version} %{http_code}'
    const { stdout } = await run('curl', ['-sS', '--http1.1', ...root, ...body, '-w', format, url])
    assert.match(stdout, /"eap-relay-packet".*1\.1 200$/)
  })
})

describe('the configuration document: GSMA TS.43 2.9', () => {
  const document = {
    Vers: { version: '1', validity: '60' },
    Token: { token: 'abc', validity: '60' },
    ap2015: { ClientID: `<"'&>`, OperationResult: '1' },
  }

  test('in XML as in JSON, each with its characteristics', () => {
    assert.deepEqual(JSON.parse(writeDocument(document, 'application/json')), document)
    assert.equal(
      writeDocument(document, 'text/vnd.wap.connectivity-xml'),
      `<?xml version="1.0"?>
<wap-provisioningdoc version="1.1">
  <characteristic type="VERS">
    <parm name="version" value="1"/>
    <parm name="validity" value="60"/>
  </characteristic>
  <characteristic type="TOKEN">
    <parm name="token" value="abc"/>
    <parm name="validity" value="60"/>
  </characteristic>
  <characteristic type="APPLICATION">
    <parm name="AppID" value="ap2015"/>
    <parm name="ClientID" value="&#60;&#34;&#39;&#38;&#62;"/>
    <parm name="OperationResult" value="1"/>
  </characteristic>
</wap-provisioningdoc>
`,
    )
  })

  test('the terminal says what it takes: RFC 9110 12.5.1', () => {
    const [json, xml, relay] = [
      'application/json',
      'text/vnd.wap.connectivity-xml',
      'application/vnd.gsma.eap-relay.v1.0+json',
    ]
    const refused = { name: 'Refusal', code: 'NOT_ACCEPTABLE' }
    const chosen: [accept: string | undefined, type: string][] = [
      [undefined, json],
      ['*/*', json],
      ['application/*;q=0.5', json],
      [`${relay}, ${xml}`, xml],
      [`${xml}, ${json};q=0.1`, json],
      [`${json};q=0, TEXT/*`, xml],
    ]
    for (const [accept, type] of chosen) assert.equal(documentTypeFor(accept), type, accept)
    for (const accept of [relay, `${xml};q=0.000`, 'text/html', '']) {
      assert.throws(() => documentTypeFor(accept), refused, accept)
    }
    assert.deepEqual([undefined, '*/*', relay, xml].map(takesEapRelay), [true, true, true, false])
  })
})

describe('an entitlement server whose UDM is down or lies', () => {
  let ent: RunningEntitlement
  let udm: Http2SecureServer
  let said: { status: number; body: unknown }
  const vector = {
    avType: 'EAP_AKA',
    rand: '23553cbe9637a89d218ae64dae47bf35',
    autn: '55f328b43577b9b94a9ffac354dfafb3',
    xres: 'a54211d5e3ba50bf',
    ck: 'b40ba9a3c58b2a05bbf0d987b21bf8cb',
    ik: 'f769bcd751044604127672711c6d3441',
  }
  const sessions = new Set<{ destroy(): void }>()
  before(async () => {
    ent = await runEntitlement({ subscribers: [SET_1] })
    const { credential, root, configuration } = await openNfFolder<UdmConfiguration>(
      join(ent.folder, 'udm'),
      UDM,
      undefined,
    )
    await ent.stopUdm()
    udm = createSecureServer(mutualTls(credential.current(), [root]))
    udm.on('session', (session) => sessions.add(session))
    udm.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.respond({ ':status': said.status, 'content-type': 'application/json' })
      stream.end(JSON.stringify(said.body))
    })
    await new Promise<void>((done) => udm.listen(configuration.listen.mtls, '127.0.0.1', done))
  })
  after(async () => {
    for (const session of sessions) session.destroy()
    udm.close()
    await ent.close()
  })

  test('what is no vector is no challenge, and what is no clear word is no rejection: 503, with a time to try again', async () => {
    const { xres: _, ...incomplete } = vector
    const wrong: { status: number; body: unknown }[] = [
      { status: 500, body: {} },
      { status: 404, body: {} },
      { status: 200, body: {} },
      { status: 200, body: { cause: 'USER_NOT_FOUND' } },
      { status: 200, body: { hssAuthenticationVectors: [] } },
      { status: 200, body: { hssAuthenticationVectors: [incomplete] } },
      { status: 200, body: { hssAuthenticationVectors: [{ ...vector, avType: 'IMS_AKA' }] } },
      { status: 200, body: { hssAuthenticationVectors: [{ ...vector, ck: vector.ck.slice(2) }] } },
      { status: 200, body: { hssAuthenticationVectors: [vector, vector] } },
      { status: 302, body: { hssAuthenticationVectors: [vector] } },
    ]
    for (said of wrong) {
      const told = await ent.device.post(START)
      assert.deepEqual(outcome(told), [503, 'NF_CONGESTION'], JSON.stringify(said))
      assert.ok(Number(told.headers['retry-after']) > 0)
    }
    said = { status: 404, body: { cause: 'USER_NOT_FOUND' } }
    assert.deepEqual(outcome(await ent.device.post(START)), [403, 'AUTHENTICATION_REJECTED'])
    said = { status: 200, body: { hssAuthenticationVectors: [vector] } }
    const challenged = await ent.device.post(START)
    assert.equal(
      challenged.body['eap-relay-packet'],
      'AQEARBcBAAABBQAAI1U8vpY3qJ0hiuZNrke/NQIFAABV8yi0NXe5uUqf+sNU36+zCwUAAHVFswIHhI9pMNidco/B9Uw=',
    )
    const done = await ent.device.relay('AgEAKBcBAAADAwBApUIR1eO6UL8LBQAA+ZNo8Erza2B+vRs2qxj6wQ==', challenged.cookie)
    assert.equal(done.status, 200)
  })
})

test('an operator who lets tokens be unbound, and names their audiences, is obeyed', async (t) => {
  const operatorTokens = { lifetime: 60, unbound: 'allowed', audiences: [ECS] }
  const ent = await runEntitlement({ configuration: { operatorTokens } })
  t.after(() => ent.close())
  await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1' })
  const { body } = await authenticate(ent.device, acquisition())
  const claims = JSON.parse(Buffer.from(body.ap2015['OperatorToken']?.split('.')[1] ?? '', 'base64url').toString())
  assert.equal(claims.cnf, undefined)
  assert.equal(claims.exp - claims.iat, 60)
  const other = await authenticate(ent.device, acquisition('eec-1', 'ees.example.com'))
  assert.deepEqual(outcome(other), [400, 'SCOPE_NOT_GRANTED'])
})

test('an address that asks too often is told to wait, and so is a subscriber', async (t) => {
  const requests = { perSecond: 0.01, burst: 6 }
  const ent = await runEntitlement({ configuration: { requests, tokenRequests: { perSecond: 0.01, burst: 1 } } })
  t.after(() => ent.close())
  await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1' })
  const headers = await ent.device.proof()
  assert.equal((await authenticate(ent.device, acquisition(), { headers })).status, 200)
  assert.deepEqual(outcome(await authenticate(ent.device, acquisition(), { headers })), [429, 'TOO_MANY_REQUESTS'])
  await ent.device.post(START)
  await ent.device.post(START)
  assert.deepEqual(outcome(await ent.device.post(START)), [429, 'TOO_MANY_REQUESTS'])
})

test('KE-08: all addresses of one IPv6 network ask as one', async () => {
  const mayAsk = rateLimit({ perSecond: 0.01, burst: 2 }, () => 0)
  const [byGet] = deviceRoutes({ mayAsk } as DeviceRoutePorts)
  const askedFrom = async (remoteAddress: string) => {
    const socket = { remoteAddress } as TLSSocket
    const request = { peer: undefined, body: undefined, params: {}, query: {}, headers: {}, path: '/', socket }
    const refusal = await byGet?.handle(request).catch((error: unknown) => error)
    return refusal instanceof Refusal ? refusal.code : refusal
  }
  const codes: unknown[] = []
  for (const host of ['1', '2', '3', '4']) codes.push(await askedFrom(`2001:db8:1:2::${host}`))
  assert.deepEqual(codes, [...Array(2).fill('MANDATORY_IE_MISSING'), ...Array(2).fill('TOO_MANY_REQUESTS')])
  assert.equal(await askedFrom('2001:db8:1:3::1'), 'MANDATORY_IE_MISSING')
})
