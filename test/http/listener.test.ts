import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { pino } from 'pino'
import { Type } from 'typebox'
import { PeerUnavailable, type Response } from '../../src/http/client.ts'
import { createListener } from '../../src/http/listener.ts'
import { ok, routesOf } from '../../src/http/route.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { serverTls } from '../../src/tls/profile.ts'
import { NOTE, type Peers, type Running, runListener, someRoutes, TOKEN } from './a-listener.ts'
import { type Credentials, NAME, someCredentials } from './credentials.ts'
import { exchangeRaw } from './http1.ts'

const text = ({ body }: Response) => body.toString('utf8')
const json = (response: Response) => JSON.parse(text(response))
const note = (headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  path: '/notes/v1/notes',
  headers: { 'content-type': 'application/json', authorization: TOKEN, ...headers },
  body: JSON.stringify(NOTE),
})

describe('a listener', () => {
  let credentials: Credentials
  let listener: Running
  before(async () => {
    credentials = await someCredentials()
    listener = await runListener({ credentials })
  })
  after(() => listener.close())

  test('serves what it declares, over both versions of HTTP', async () => {
    const peer = listener.peer()
    const created = await peer.request(note())
    assert.equal(created.status, 201)
    assert.equal(created.headers['location'], '/notes/v1/notes/1')
    assert.equal(created.headers['content-type'], 'application/json')
    assert.equal(created.headers['cache-control'], 'no-store')
    assert.deepEqual(json(created), NOTE)
    const { headers } = note()
    const removed = await peer.request({ method: 'DELETE', path: '/notes/v1/notes/1', headers })
    assert.deepEqual([removed.status, text(removed)], [204, ''])
    const shown = await peer.request({ method: 'GET', path: '/notes/v1/notes/a%3Ab?x=1&y=%20' })
    assert.deepEqual(json(shown), { id: 'a:b', query: { x: '1', y: ' ' } })
    peer.close()

    const octets = `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
    const { answers } = await exchangeRaw(await listener.socket(), octets, 200)
    assert.equal(answers[0]?.body, '{"id":"1","query":{}}')
  })

  test('the handler learns what the credential proved, not what the request says of itself', async () => {
    const peer = listener.peer()
    listener.handled.length = 0
    await peer.request(note({ peer: 'x', 'x-token': 'y' }))
    assert.deepEqual(listener.handled[0]?.request.peer, { token: TOKEN })
    assert.equal(listener.handled[0]?.request.path, '/notes/v1/notes')
    peer.close()
  })

  test('ON-15: a listener with a route whose credential nothing checks does not start', () => {
    const start = (credential: string, authenticators: object) =>
      createListener<Peers>({
        name: 'server',
        tls: serverTls(credentials.server),
        hosts: [NAME],
        log: pino({ level: 'silent' }),
        authenticators: authenticators as never,
        routes: someRoutes([]).map((route) => ({ ...route, credential: credential as 'public' })),
      })
    const message = /^server: POST \/notes\/v1\/notes declares no credential that can be checked$/
    for (const credential of ['token', '', 'constructor', 'toString', '__proto__', undefined]) {
      assert.throws(() => start(credential as string, { public: async () => undefined }), { message }, credential)
    }
    assert.throws(() => start('token', { token: true }), { message })
    assert.throws(() => start('token', {}), { message })
    assert.doesNotThrow(() => start('public', { public: async () => undefined }))
  })

  test('ON-15: the credential is checked before an octet of content is read, and before anything is said of it', async () => {
    const peer = listener.peer()
    listener.handled.length = 0
    for (const body of ['not JSON', '{}', 'x'.repeat(70_000)]) {
      const { status, headers } = await peer.request({ ...note({ authorization: 'Bearer other' }), body })
      assert.equal(status, 401)
      assert.equal(headers['www-authenticate'], 'Bearer realm="edgeward"')
    }
    assert.deepEqual(listener.handled, [])
    peer.close()
  })

  test('405 names the methods that the resource takes, whatever comes along', async () => {
    const peer = listener.peer()
    for (const [method, body] of [
      ['POST', 'not JSON'],
      ['POST', undefined],
    ] as const) {
      const { status, headers } = await peer.request({
        ...note(),
        method,
        path: '/notes/v1/notes/1',
        ...(body && { body }),
      })
      assert.deepEqual([status, headers['allow']], [405, 'GET, DELETE, PUT, PATCH'])
    }
    const { status, headers } = await peer.request({ method: 'GET', path: '/notes/v1/notes' })
    assert.deepEqual([status, headers['allow']], [405, 'POST'])
    peer.close()
    for (const method of ['HEAD', 'OPTIONS']) {
      const octets = `${method} /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`
      const socket = await listener.socket()
      socket.write(octets)
      let said = ''
      for await (const part of socket) said += part
      assert.match(said, /^HTTP\/1\.1 405 .*\r\n(.*\r\n)*allow: GET, DELETE, PUT, PATCH\r\n/i, method)
    }
  })

  test('paths are compared letter by letter', async () => {
    const peer = listener.peer()
    for (const path of [
      '/Notes/v1/notes/1',
      '/notes/v1/notes/1/',
      '//notes/v1/notes/1',
      '/notes/v1/notes/',
      '/',
      '/notes//v1/notes/1',
      '/notes/v1/./notes/1',
      '/notes/v1/notes/1;a=b/c',
    ]) {
      assert.equal((await peer.request({ method: 'GET', path })).status, 404, path)
    }
    peer.close()
  })

  test('a refusal of the entity’s own adapters is told as the entity says; any other error says nothing', async () => {
    const explaining = await runListener({
      credentials,
      explain: (error) => (error instanceof TypeError ? new Refusal('NF_CONGESTION', 'not now') : undefined),
      authenticators: {
        public: async ({ operation }) => {
          if (operation.path === '/token') throw new TypeError('canary')
        },
        token: async () => {
          throw new TypeError('canary')
        },
      },
    })
    const peer = explaining.peer()
    const busy = await peer.request(note())
    assert.deepEqual([busy.status, busy.headers['retry-after'], json(busy).detail], [503, '1', 'not now'])
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const token = await peer.request({ method: 'POST', path: '/token', headers, body: 'a=b' })
    assert.deepEqual([token.status, token.headers['retry-after']], [503, '1'])
    assert.equal(json(token).error, 'temporarily_unavailable')
    assert.equal((await peer.request({ method: 'GET', path: '/fault' })).status, 500)
    peer.close()
    await explaining.close()
  })

  test('a connection that is not admitted carries no request, over either version of HTTP', async () => {
    const strict = await runListener({
      credentials,
      admit: () => {
        throw new Refusal('CERTIFICATE_NOT_ACCEPTED', 'no')
      },
    })
    await assert.rejects(strict.peer().request({ method: 'GET', path: '/notes/v1/notes/1' }), PeerUnavailable)
    const socket = await strict.socket()
    const { answers, closed } = await exchangeRaw(socket, `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)
    assert.deepEqual({ answers, closed }, { answers: [], closed: true })
    assert.deepEqual(strict.handled, [])
    assert.match(strict.lines.join(''), /"reason":"CERTIFICATE_NOT_ACCEPTED","msg":"connection not admitted"/)
    await strict.close()
  })

  test('CA-06: chosen connections are dropped at once, the others go on', async () => {
    const [one, other] = [await listener.socket(), await listener.socket()]
    const closed = once(one, 'close')
    one.on('error', () => {}).resume()
    assert.equal(
      listener.listener.drop(({ remotePort }) => remotePort === one.localPort),
      1,
    )
    await closed
    assert.equal(
      listener.listener.drop(() => false),
      0,
    )
    const { answers } = await exchangeRaw(other, `GET /notes/v1/notes/1 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`, 200)
    assert.equal(answers.length, 1)
  })

  test('a new certificate is shown to the next connection', async () => {
    const changing = await runListener({ credentials })
    const before = await changing.socket()
    const { certificateChain, privateKey } = await credentials.forged({})
    changing.listener.setSecureContext(serverTls({ certificateChain, privateKey }))
    const after = await changing.socket()
    assert.notEqual(after.getPeerCertificate().serialNumber, before.getPeerCertificate().serialNumber)
    for (const socket of [before, after]) socket.destroy()
    await changing.close()
  })

  test('a port that is taken is told', async () => {
    const second = createListener<Peers>({
      name: 'second',
      tls: serverTls(credentials.server),
      hosts: [NAME],
      log: pino({ level: 'silent' }),
      authenticators: { public: async () => undefined, token: async () => ({ token: '' }) },
      routes: [],
    })
    await assert.rejects(second.listen('127.0.0.1', listener.port), { code: 'EADDRINUSE' })
    await second.close()
  })
})

