import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { guardedKeyService, KEY_REQUEST_LIMITS } from '../../src/ecs/authentication/key-requests.ts'
import type { Response } from '../../src/http/client.ts'
import { type Answer, ok } from '../../src/http/route.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { parseKedgeId } from '../../src/spec/kedge-id.ts'
import type { KedgeResponse } from '../../src/spec/messages/kedge-request.ts'
import { parsed } from '../keys/octets.ts'
import { rawHandshake } from '../tls/raw-client.ts'
import vectors from '../vectors/keys/malformed-kedge-ids.json' with { type: 'json' }
import { runEcsWithKeyServices } from './a-key-service.ts'
import { anEec, ask, askOver, authenticated, byPsk, eecIdOf, provision } from './an-eec.ts'
import { notLetIn, refusedWith } from './refusals.ts'

type Running = Awaited<ReturnType<typeof runEcsWithKeyServices>>

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined

function unavailable(response: Response, name: string): void {
  assert.equal(response.status, 503, `${name}: ${response.body.toString()}`)
  refusedWith(response, 'NF_CONGESTION')
  assert.match(String(response.headers['retry-after']), /^\d+$/)
}

describe('a key service that cannot be relied on: TR 33.839 6.x.2 steps 5 and 6', () => {
  let running: Running
  before(async () => {
    running = await runEcsWithKeyServices('ecs1.example.com')
  })
  after(() => running.close())

  const octets = (count: number, value?: number) =>
    (value === undefined ? randomBytes(count) : Buffer.alloc(count, value)).toString('hex')
  const text = (status: number, body: string, headers = {}) => ({ status, headers, body })
  const html = { 'content-type': 'text/html' }
  const json = { 'content-type': 'application/json' }

  /** What it says instead of the key that it has. */
  const lies: Record<string, (honest: KedgeResponse) => Answer> = {
    'the key of another ID': (honest) => ok({ ...honest, kedgeId: running.ausf.newKedgeId() }),
    'the key of no ID': ({ kedgeId: _, ...honest }) => ok(honest),
    'the key of something else': (honest) => ok({ ...honest, kedgeId: '../etc/passwd' }),
    'no key': ({ kedge: _, ...honest }) => ok(honest),
    'an empty key': (honest) => ok({ ...honest, kedge: '' }),
    '31 octets': (honest) => ok({ ...honest, kedge: octets(31) }),
    '33 octets': (honest) => ok({ ...honest, kedge: octets(33) }),
    'all zero': (honest) => ok({ ...honest, kedge: octets(32, 0) }),
    'all ones': (honest) => ok({ ...honest, kedge: octets(32, 0xff) }),
    'a key that is not hexadecimal': (honest) => ok({ ...honest, kedge: 'x'.repeat(64) }),
    'a key in a list': (honest) => ok({ ...honest, kedge: [honest.kedge] }),
    'a sealed key': ({ kedge: _, ...honest }) => ok({ ...honest, kedgeJwe: 'eyJ9..AAAAAAAAAAAAAAAA.AAAA.AAAA' }),
    'the key of the whole UE': (honest) => ok({ ...honest, keyScope: 'UE' }),
    'a key of no scope': ({ keyScope: _, ...honest }) => ok(honest),
    'a key for ever': ({ expiry: _, ...honest }) => ok(honest),
    'a key until some day': (honest) => ok({ ...honest, expiry: 'tomorrow' }),
    'a GPSI that is none': (honest) => ok({ ...honest, gpsi: 'msisdn-x' }),
    'a member twice': (honest) => text(200, `{"kedge":"${octets(32)}",${JSON.stringify(honest).slice(1)}`, json),
    'a list': (honest) => ok([honest]),
    null: () => text(200, 'null', json),
    nothing: () => ({ status: 200 }),
    HTML: () => text(200, '<html><body>It works!</body></html>', html),
    '10 MB': (honest) => ok({ ...honest, padding: 'x'.repeat(10_000_000) }),
    created: (honest) => ({ status: 201, body: honest }),
    'no content': () => ({ status: 204 }),
    'a way to elsewhere': () => ({ status: 307, headers: { location: 'https://evil.example/' } }),
    'who are you': () => text(401, '{}', json),
    'not so often': () => text(429, '{}', json),
    'an error of its own': () => text(500, 'Internal Server Error', html),
    'no time': () => text(503, '', {}),
  }

  test('KE-13: whatever it says instead of a key, the EEC gets 503 and nothing is held; the truth is taken then', async () => {
    const { ecs, ausf } = running
    for (const [name, lie] of Object.entries(lies)) {
      const eec = anEec(ecs, ausf)
      ausf.oddities.set(eec.kedgeId, async (honest) => lie(honest ?? assert.fail()))
      unavailable(await ask(ecs, eec), name)
      await notLetIn(byPsk(ecs, eec).socket())
      ausf.oddities.delete(eec.kedgeId)
      ;(await authenticated(ecs, eec)).close()
    }
  })

  test('KE-13: one that is slow does not keep the EEC waiting for longer than 5 s, nor anybody else at all', async () => {
    const { ecs, ausf } = running
    const [slow, other] = [anEec(ecs, ausf), anEec(ecs, ausf)]
    ausf.oddities.set(slow.kedgeId, () => new Promise(() => {}))
    const start = performance.now()
    let isWaiting = true
    const waiting = ask(ecs, slow).finally(() => {
      isWaiting = false
    })
    ;(await authenticated(ecs, other)).close()
    assert.ok(isWaiting)
    unavailable(await waiting, 'slow')
    if (DEEP) assert.ok(performance.now() - start < 5_000)
    await notLetIn(byPsk(ecs, slow).socket())
  })

  test('KE-13: one that is down ends no key that it delivered, and gives nobody a new one', async () => {
    const { ecs, nef } = running
    const [known, newcomer] = [anEec(ecs, nef), anEec(ecs, nef)]
    const peer = await authenticated(ecs, known)
    const before = await ask(ecs, known)
    await nef.stop()
    unavailable(await ask(ecs, newcomer), 'down')
    await notLetIn(byPsk(ecs, newcomer).socket())
    const meanwhile = await ask(ecs, known)
    assert.deepEqual([meanwhile.status, meanwhile.body], [201, before.body])
    assert.equal((await provision(peer, known.eecId)).status, 204)
    ;(await authenticated(ecs, known)).close()
    // What is held is held for its EEC, whoever else names the Kedge ID.
    unavailable(await ask(ecs, { ...known, eecId: eecIdOf('eec-2') }), 'another EEC')
    await nef.start()
    ;(await authenticated(ecs, newcomer)).close()
    peer.close()
  })

  test('KE-13: a clear no ends the key at once, with its connections', async () => {
    const { ecs, ausf } = running
    const eec = anEec(ecs, ausf)
    const peer = await authenticated(ecs, eec)
    ausf.subscribers.delete(eec.kedgeId)
    refusedWith(await ask(ecs, eec), 'KEDGE_NOT_FOUND')
    refusedWith(await provision(peer, eec.eecId), 'CREDENTIAL_MISSING')
    await notLetIn(byPsk(ecs, eec).socket())
    peer.close()
  })

  const malformed = vectors.vectors.map(({ kedgeId }) => kedgeId)
  const notText = [null, 1, true, [], {}, ['rid0'], { kedgeId: 'rid0' }, undefined]

  test(`KE-14: ${malformed.length} texts that are no Kedge ID are refused before anybody is asked`, async () => {
    const { ecs, ausf, nef } = running
    const asked = [ausf.asked.length, nef.asked.length]
    const peer = ecs.anybody()
    for (const kedgeId of [...malformed, ...notText]) {
      const body = { eecId: 'eec-1', kedgeId }
      const tooLong = Buffer.byteLength(JSON.stringify(body)) > 1_024
      assert.equal((await askOver(peer, body)).status, tooLong ? 413 : 400, JSON.stringify(kedgeId))
    }
    const kedgeId = ausf.newKedgeId()
    for (const eecId of ['', ' ', 'a b', 'a\0', 'ä', '\ud800', 'x'.repeat(129), ...notText]) {
      assert.equal((await askOver(peer, { eecId, kedgeId })).status, 400, JSON.stringify(eecId))
    }
    peer.close()
    assert.deepEqual([ausf.asked.length, nef.asked.length], asked)
  })

  test('KE-14: none of them is a PSK identity, even for whoever has the key that it means', async () => {
    const { ecs, ausf } = running
    const kedgeId = parsed(
      parseKedgeId('rid0.kid1a25d87e5ae4194bd5fb7238cdd5f989@edge.5gc.mnc001.mcc001.3gppnetwork.org'),
    )
    const eec = anEec(ecs, ausf, { kedgeId })
    ;(await authenticated(ecs, eec)).close()
    const asked = ausf.asked.length
    const port = Number(new URL(ecs.serving.listeners.psk).port)
    const opens = async (identity: string) => {
      const { connection } = await rawHandshake(port, { psks: [{ identity, key: eec.key.export() }], alpn: ['h2'] })
      connection?.close()
      return connection !== undefined
    }
    assert.equal(await opens(eec.identity), true)
    assert.equal(await opens(kedgeId), false)
    const tag = `e${eecIdTag(eec.eecId)}.`
    const opened: string[] = []
    // One is no Kedge ID because it is the PSK identity of this very EEC.
    for (const text of malformed.filter((each) => each.length <= 256 && each !== eec.identity)) {
      for (const identity of [text, `${tag}${text}`]) if (await opens(identity)) opened.push(text)
    }
    // Node reads an identity as far as NUL: what follows is not seen, and whoever has the key is let in.
    assert.deepEqual(opened, [`${kedgeId}\0`, `${kedgeId}\0x`])
    assert.equal(ausf.asked.length, asked)
  })
})

