import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { systemTimers } from '../../src/ports/timers.ts'
import { mutualTls } from '../../src/tls/profile.ts'
import { type ANef, aNef, type Caller, credentialOf, delivered, honest, KEY, newKedgeId, says } from './a-nef.ts'

const JWE = `${'A'.repeat(200)}..${'A'.repeat(16)}.${'A'.repeat(43)}.${'A'.repeat(22)}`

/** What is no answer to the question, and so no answer at all. */
const LIES = {
  'the key of another Kedge ID': delivered({ kedgeId: newKedgeId() }),
  'no Kedge ID': delivered({ kedgeId: undefined }),
  '31 octets': delivered({ kedge: KEY.slice(2) }),
  '33 octets': delivered({ kedge: `${KEY}00` }),
  'half an octet more': delivered({ kedge: `${KEY}0` }),
  zeros: delivered({ kedge: '0'.repeat(64) }),
  'one octet, 32 times': delivered({ kedge: 'Aa'.repeat(32) }),
  'no hexadecimal digits': delivered({ kedge: `${KEY.slice(1)}g` }),
  base64: delivered({ kedge: Buffer.from(KEY, 'hex').toString('base64') }),
  'no key': delivered({ kedge: undefined }),
  'a key and a JWE': delivered({ kedgeJwe: JWE }),
  'a JWE of 31 octets': delivered({ kedge: undefined, kedgeJwe: JWE.replace(/\.A{43}\./, `.${'A'.repeat(42)}.`) }),
  'a JWE with a key of its own': delivered({ kedge: undefined, kedgeJwe: JWE.replace('..', '.AAAA.') }),
  'a JWE of 4,000 characters': delivered({ kedge: undefined, kedgeJwe: `${'A'.repeat(4_000)}${JWE}` }),
  'another scope': delivered({ keyScope: 'ALL' }),
  'no time': delivered({ expiry: undefined }),
  'a time that is none': delivered({ expiry: 'tomorrow' }),
  'a second that Date cannot say': delivered({ expiry: '2040-12-31T23:59:60Z' }),
  'a SUPI as GPSI': delivered({ gpsi: 7 }),
  'a list': [delivered()],
  nothing: null,
  HTML: '<html><body>It works!</body></html>',
  'half of it': JSON.stringify(delivered()).slice(0, -9),
  'a member twice': JSON.stringify(delivered()).replace('{', '{"kedge":"00",'),
  '10 MB': JSON.stringify(delivered({ more: 'x'.repeat(10_000_000) })),
}

describe('KE-13: a NEF whose AUSF is down, slow or lies', () => {
  let a: ANef
  let ecs: Caller
  before(async () => {
    // Its patience of 3 s is a tenth of that here.
    a = await aNef({ timers: { ...systemTimers, after: (ms, action) => systemTimers.after(ms / 10, action) } })
    await a.nef.configure({ keyRequests: { perSecond: 1_000, burst: 10_000 } })
    ecs = await a.nef.trustedEcs()
  })
  after(() => a.close())
  beforeEach(() => {
    a.ausf.answer = honest
  })

  const refused = async () => {
    const { status, body, text } = await ecs.retrieve()
    assert.deepEqual([status, body.cause], [503, 'NF_CONGESTION'])
    assert.ok(!text.includes(KEY.slice(2, -2)))
  }
  const recovered = async () => {
    a.ausf.answer = honest
    assert.equal((await ecs.retrieve()).body.kedge, KEY, 'what was refused is not remembered')
  }

  for (const [title, lie] of Object.entries(LIES)) {
    test(`KE-13: ${title}: 503, and nothing of it is remembered`, async () => {
      a.ausf.answer = says(200, lie)
      await refused()
      await recovered()
    })
  }

  const others = [
    [400, { cause: 'MANDATORY_IE_INCORRECT' }],
    [401, { cause: 'CREDENTIAL_MISSING' }],
    [403, { cause: 'POLICY_DENIED' }],
    [404, { cause: 'RESOURCE_URI_STRUCTURE_NOT_FOUND' }],
    [404, 'not here'],
    [429, { cause: 'TOO_MANY_REQUESTS' }],
    [500, { cause: 'KEDGE_NOT_FOUND' }],
    [201, delivered()],
    [204, ''],
  ] as const
  for (const [status, body] of others) {
    test(`KE-13: ${status} ${JSON.stringify(body).slice(0, 40)} is no word about the key`, async () => {
      a.ausf.answer = says(status, body)
      await refused()
      await recovered()
    })
  }

  test('KE-13: a redirection is not followed', async () => {
    a.ausf.asked.length = 0
    a.ausf.answer = (stream, { path }) => {
      stream.respond({ ':status': 307, location: path })
      stream.end()
    }
    await refused()
    assert.equal(a.ausf.asked.length, 1)
    await recovered()
  })

  test('KE-13: no answer, half an answer, a reset and a lost connection', async () => {
    a.ausf.answer = () => {}
    await refused()
    a.ausf.answer = (stream) => {
      stream.respond({ ':status': 200 })
      stream.write('{"kedge":')
    }
    await refused()
    a.ausf.answer = (stream) => stream.close(2)
    await refused()
    a.ausf.answer = (stream) => stream.session?.destroy()
    await refused()
    await recovered()
  })

  test('KE-13: without an AUSF there is no key; with it again, there is', async () => {
    await a.ausf.stop()
    await refused()
    assert.equal((await ecs.retrieve({ kedgeId: newKedgeId() })).status, 503, 'and none is said to be unknown')
    await a.ausf.start()
    await recovered()
  })

  test('KE-13: another network function in the place of the AUSF is not asked', async () => {
    const root = await readFile(join(a.core, 'ca', 'root.crt'), 'utf8')
    await a.ausf.stop()
    let asked = 0
    const udm = createSecureServer(mutualTls(await credentialOf(a.core, 'udm'), [root]))
    udm.on('stream', (stream) => {
      asked += 1
      stream.respond({ ':status': 200 })
      stream.end(JSON.stringify(delivered()))
    })
    await new Promise<void>((done) => udm.listen(a.ausf.port, '127.0.0.1', done))
    await refused()
    assert.equal(asked, 0)
    await new Promise((done) => udm.close(done))
    await a.ausf.start()
    await recovered()
  })
})
