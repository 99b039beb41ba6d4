import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Issuer } from '../../../src/certificates/authority.ts'
import { writePem } from '../../../src/certificates/pem.ts'
import type { Subject } from '../../../src/certificates/template.ts'
import { issueOwn } from '../../../src/ecs/adapters/own-keys.ts'
import { systemRandom } from '../../../src/ports/random.ts'
import type { RegistrationId } from '../../../src/spec/identifiers.ts'
import { fqdn } from '../../certificates/a-domain.ts'
import { pemOf, type RunningEes } from '../running-ecs.ts'
import {
  anEes,
  ecsName,
  eesName,
  errorOf,
  granted,
  type Member,
  requestToken,
  startMember,
  trail,
  trust,
} from './a-federation.ts'
import { HostilePeer } from './a-hostile-peer.ts'
import { FAULTS, FaultProxy, WRONG_CERTIFICATES, type WrongCertificate } from './fault-proxy.ts'

describe('a peer that fails: THREATS FW-08', () => {
  let a: Member
  let b: Member
  let c: Member
  let proxy: FaultProxy
  let client: RunningEes
  const impostors: Partial<Record<WrongCertificate, HostilePeer>> = {}

  before(async () => {
    proxy = await FaultProxy.before((instead) =>
      instead === undefined ? Number(new URL(b.ecs.serving.listeners.mtls).port) : (impostors[instead]?.port ?? 0),
    )
    const labels = ['a', 'b', 'c']
    a = await startMember('a', labels)
    b = await startMember('b', labels, {}, `mtlsRoot: https://${ecsName('b')}:${proxy.port}\n`)
    c = await startMember('c', labels)
    for (const other of [b, c]) {
      await trust(a, other)
      await trust(other, a)
      await anEes(other)
    }
    client = await anEes(a)
    await anEes(a, 2)
    for (const wrong of WRONG_CERTIFICATES) impostors[wrong] = await impostorWith(wrong)
  })
  after(async () => {
    await proxy.close()
    await Promise.all(Object.values(impostors).map((impostor) => impostor.close()))
    await Promise.all([a, b, c].map(({ ecs }) => ecs.close()))
  })

  /** Each is certified for something, and none to be this ECS. */
  async function impostorWith(wrong: WrongCertificate): Promise<HostilePeer> {
    const [present, stranger] = [b.ecs.opened.ca.present(), c.ecs.opened.ca.present()]
    const registrationId = randomUUID() as RegistrationId
    const [issuer, subject]: [Issuer, Subject] = {
      'a certificate of another name': [present.ecsIssuer, { role: 'ecs', fqdn: fqdn(ecsName('z')) }],
      'a certificate of another root': [stranger.ecsIssuer, { role: 'ecs', fqdn: fqdn(ecsName('b')) }],
      'a certificate of another role': [present.eesIssuer, { role: 'ees', fqdn: fqdn(ecsName('b')), registrationId }],
    }[wrong] as [Issuer, Subject]
    const issuance = { now: Date.now(), crlDistributionPoint: `https://${ecsName('b')}/crl/x.crl` }
    const { pem, key } = await issueOwn(issuer, subject, issuance, systemRandom)
    const certificateChain = pem + writePem('CERTIFICATE', issuer.certificate.der)
    return HostilePeer.with({ certificateChain, privateKey: pemOf(key) }, [a.ecs.opened.ca.root()])
  }

  for (const fault of FAULTS) {
    test(`FW-08: ${fault}: a clear error for what needs it, and tokens at home and at another peer as before`, async () => {
      granted(await untilGranted())
      proxy.set(fault)
      const broken = [1, 2, 3, 4].map(() => requestToken(client, eesName('b')))
      const whole = [1, 2, 3, 4].flatMap(() => [
        requestToken(client, 'ees2.a.example.com'),
        requestToken(client, eesName('c')),
      ])
      for (const answer of await Promise.all(whole)) granted(answer)
      for (const answer of await Promise.all(broken)) {
        assert.deepEqual([answer.status, errorOf(answer)], [503, 'temporarily_unavailable'])
      }
      for (const { asked } of Object.values(impostors)) assert.deepEqual(asked, [])
      proxy.set(undefined)
      granted(await untilGranted())
    })
  }

  test('FW-08: while a peer hangs it holds its own places only, and is left alone after three failures', async () => {
    granted(await untilGranted())
    proxy.set('hung')
    const answers = await Promise.all(Array.from({ length: 80 }, () => requestToken(client, eesName('b'))))
    assert.ok(answers.every(({ status }) => status === 503))
    granted(await requestToken(client, eesName('c')))
    proxy.set(undefined)
    granted(await untilGranted())
  })

  const rounds = process.env['EDGEWARD_DEEP'] ? 17 : 2
  test(`FW-09: ${rounds * 60} clients that leave before the peer answers change nothing, and leave nothing behind`, async () => {
    granted(await untilGranted())
    const before = await settled()
    for (let round = 0; round < rounds; round += 1) {
      const forwarded = (await trail(a, 'token-forwarded')).length
      proxy.set('mute after the handshake')
      const peers = Array.from({ length: 6 }, () => a.ecs.withCertificate(client.certificateChain, client.key))
      const asked = peers.map((peer) =>
        Promise.allSettled(Array.from({ length: 10 }, () => requestToken({ ...client, peer }, eesName('b')))),
      )
      // All of them are with the other ECS, as many as it may hold, when they leave.
      while ((await trail(a, 'token-forwarded')).length < forwarded + 60) await wait(20)
      for (const peer of peers) (await peer.socket()).destroy()
      for (const outcome of (await Promise.all(asked)).flat()) assert.equal(outcome.status, 'rejected')
      for (const peer of peers) peer.close()
      proxy.set(undefined)
      granted(await untilGranted())
    }
    assert.equal((await a.ecs.operator.verifyAudit()).ok, true)
    const after = await settled(before)
    for (const [kind, count] of Object.entries(after))
      assert.ok(count <= (before[kind] ?? 0), `${kind}: ${before[kind] ?? 0} before, ${count} after`)
  })

  /** Recovers by itself: one try after another, as a client would. */
  async function untilGranted() {
    for (let tries = 0; tries < 60; tries += 1) {
      const answer = await requestToken(client, eesName('b'))
      if (answer.status === 200) return answer
      await wait(100)
    }
    return requestToken(client, eesName('b'))
  }
})

/** Sockets, streams and timers of this process, once what ends has ended. @param expected - that it may have to come down to */
async function settled(expected?: Readonly<Record<string, number>>): Promise<Record<string, number>> {
  for (let tries = 0; ; tries += 1) {
    const counts: Record<string, number> = {}
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
    const isDown =
      expected !== undefined && Object.entries(counts).every(([kind, count]) => count <= (expected[kind] ?? 0))
    if (isDown || tries === (expected === undefined ? 20 : 150)) return counts
    await wait(100)
  }
}
