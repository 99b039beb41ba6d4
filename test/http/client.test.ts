import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http2, { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { createServer } from 'node:net'
import { before, describe, test } from 'node:test'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { openPeer, PeerUnavailable } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { serverTls } from '../../src/tls/profile.ts'
import { type Credentials, NAME, someCredentials } from './credentials.ts'

type Behaviour = (stream: ServerHttp2Stream, count: number, headers: http2.IncomingHttpHeaders) => void

const GET = { method: 'GET', path: '/' } as const
const answerHello: Behaviour = (stream) => {
  stream.respond({ ':status': 200 })
  stream.end('hello')
}
/** A port on which nobody listens any more. */
const deadPort = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}
const failed = (phase: 'connect' | 'answer', message: RegExp) => ({ name: 'PeerUnavailable', phase, message })

describe('a client of one server', () => {
  let credentials: Credentials
  before(async () => {
    credentials = await someCredentials()
  })

  /** A server of HTTP/2 that does as it is told. */
  async function runServer(behaviour: Behaviour, options: http2.SecureServerOptions = serverTls(credentials.server)) {
    const sockets: TLSSocket[] = []
    const seen = { streams: 0 }
    const server = http2.createSecureServer(options)
    server.on('secureConnection', (socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
    })
    server.on('sessionError', () => {}).on('tlsClientError', () => {})
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      seen.streams++
      behaviour(stream, seen.streams, headers)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    return {
      port,
      sockets,
      seen,
      server,
      peer: () => openPeer(`https://${NAME}:${port}`, clientTls([credentials.rootPem]), new Map([[NAME, '127.0.0.1']])),
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy()
        await new Promise((closed) => server.close(closed))
      },
    }
  }
  const reach = (port: number, roots = [credentials.rootPem], name: string = NAME) =>
    openPeer(`https://${name}:${port}`, clientTls(roots), new Map([[name, '127.0.0.1']])).request(GET)

  test('one connection carries all requests, with their octets counted', async () => {
    await using running = await runServer((stream, _count, headers) => {
      const parts: Buffer[] = []
      stream
        .on('data', (part: Buffer) => parts.push(part))
        .on('end', () => {
          stream.respond({ ':status': 200, 'x-length': headers['content-length'] ?? 'none' })
          stream.end(Buffer.concat([Buffer.from(`${headers[':method']} ${headers[':path']} `), ...parts]))
        })
    })
    const peer = running.peer()
    const asked = await Promise.all([
      peer.request({ method: 'POST', path: '/a?b=c', body: 'é' }),
      peer.request({ method: 'PUT', path: '/d', body: Buffer.from([0x78]) }),
      peer.request({ method: 'DELETE', path: '/e', body: 'y' }),
      peer.request({ method: 'POST', path: '/f', body: '' }),
      peer.request(GET),
    ])
    assert.deepEqual(
      asked.map(({ headers, body }) => [headers['x-length'], body.toString()]),
      [
        ['2', 'POST /a?b=c é'],
        ['1', 'PUT /d x'],
        ['1', 'DELETE /e y'],
        ['0', 'POST /f '],
        ['none', 'GET / '],
      ],
    )
    assert.equal(running.sockets.length, 1)
    assert.equal((await peer.socket()).localPort, running.sockets[0]?.remotePort)
    peer.close()
  })

  test('an origin is a scheme, a name and a port', () => {
    for (const origin of [
      'http://a.example',
      'https://a.example/b',
      'https://a@b.example',
      'https://a.example?b',
      'https://a.example#b',
      'ftp://a.example',
    ]) {
      assert.throws(() => openPeer(origin, {}), TypeError, origin)
    }
    for (const origin of ['https://a.example', 'https://a.example:443', 'https://a.example/']) {
      assert.equal(openPeer(origin, {}).origin, origin)
    }
  })

  test('HT-06: no redirect and no alternative is followed: nobody else sees a connection', async () => {
    let strangers = 0
    const canary = createServer((socket) => {
      strangers++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(canary, 'listening')
    const { port } = canary.address() as { port: number }
    const elsewhere = `https://127.0.0.1:${port}/`
    await using running = await runServer((stream, _count, headers) => {
      const status = Number(String(headers[':path']).slice(1))
      const session = stream.session as ServerHttp2Session
      session.altsvc(`h2="127.0.0.1:${port}"`, `https://${NAME}`)
      session.origin(`https://127.0.0.1:${port}`)
      const fields = {
        location: elsewhere,
        'alt-svc': `h2="127.0.0.1:${port}"`,
        refresh: `0; url=${elsewhere}`,
        link: `<${elsewhere}>; rel=preload`,
      }
      stream.respond({ ':status': status, ...fields }, { endStream: status < 300 })
      if (status >= 300) stream.end()
    })
    const peer = running.peer()
    for (const status of [200, 201, 300, 301, 302, 303, 305, 307, 308, 401, 421, 503]) {
      const answer = await peer.request({ method: 'GET', path: `/${status}` })
      assert.equal(answer.status, status)
      assert.equal(answer.headers.location, elsewhere)
    }
    assert.equal(running.sockets.length, 1)
    peer.close()
    await new Promise((closed) => canary.close(closed))
    assert.equal(strangers, 0)
  })

  test('HT-06: a name is reached where we were told, or where DNS says, and called by its name either way', async () => {
    const names: (string | undefined)[] = []
    await using running = await runServer((stream, count, headers) => {
      names.push(headers[':authority'])
      answerHello(stream, count, headers)
    })
    // No DNS has this name: it can only have come from the table.
    assert.equal((await reach(running.port)).status, 200)
    assert.deepEqual(names, [`${NAME}:${running.port}`])
    assert.equal(running.sockets[0]?.servername, NAME)
    const asked: string[] = []
    const lookup = (
      name: string,
      _options: object,
      done: (error: null, found: { address: string; family: number }[]) => void,
    ) => {
      asked.push(name)
      done(null, [{ address: '127.0.0.1', family: 4 }])
    }
    const tls = { ...clientTls([credentials.rootPem]), lookup: lookup as never }
    const peer = openPeer(`https://${NAME}:${running.port}`, tls, new Map([['other.example', '192.0.2.1']]))
    assert.equal((await peer.request(GET)).status, 200)
    assert.deepEqual(asked, [NAME])
    peer.close()
  })

  test('ON-07: a server of another name or under another root gets no request', async () => {
    await using running = await runServer(answerHello)
    const stranger = await someCredentials()
    await assert.rejects(reach(running.port, [stranger.rootPem]), failed('connect', /local issuer/))
    await assert.rejects(reach(running.port, undefined, 'ecs2.ecsp.example'), failed('connect', /not for ecs2/))
    await assert.rejects(reach(running.port, []), failed('connect', /./))
    assert.equal(running.seen.streams, 0)
  })

  test('a server that is not there, no TLS server, or none of HTTP/2 is not asked', async () => {
    await assert.rejects(reach(await deadPort()), failed('connect', /ECONNREFUSED/))
    const servers = {
      'no TLS': createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'closed at once': createServer((socket) => socket.destroy()),
      'closed after the ClientHello': createServer((socket) => socket.once('data', () => socket.end())),
      'HTTP/1.1': createTlsServer({ ...serverTls(credentials.server), ALPNProtocols: ['http/1.1'] } as never),
      'no ALPN': createTlsServer(serverTls(credentials.server) as never),
    }
    for (const [name, server] of Object.entries(servers)) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      await assert.rejects(reach(port), { name: 'PeerUnavailable', phase: 'connect' }, name)
      await new Promise((closed) => server.close(closed))
    }
  })

  test('a handshake that does not end is given up after five seconds', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const from = performance.now()
    await assert.rejects(reach((silent.address() as { port: number }).port), failed('connect', /no connection in time/))
    assert.ok(performance.now() - from >= 4_990)
    silent.close()
  })

  test('PS-07: a connection that is not accepted carries no octet of HTTP', async () => {
    await using running = await runServer(answerHello)
    const peer = openPeer(
      `https://${NAME}:${running.port}`,
      clientTls([credentials.rootPem]),
      new Map([[NAME, '127.0.0.1']]),
      () => {
        throw new Error('not this one')
      },
    )
    await assert.rejects(peer.request(GET), failed('connect', /not this one/))
    assert.equal(running.sockets[0]?.bytesRead ?? 0, 0)
  })

  test('an answer that does not come, or does not end, is given up; the next request goes on a new connection', async () => {
    await using running = await runServer((stream, count, headers) => {
      if (count === 1) return
      if (count > 2) return answerHello(stream, count, headers)
      stream.respond({ ':status': 200 })
      stream.write('hel')
    })
    const peer = running.peer()
    await assert.rejects(peer.request({ ...GET, patience: 200 }), failed('answer', /no answer in time/))
    await assert.rejects(peer.request({ ...GET, patience: 200 }), failed('answer', /no answer in time/))
    assert.equal((await peer.request(GET)).body.toString(), 'hello')
    assert.equal(running.sockets.length, 3)
    peer.close()
  })

  test('an answer of 1 MiB is taken, a longer one is not read to its end', async () => {
    let sent = 0
    await using running = await runServer((stream, count) => {
      stream.respond({ ':status': 200 })
      if (count === 1) return stream.end(Buffer.alloc(1_048_576))
      const pour = () => {
        while (!stream.destroyed && sent < 100_000_000 && stream.write(Buffer.alloc(65_536))) sent += 65_536
      }
      stream.on('drain', pour)
      pour()
    })
    const peer = running.peer()
    assert.equal((await peer.request(GET)).body.length, 1_048_576)
    await assert.rejects(peer.request(GET), failed('answer', /too long/))
    assert.ok(sent < 8_000_000, `${sent} octets`)
    peer.close()
  })

  const cuts: Readonly<Record<string, Behaviour>> = {
    'the connection breaks before an answer': (stream) => stream.session?.socket.destroy(),
    'the connection breaks in the answer': (stream) => begun(stream, () => stream.session?.destroy()),
    'the stream breaks in the answer': (stream) => begun(stream, () => stream.destroy(new Error('broken'))),
    'the answer is shorter than announced': (stream) => {
      stream.respond({ ':status': 200, 'content-length': '10' })
      stream.end('hel')
    },
    'the stream ends without an answer': (stream) => stream.close(constants.NGHTTP2_CANCEL),
  }
  for (const [name, behaviour] of Object.entries(cuts)) {
    test(`${name}: half an answer is none, and it is not asked twice`, async () => {
      await using running = await runServer(behaviour)
      const peer = running.peer()
      await assert.rejects(peer.request({ ...GET, patience: 2_000 }), { name: 'PeerUnavailable', phase: 'answer' })
      assert.equal(running.seen.streams, 1)
      peer.close()
    })
  }

  test('RFC 9113 8.7: a refused stream is asked once more on a new connection, and not a third time', async () => {
    const refuse: Behaviour = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)
    await using once = await runServer((stream, count, headers) =>
      (count === 1 ? refuse : answerHello)(stream, count, headers),
    )
    const peer = once.peer()
    assert.equal((await peer.request({ method: 'POST', path: '/', body: 'x' })).status, 200)
    assert.deepEqual([once.seen.streams, once.sockets.length], [2, 2])
    peer.close()
    await using always = await runServer(refuse)
    await assert.rejects(always.peer().request(GET), failed('connect', /REFUSED_STREAM/))
    assert.deepEqual([always.seen.streams, always.sockets.length], [2, 2])
  })

  test('RFC 9113 6.8: after GOAWAY the answer under way is taken, and the next request goes on a new connection', async () => {
    await using running = await runServer((stream, count, headers) => {
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR, stream.id)
      setTimeout(() => answerHello(stream, count, headers), 50)
    })
    const peer = running.peer()
    for (const expected of [1, 2, 3]) {
      assert.equal((await peer.request(GET)).body.toString(), 'hello')
      assert.equal(running.sockets.length, expected)
    }
    peer.close()
  })

  test('a server that went and came back between two requests is reached again', async () => {
    const running = await runServer(answerHello)
    const peer = running.peer()
    assert.equal((await peer.request(GET)).status, 200)
    const kept = await peer.socket()
    await running[Symbol.asyncDispose]()
    if (!kept.destroyed) await once(kept, 'close')
    await assert.rejects(peer.request(GET), failed('connect', /ECONNREFUSED/))
    const again = http2.createSecureServer(serverTls(credentials.server))
    again.on('stream', (stream) => answerHello(stream, 0, {}))
    again.listen(running.port, '127.0.0.1')
    await once(again, 'listening')
    assert.equal((await peer.request(GET)).status, 200)
    peer.close()
    await new Promise((closed) => again.close(closed))
  })

  test('close ends the connection after what is under way; a message that HTTP cannot carry is the caller’s fault', async () => {
    await using running = await runServer(
      (stream, count, headers) => void setTimeout(() => answerHello(stream, count, headers), 100),
    )
    const peer = running.peer()
    await assert.rejects(peer.request({ ...GET, headers: { 'x y': 'a' } }), TypeError)
    await assert.rejects(peer.request({ ...GET, headers: { connection: 'close' } }), TypeError)
    const answer = peer.request(GET)
    await new Promise((wait) => setTimeout(wait, 50))
    peer.close()
    assert.equal((await answer).status, 200)
    const [socket] = running.sockets
    if (socket && !socket.destroyed) await once(socket, 'close')
    assert.equal(running.sockets.length, 1)
    peer.close()
  })

  test('a kept connection keeps no process alive', async () => {
    await using running = await runServer(answerHello)
    const program = `
      import { openPeer } from './src/http/client.ts'
      import { clientTls } from './src/tls/client.ts'
      const [root, port] = process.argv.slice(1)
      const peer = openPeer('https://${NAME}:' + port, clientTls([root]), new Map([['${NAME}', '127.0.0.1']]))
      console.log((await peer.request({ method: 'GET', path: '/' })).status)`
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--input-type=module',
        '--eval',
        program,
        '--',
        credentials.rootPem,
        String(running.port),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 },
    )
    let said = ''
    child.stdout.on('data', (part) => {
      said += part
    })
    const [code] = await once(child, 'exit')
    assert.deepEqual([code, said], [0, '200\n'])
  })

  test('PeerUnavailable says whether the peer can have acted', () => {
    const error = new PeerUnavailable('answer', 'why', { cause: 1 })
    assert.deepEqual([error.phase, error.message, error.cause], ['answer', 'why', 1])
  })
})

function begun(stream: ServerHttp2Stream, then: () => void): void {
  stream.respond({ ':status': 200 })
  stream.write('hel')
  setTimeout(then, 50)
}
