import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { nfClient } from '../../src/nf/adapters/nf-client.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import { mutualTls, type ServerCredential } from '../../src/tls/profile.ts'
import { anNf, anotherDomain, certified } from './a-network.ts'

const UNAVAILABLE = { name: 'Refusal', code: 'NF_CONGESTION' }

describe('calling another network function', () => {
  let server: Http2SecureServer
  let domain: Awaited<ReturnType<typeof anotherDomain<'nf-issuer'>>>
  let answer: (stream: ServerHttp2Stream) => void = () => {}
  const anAusf = async () => (await certified(domain.issuers['nf-issuer'], anNf('ausf.core.example'))).credential
  const client = async (origin?: string, own?: () => ServerCredential) => {
    const credential = await anAusf()
    const { port } = server.address() as AddressInfo
    return nfClient({
      origin: origin ?? `https://udm.core.example:${port}`,
      root: domain.authorities.slice(0, domain.authorities.indexOf('-----END CERTIFICATE-----') + 26),
      credential: own ?? (() => credential),
      resolve: new Map([
        ['udm.core.example', '127.0.0.1'],
        ['nef.core.example', '127.0.0.1'],
      ]),
      timers: systemTimers,
      patience: own ? 10_000 : 300,
    })
  }

  before(async () => {
    domain = await anotherDomain('core.example', 'nf-issuer')
    const { credential } = await certified(domain.issuers['nf-issuer'], anNf('udm.core.example', 'UDM'))
    server = createSecureServer(mutualTls(credential, [domain.authorities]))
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      answer(stream)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  })
  after(() => void server.close())

  test('an answer comes back as JSON, whatever its status', async () => {
    answer = (stream) => {
      stream.respond({ ':status': 404, location: '/x', 'content-type': 'application/problem+json' })
      stream.end('{"cause":"USER_NOT_FOUND"}')
    }
    const udm = await client()
    const asked = await udm.ask('POST', '/', {})
    assert.deepEqual([asked.status, asked.location], [404, '/x'])
    assert.equal(JSON.stringify(asked.body), '{"cause":"USER_NOT_FOUND"}')
    udm.close()
  })

  test('a renewed certificate is shown on a new connection; what is under way is answered on the one before', async () => {
    const shown: string[] = []
    const note = (socket: TLSSocket) => shown.push(socket.getPeerCertificate().serialNumber)
    server.on('secureConnection', note)
    let answerFirst: (() => void) | undefined
    answer = (stream) => {
      const done = () => {
        stream.respond({ ':status': 204 })
        stream.end()
      }
      if (answerFirst) done()
      else answerFirst = done
    }
    const serialOf = ({ certificateChain }: ServerCredential) => new X509Certificate(certificateChain).serialNumber
    const [before, after] = [await anAusf(), await anAusf()]
    let own = before
    const udm = await client(undefined, () => own)
    const first = udm.ask('GET', '/')
    while (answerFirst === undefined) await new Promise((done) => setTimeout(done, 5))
    own = after
    assert.equal((await udm.ask('GET', '/')).status, 204)
    answerFirst()
    server.off('secureConnection', note)
    assert.equal((await first).status, 204)
    assert.deepEqual(shown, [serialOf(before), serialOf(after)])
    udm.close()
  })

  const says = (content: string) => (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 })
    stream.end(content)
  }
  const half = (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 })
    stream.write('{"a":')
  }
  const faults: readonly (readonly [string, (stream: ServerHttp2Stream) => void])[] = [
    ['no answer', () => {}],
    ['half an answer', half],
    ['HTML', says('<html></html>')],
    ['a reset', (stream) => stream.close(2)],
    ['10 MB', says(`"${'a'.repeat(1e7)}"`)],
    ['a prototype', says('{"__proto__":{}}')],
  ]
  for (const [title, fault] of faults) {
    test(`KE-13: ${title} is no answer`, async () => {
      answer = fault
      const udm = await client()
      await assert.rejects(udm.ask('GET', '/'), UNAVAILABLE)
      udm.close()
    })
  }

  test('KE-13: a server of another name is not asked', async () => {
    let asked = 0
    answer = (stream) => {
      asked += 1
      stream.respond({ ':status': 204 })
      stream.end()
    }
    const { port } = server.address() as AddressInfo
    const other = await client(`https://nef.core.example:${port}`)
    await assert.rejects(other.ask('GET', '/'), UNAVAILABLE)
    other.close()
    const udm = await client()
    assert.deepEqual(await udm.ask('GET', '/'), { status: 204, location: undefined, body: undefined })
    udm.close()
    assert.equal(asked, 1)
  })
})
