import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { RunningEes } from '../running-ecs.ts'
import {
  anEes,
  ecsName,
  eesName,
  errorOf,
  granted,
  type Member,
  requestToken,
  startMember,
  trust,
} from './a-federation.ts'
import { FAULTS, FaultProxy } from './fault-proxy.ts'

describe('a peer that fails: THREATS FW-08', () => {
  let a: Member
  let b: Member
  let c: Member
  let proxy: FaultProxy
  let client: RunningEes

  before(async () => {
    proxy = await FaultProxy.before(() => Number(new URL(b.ecs.serving.listeners.mtls).port))
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
  })
  after(async () => {
    await proxy.close()
    await Promise.all([a, b, c].map(({ ecs }) => ecs.close()))
  })

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

  test('FW-09: a hundred clients that leave before the peer answers change nothing for those that stay', async () => {
    proxy.set('mute after the handshake')
    const leaving = Array.from({ length: 10 }, () => a.ecs.withCertificate(client.certificateChain, client.key))
    for (const peer of leaving) {
      const asked = Array.from({ length: 10 }, () => requestToken({ ...client, peer }, eesName('b')))
      const ended = Promise.allSettled(asked)
      ;(await peer.socket()).destroy()
      await ended
    }
    proxy.set(undefined)
    granted(await untilGranted())
    assert.equal((await a.ecs.operator.verifyAudit()).ok, true)
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