describe('a flood of authentication requests: THREATS KE-08', () => {
  const rate = { perSecond: 20, burst: 40 }

  test('KE-08: of one source at most its rate reaches the key service, and honest EECs elsewhere go on', async () => {
    const running = await runEcsWithKeyServices('ecs1.example.com', { requests: rate })
    const { ecs, ausf } = running
    const honest = async () => {
      const eec = anEec(ecs, ausf, { eecId: 'eec-honest' })
      const start = performance.now()
      const { status } = await ask(ecs, eec, '127.0.0.2')
      assert.equal(status, 201)
      return performance.now() - start
    }
    const start = performance.now()
    const flooding = flood(running, DEEP ? 100_000 : 1_500)
    const durations: number[] = []
    for (let time = 0; time < 20; time += 1) durations.push(await honest())
    const { statuses, retryAfter } = await flooding
    const seconds = (performance.now() - start) / 1_000
    const reached = ausf.asked.filter(({ body }) => body.eecId === 'eec-flood').length
    assert.ok(reached > 0 && reached <= rate.burst + rate.perSecond * seconds + 1, `${reached} in ${seconds} s`)
    assert.deepEqual([...statuses.keys()].sort(), [404, 429])
    assert.equal(statuses.get(404), reached)
    assert.deepEqual([...retryAfter], ['1'])
    const [median = 0] = durations.sort((a, b) => a - b).slice(10)
    if (DEEP) assert.ok(median < 500, `${durations} ms`)
    // The source comes back into its own.
    await new Promise((resolve) => setTimeout(resolve, 1_000 / rate.perSecond + 50))
    assert.equal((await ask(ecs, anEec(ecs, ausf))).status, 201)
    await running.close()
  })

  /** Random IDs, as fast as one connection carries them. */
  async function flood({ ecs, ausf }: Running, times: number) {
    const peer = ecs.anybody()
    const statuses = new Map<number, number>()
    const retryAfter = new Set<unknown>()
    let left = times
    const one = async () => {
      while (left-- > 0) {
        const { status, headers } = await askOver(peer, { eecId: 'eec-flood', kedgeId: ausf.newKedgeId() })
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (status === 429) retryAfter.add(headers['retry-after'])
      }
    }
    await Promise.all(Array.from({ length: 50 }, one))
    peer.close()
    return { statuses, retryAfter }
  }

  const kedgeId = parsed(parseKedgeId(`rid0.kid${'0'.repeat(32)}@edge.5gc.mnc001.mcc001.3gppnetwork.org`))
  const question = (index: number) => ({ keyId: kedgeId, eecId: eecIdOf(`eec-${index}`) })

  /** A key service that counts how often it is asked. */
  function countedService(answer: () => Promise<undefined>) {
    const service = {
      asked: 0,
      requestKey() {
        service.asked += 1
        return answer()
      },
    }
    return service
  }

  test('KE-08: a bounded number is asked for at once, the others are told to come later', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const asking = countedService(() => promise)
    const service = guardedKeyService(asking, () => 0)
    const all = Array.from({ length: 1_000 }, (_, index) => service.requestKey(question(index)))
    const outcomes = Promise.allSettled(all)
    resolve(undefined)
    const refused = (await outcomes).filter((each) => each.status === 'rejected')
    assert.deepEqual([asking.asked, refused.length], [KEY_REQUEST_LIMITS.pending, 1_000 - KEY_REQUEST_LIMITS.pending])
    for (const { reason } of refused) assert.equal(reason.code, 'NF_CONGESTION')
    await service.requestKey(question(2_000))
    assert.equal(asking.asked, KEY_REQUEST_LIMITS.pending + 1)
  })

  test('KE-08: an ID is asked for once, by however many at a time', async () => {
    const asking = countedService(async () => undefined)
    const service = guardedKeyService(asking, () => 0)
    await Promise.all(Array.from({ length: 100 }, () => service.requestKey(question(1))))
    assert.equal(asking.asked, 1)
  })

  test('KE-08: what was not known is not asked for again for a while, and what is remembered of it is bounded', async () => {
    let now = 1_000
    const limits = { pending: 10, unknownFor: 100, unknown: 5 }
    const asking = countedService(async () => undefined)
    const service = guardedKeyService(asking, () => now, limits)
    for (const index of [1, 1, 2, 1]) assert.equal(await service.requestKey(question(index)), undefined)
    assert.equal(asking.asked, 2)
    now += 100
    await service.requestKey(question(1))
    assert.equal(asking.asked, 3)
    for (let index = 10; index < 15; index += 1) await service.requestKey(question(index))
    await service.requestKey(question(1))
    assert.equal(asking.asked, 9, 'the eldest is forgotten')
  })

  test('KE-08: a service that fails is asked again at once', async () => {
    const failing = countedService(() => Promise.reject(new Error('down')))
    const service = guardedKeyService(failing, () => 0)
    for (const attempt of [1, 2, 3]) {
      await assert.rejects(service.requestKey(question(1)), { message: 'down' })
      assert.equal(failing.asked, attempt)
    }
  })
})