describe('closing a listener', () => {
  const route = routesOf<Peers>()
  const waiting = (released: Promise<void>) =>
    route({
      operation: { id: 'Wait', api: 'notes', method: 'GET', path: '/wait', clause: 'none' },
      credential: 'public',
      handle: async () => {
        await released
        return ok({})
      },
    })

  test('what is under way is answered, then the connections are closed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const listener = await runListener({ routes: [waiting(promise)] })
    const [peer, second] = [listener.peer(), await listener.socket()]
    const answers = [
      peer.request({ method: 'GET', path: '/wait' }),
      exchangeRaw(second, `GET /wait HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`),
    ]
    await new Promise((wait) => setTimeout(wait, 100))
    const closed = listener.close()
    await new Promise((wait) => setTimeout(wait, 50))
    resolve()
    const [overHttp2, overHttp1] = await Promise.all(answers)
    assert.equal(overHttp2 && 'status' in overHttp2 && overHttp2.status, 200)
    assert.equal(overHttp1 && 'closed' in overHttp1 && overHttp1.closed && overHttp1.answers[0]?.status, 200)
    await closed
    await assert.rejects(peer.request({ method: 'GET', path: '/wait' }), { phase: 'connect' })
  })

  test('neither idle clients, hanging work, nor half a handshake hold it up', async () => {
    const listener = await runListener({ routes: [waiting(new Promise(() => {}))], deadlines: { close: 200 } })
    const peer = listener.peer()
    const hanging = assert.rejects(peer.request({ method: 'GET', path: '/wait' }))
    const others = [await listener.socket(), await listener.socket('h2'), connect(listener.port, '127.0.0.1')]
    for (const socket of others) socket.on('error', () => {})
    await new Promise((wait) => setTimeout(wait, 100))
    const from = performance.now()
    await listener.close()
    assert.ok(performance.now() - from < 3_000)
    await hanging
    for (const socket of others) socket.destroy()
  })
})

