import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Peer } from '../../../src/http/client.ts'
import type { Fqdn } from '../../../src/spec/identifiers.ts'
import {
  addHop,
  createForwarding,
  type ForwardedRequest,
  type Forwarding,
} from '../../../src/tokens/forwarding-assertion.ts'
import { bodyOf, type RunningEes } from '../running-ecs.ts'
import {
  anEes,
  ecsName,
  eesName,
  granted,
  type Member,
  requestToken,
  SCOPE,
  startMember,
  trail,
  trust,
} from './a-federation.ts'
import { connectAs } from './a-hostile-peer.ts'

const THUMBPRINT = `${'B'.repeat(42)}A`
const FORWARD = '/eecs-token-forwarding/v1/token'

describe('what an ECS takes from other ECSs', () => {
  const labels = ['a', 'b', 'c', 'd']
  let [a, b, c, d]: Member[] = []
  let target: RunningEes
  let fromA: Peer
  let number = 0

  before(async () => {
    const members = await Promise.all(labels.map((label) => startMember(label, labels)))
    ;[a, b, c, d] = members
    assert.ok(a && b && c && d)
    await trust(b, a)
    await trust(b, c)
    await trust(a, b)
    target = await anEes(b)
    fromA = await connectAs(a, b)
  })
  after(async () => {
    fromA.close()
    await Promise.all([a, b, c, d].map((member) => member?.ecs.close()))
  })

  const member = (one: Member | undefined) => one ?? assert.fail()
  const request = (change: Partial<ForwardedRequest> = {}): ForwardedRequest => ({
    sub: eesName('a') as Fqdn,
    target: eesName('b') as Fqdn,
    scope: new Set([SCOPE]),
    certificateThumbprint: THUMBPRINT,
    srcEcs: ecsName('a') as Fqdn,
    ...change,
  })
  function vouchedBy(one: Member | undefined, asked: ForwardedRequest, to = 'b'): Promise<Forwarding> {
    number += 1
    const { forwardingSigner: signer, clock } = member(one).ecs.opened
    return createForwarding(asked, ecsName(to) as Fqdn, { signer, now: clock.now(), jti: `jti-${number}` })
  }
  async function send(peer: Peer, { assertion, hops }: Forwarding) {
    const headers = { 'content-type': 'application/json' }
    const response = await peer.request({
      method: 'POST',
      path: FORWARD,
      headers,
      body: JSON.stringify({ assertion, hops }),
    })
    return { status: response.status, cause: bodyOf<{ cause?: string }>(response).cause }
  }
  const issued = async () => (await trail(member(b), 'token-issued')).length

  test('FW-07: an assertion is good once, also for two that come at the same moment', async () => {
    const before = await issued()
    const forwarding = await vouchedBy(a, request())
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(fromA, forwarding)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400, 400])
    assert.deepEqual(await send(fromA, forwarding), { status: 400, cause: 'FORWARDING_INVALID' })
    assert.equal((await issued()) - before, 1)
  })

  test('FW-03: a peer that asserts a client of another is refused, and so is one that no one speaks for', async () => {
    const before = await issued()
    const fromC = await connectAs(member(c), member(b))
    for (const sub of [eesName('a'), eesName('b'), 'ees1.badc.example.com', 'example.com']) {
      const asked = request({ sub: sub as Fqdn, srcEcs: ecsName('c') as Fqdn })
      assert.deepEqual(await send(fromC, await vouchedBy(c, asked)), { status: 403, cause: 'POLICY_DENIED' }, sub)
    }
    // Nor does it sign for the ECS of that client, or have it from there.
    const answer = await send(fromC, await vouchedBy(c, request()))
    assert.deepEqual(answer, { status: 400, cause: 'FORWARDING_INVALID' })
    assert.deepEqual(await send(fromC, await vouchedBy(a, request())), { status: 400, cause: 'FORWARDING_INVALID' })
    assert.equal(await issued(), before)
    const own = request({ sub: eesName('c') as Fqdn, srcEcs: ecsName('c') as Fqdn })
    assert.equal((await send(fromC, await vouchedBy(c, own))).status, 200)
    fromC.close()
  })

  test('FW-10: over the wire, an ECS in between that changes what it passes on is refused', async () => {
    const before = await issued()
    const fromC = await connectAs(member(c), member(b))
    const { forwardingSigner } = member(c).ecs.opened
    const link = { iss: ecsName('c') as Fqdn, to: ecsName('b') as Fqdn }
    const came = await vouchedBy(a, request(), 'c')
    const wider = await vouchedBy(c, request({ scope: new Set([SCOPE, 'eees-cea']) }), 'c')
    const [header, claims, signature] = came.assertion.split('.')
    const other = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()), scope: 'eees-cea' }),
    )
    const edited = { assertion: [header, other.toString('base64url'), signature].join('.'), hops: [] }
    for (const forwarding of [wider, edited]) {
      const passedOn = await addHop(forwarding, link, forwardingSigner)
      assert.deepEqual(await send(fromC, passedOn), { status: 400, cause: 'FORWARDING_INVALID' })
    }
    assert.equal(await issued(), before)
    assert.equal((await send(fromC, await addHop(came, link, forwardingSigner))).status, 200)
    fromC.close()
  })

  test('FW-04: the routes between ECSs are for ECSs on the list: no EES, no stranger, nobody without certificate', async () => {
    const before = await issued()
    const forwarding = await vouchedBy(a, request())
    const ees = await send(target.peer, forwarding)
    assert.equal(ees.status, 401)
    const lookup = {
      method: 'POST',
      path: '/eecs-ees-lookup/v1/resolve',
      body: JSON.stringify({ fqdn: eesName('b') }),
    } as const
    const headers = { 'content-type': 'application/json' }
    assert.equal((await target.peer.request({ ...lookup, headers })).status, 401)
    // One that is trusted by nobody here, though it is an ECS; and the ECS itself.
    for (const stranger of [d, b]) {
      const peer = await connectAs(member(stranger), member(b))
      await assert.rejects(send(peer, forwarding))
      peer.close()
    }
    await assert.rejects(
      send(member(b).ecs.withoutCertificate(Number(new URL(member(b).ecs.serving.listeners.mtls).port)), forwarding),
    )
    assert.equal(
      (
        await member(b)
          .ecs.anybody()
          .request({ ...lookup, path: FORWARD, headers })
      ).status,
      404,
    )
    // And an ECS is no EES: what is for those stays closed to it.
    for (const [method, path] of [
      ['POST', '/oauth2/token'],
      ['GET', '/.well-known/edge-federation/partners'],
      ['POST', '/.well-known/est/simplereenroll'],
    ] as const) {
      assert.equal((await fromA.request({ method, path })).status, 401, path)
    }
    assert.equal(await issued(), before)
    assert.deepEqual((await send(fromA, forwarding)).status, 200)
  })

  test('TK-14: another ECS learns whether an EES is here, and nothing else of it', async () => {
    const ask = (fqdn: string) =>
      fromA.request({
        method: 'POST',
        path: '/eecs-ees-lookup/v1/resolve',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ fqdn }),
      })
    assert.deepEqual(bodyOf(await ask(eesName('b'))), { ecs: ecsName('b'), lifeTime: 60 })
    assert.equal((await ask('ees9.b.example.com')).status, 404)
    assert.equal((await ask('192.0.2.1')).status, 400)
  })

  test('a peer that is removed is out at its next request, and back when it is added again', async () => {
    const one = member(b)
    await one.ecs.operator.removePeer(ecsName('a'))
    await assert.rejects(async () => assert.equal((await send(fromA, await vouchedBy(a, request()))).status, 200))
    await trust(one, member(a))
    fromA.close()
    fromA = await connectAs(member(a), one)
    assert.equal((await send(fromA, await vouchedBy(a, request()))).status, 200)
    const { peers } = await one.ecs.operator.listPeers()
    assert.deepEqual(
      peers.map(({ fqdn, known }) => [fqdn, known]),
      [
        [ecsName('a'), true],
        [ecsName('c'), true],
      ],
    )
  })

  test('both ECSs start anew, and know each other without anybody saying it again', async () => {
    const client = await anEes(member(a))
    granted(await requestToken(client, eesName('b')))
    await member(b).ecs.restart()
    await member(a).ecs.restart()
    const again = member(a).ecs.withCertificate(client.certificateChain, client.key)
    for (let tries = 0; ; tries += 1) {
      const answer = await requestToken({ ...client, peer: again }, eesName('b'))
      if (answer.status === 200) break
      assert.ok(tries < 100, answer.body.toString('utf8'))
      await new Promise((retry) => setTimeout(retry, 100))
    }
  })
})
