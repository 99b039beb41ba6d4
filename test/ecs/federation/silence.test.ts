import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
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
import { until } from './a-serving-ees.ts'
import { FaultProxy } from './fault-proxy.ts'

const HOUR = 3_600_000

describe('a peer that is not heard of until its trust bundle runs out', () => {
  let [a, b]: Member[] = []
  let proxy: FaultProxy
  let atA: RunningEes
  let atB: RunningEes

  before(async () => {
    ;[a, b] = await Promise.all(['a', 'b'].map((label) => startMember(label, ['a', 'b'])))
    const [one, other] = [member(a), member(b)]
    proxy = await FaultProxy.before(() => Number(new URL(other.ecs.serving.listeners.server).port))
    const { known } = await one.ecs.operator.addPeer({
      fqdn: ecsName('b'),
      apiRoot: `https://${ecsName('b')}:${proxy.port}`,
      roots: await readFile(join(other.ecs.folder, 'ca', 'root.crt'), 'utf8'),
      nameSpace: ['b.example.com'],
    })
    assert.ok(known)
    await trust(other, one)
    ;[atA, atB] = [await anEes(one), await anEes(other)]
    await anEes(one, 2)
  })
  after(async () => {
    await proxy.close()
    await Promise.all([a, b].map((each) => each?.ecs.close()))
  })

  const member = (one: Member | undefined) => one ?? assert.fail('no such member')
  const pass = (milliseconds: number) => {
    for (const each of [a, b]) member(each).ecs.advance(milliseconds)
  }
  const standing = async () => {
    const { peers } = await member(a).ecs.operator.listPeers()
    return peers[0]?.standing ?? assert.fail('no standing')
  }

  test('FW-03: what it vouches for is refused from then on with a clear error, work at home goes on, and it comes back by itself', async () => {
    granted(await requestToken(atA, eesName('b')))
    granted(await requestToken(atB, eesName('a')))
    const { expires = '', heardAt = '', listsUntil = '', leftAlone } = await standing()
    assert.equal(leftAlone, false)
    assert.ok(Date.parse(heardAt) < Date.parse(expires) && Date.parse(listsUntil) > Date.now())

    proxy.set('refused')
    pass(23 * HOUR)
    granted(await requestToken(atA, eesName('b')))
    granted(await requestToken(atB, eesName('a')))

    pass(2 * HOUR)
    // The way there and the way back: both need its trust bundle here.
    for (const answer of [await requestToken(atA, eesName('b')), await requestToken(atB, eesName('a'))]) {
      assert.deepEqual([answer.status, errorOf(answer)], [503, 'temporarily_unavailable'])
    }
    granted(await requestToken(atA, 'ees2.a.example.com'))
    assert.deepEqual((await standing()).expires, expires)

    proxy.set(undefined)
    await until(async () => (await requestToken(atA, eesName('b'))).status === 200, 'a token of b')
    await until(async () => (await requestToken(atB, eesName('a'))).status === 200, 'a token for one of b')
    assert.ok(Date.parse((await standing()).expires ?? '') > Date.parse(expires))
  })
})