describe('routes', () => {
  test('a route that takes no content has none, whatever type was stated', async () => {
    const route = routesOf<Peers>()
    const seen: unknown[] = []
    const listener = await runListener({
      routes: [
        route({
          operation: { id: 'Ring', api: 'notes', method: 'POST', path: '/ring', clause: 'none' },
          credential: 'public',
          async handle({ body }) {
            seen.push(body)
            return { status: 202 }
          },
        }),
        route({
          operation: { id: 'Small', api: 'notes', method: 'POST', path: '/small', clause: 'none' },
          credential: 'public',
          content: { mediaType: 'application/json', schema: Type.Unknown(), limit: 10 },
          handle: async () => ({ status: 202, body: Buffer.from([1, 2]), headers: { 'content-type': 'a/b' } }),
        }),
      ],
    })
    const peer = listener.peer()
    const post = (path: string, headers: Record<string, string>, body?: string) =>
      peer.request({ method: 'POST', path, headers, ...(body !== undefined && { body }) })
    assert.equal((await post('/ring', {})).status, 202)
    assert.equal((await post('/ring', { 'content-type': 'application/json' })).status, 202)
    assert.equal((await post('/ring', { 'content-type': 'text/x' })).status, 202)
    assert.equal((await post('/ring', {}, 'x')).status, 415)
    assert.deepEqual(seen, [undefined, undefined, undefined])
    const type = { 'content-type': 'application/json' }
    assert.equal((await post('/small', type, '12345678901')).status, 413)
    const small = await post('/small', type, '1234567890')
    assert.deepEqual([small.headers['content-type'], small.body], ['a/b', Buffer.from([1, 2])])
    peer.close()
    await listener.close()
  })
})
