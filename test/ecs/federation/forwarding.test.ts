import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { claimsOf } from '../authorization-server/parties.ts'
import type { RunningEes } from '../running-ecs.ts'
import {
  anEes,
  ecsName,
  eesName,
  errorOf,
  granted,
  type Member,
  requestToken,
  SCOPE,
  startMember,
  trail,
  trust,
} from './a-federation.ts'

describe('tokens for an EES of another ECS: TS 33.501 13.4.1.1.3, D-18, D-19', () => {
  const labels = ['a', 'b', 'c']
  let members: Member[]
  let [a, b, c]: Member[] = []
  let client: RunningEes

  before(async () => {
    members = await Promise.all(labels.map((label) => startMember(label, labels)))
    ;[a, b, c] = members
    assert.ok(a && b && c)
    // In a row: a reaches c through b alone, and each knows the keys of all.
    await trust(a, b)
    await trust(a, c, [], b)
    await trust(b, a)
    await trust(b, c)
    await trust(c, b)
    await trust(c, a, [], b)
    client = await anEes(a)
    await anEes(b)
    await anEes(c)
  })
  after(() => Promise.all(members.map(({ ecs }) => ecs.close())))

  test('the ECS of the target signs it for the client of the other: D-17', async () => {
    assert.ok(b)
    const { access_token, expires_in, scope } = granted(await requestToken(client, eesName('b'), { eecId: 'eec-1' }))
    assert.equal(scope, SCOPE)
    assert.ok(expires_in > 290 && expires_in <= 300)
    const { iss, sub, client_id, aud, srcEcs, eecId } = claimsOf(access_token)
    assert.equal(iss, `https://${ecsName('b')}:${new URL(b.ecs.serving.listeners.server).port}`)
    assert.deepEqual([sub, client_id, aud], [eesName('a'), eesName('a'), [eesName('b')]])
    assert.deepEqual([srcEcs, eecId], [ecsName('a'), 'eec-1'])
  })

  test('three ECSs in a row: the one in between passes it on, and all three trails tell of it under one name', async () => {
    assert.ok(a && b && c)
    const { access_token } = granted(await requestToken(client, eesName('c')))
    assert.deepEqual(claimsOf(access_token)['aud'], [eesName('c')])
    const [home] = (await trail(a, 'token-forwarded')).slice(-1)
    const [between] = (await trail(b, 'token-forwarded')).slice(-1)
    const [target] = (await trail(c, 'token-issued')).slice(-1)
    const line = { srcEcs: ecsName('a'), client: eesName('a'), audience: eesName('c'), scope: SCOPE }
    const correlation = home?.['correlation']
    assert.match(String(correlation), /^[\w-]{22}$/)
    assert.deepEqual(home, { event: 'token-forwarded', correlation, ...line, to: ecsName('b') })
    assert.deepEqual(between, { event: 'token-forwarded', correlation, ...line, to: ecsName('c') })
    const { token: _, ...issued } = target ?? {}
    assert.deepEqual(issued, { event: 'token-issued', correlation, ...line })
  })

  test('D-18: a target that nobody has, and one that policy refuses on either side, get one neutral answer', async () => {
    for (const target of ['ees9.b.example.com', 'ees9.c.example.com', 'ees1.nowhere.example.org', ecsName('b')]) {
      const answer = await requestToken(client, target)
      assert.deepEqual([answer.status, errorOf(answer)], [400, 'invalid_scope'], target)
    }
    // Allowed at home, refused by the ECS of the target: no rule there speaks of it.
    const answer = await requestToken(client, eesName('b'), { scope: 'eees-easdiscovery' })
    assert.deepEqual([answer.status, errorOf(answer)], [400, 'invalid_scope'])
  })
})
