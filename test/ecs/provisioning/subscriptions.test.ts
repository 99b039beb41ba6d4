import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { writePem } from '../../../src/certificates/pem.ts'
import { Subscriptions } from '../../../src/eec/subscriptions.ts'
import type { Message, Peer, Response } from '../../../src/http/client.ts'
import type { ECSServProvSubscription } from '../../../src/spec/messages/service-provisioning.ts'
import type { Refusal } from '../../../src/spec/refusal.ts'
import { type AnEnt, type AnEntitledEec, anEnt, anEntitledEec, runEcsWithEnts, withToken } from '../an-ent.ts'
import { problemOf, refusedWith, withoutTrace } from '../refusals.ts'
import { bodyOf, onboard, type RunningEcs, type RunningEes } from '../running-ecs.ts'
import { type AReceiver, aReceiver, SECRET } from './a-receiver.ts'

const SUBSCRIPTIONS = '/eecs-serviceprovisioning/v1/subscriptions'
const GPSI = 'msisdn-491710000001'

describe('Eecs_ServiceProvisioning, subscriptions: TS 24.558 5.3', () => {
  let ent: AnEnt
  let ecs: RunningEcs
  let receiver: AReceiver
  let peer: Peer
  before(async () => {
    ent = await anEnt()
    receiver = await aReceiver()
    ecs = await runEcsWithEnts(
      [ent],
      () => ({
        resolve: { [ent.name]: '127.0.0.1', [receiver.name]: '127.0.0.1' },
        provisioning: {
          notificationHosts: ['.apps.example'],
          notificationNetworks: ['127.0.0.0/8'],
          notificationRoots: ['apps.crt'],
          subscriptionsPerEec: 3,
          subscriptions: 8,
        },
      }),
      { 'apps.crt': receiver.root },
    )
    receiver.of(ecs)
    peer = ecs.anybody()
  })
  after(async () => {
    await ecs.close()
    await receiver.close()
    await ent.close()
  })

  const send = async (eec: AnEntitledEec, message: Message): Promise<Response> => {
    const token = await ent.token(ecs.fqdn, eec)
    return peer.request(await withToken(ecs, eec, token, message))
  }
  const json = (method: 'POST' | 'PUT' | 'PATCH', path: string, body: object): Message => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    return { method, path, headers: { 'content-type': type }, body: JSON.stringify(body) }
  }
  const wanting = (easId: string) => ({ acProfs: [{ acId: 'ac', eass: [{ easId }] }] })
  const messageOf = (eec: AnEntitledEec, change: object = {}) => ({
    eecId: eec.eecId,
    notificationDestination: receiver.uri(`/${eec.eecId}`),
    notificationSecret: SECRET,
    ...change,
  })
  const subscribe = async (eec: AnEntitledEec, change: object = {}): Promise<string> => {
    const response = await send(eec, json('POST', SUBSCRIPTIONS, messageOf(eec, change)))
    assert.equal(response.status, 201, response.body.toString())
    return response.headers.location ?? assert.fail('no location')
  }
  const unsubscribe = async (eec: AnEntitledEec, path: string) => {
    assert.equal((await send(eec, { method: 'DELETE', path })).status, 204)
  }
  const patchProfile = async (ees: RunningEes, eesProf: object) => {
    const headers = { 'content-type': 'application/merge-patch+json' }
    const response = await ees.request({
      method: 'PATCH',
      headers,
      body: JSON.stringify({ eesProf: { ...ees.answer.eesProf, ...eesProf } }),
    })
    assert.equal(response.status, 200, response.body.toString())
  }
  /** Everything that has been told so far is out. */
  const told = async (count: number) => {
    await receiver.until(() => receiver.took.length >= count)
    assert.deepEqual(receiver.refused, [])
    return receiver.took.splice(0)
  }

  test('a change of a registration, and its end, reach who waits for it, and nobody else', async () => {
    const [eec, other] = [anEntitledEec('eec-1'), anEntitledEec('eec-2')]
    const ees = await onboard(ecs, { eesId: 'ees-1', fqdn: 'ees1.example.com' })
    await patchProfile(ees, { easIds: ['eas-a'] })
    const path = await subscribe(eec, wanting('eas-a'))
    const elsewhere = await subscribe(other, wanting('eas-b'))
    const subId = path.slice(path.lastIndexOf('/') + 1)

    await patchProfile(ees, { easIds: ['eas-a', 'eas-c'] })
    const [changed, ...more] = await told(1)
    assert.deepEqual(more, [])
    assert.equal(changed?.subId, subId)
    assert.deepEqual(
      changed?.ednCnfgInfo.map(({ eess }) => eess.map(({ eesId, easIds }) => [eesId, easIds])),
      [[['ees-1', ['eas-a', 'eas-c']]]],
    )

    // None is left: the one that ended is named, as ended.
    await ecs.operator.revoke('ees-1')
    const [ended] = await told(1)
    assert.deepEqual(
      ended?.ednCnfgInfo.map(({ eess }) => eess.map(({ eesId }) => eesId)),
      [['ees-1']],
    )
    assert.ok(Date.parse(ended?.ednCnfgInfo[0]?.lifeTime ?? '') <= Date.now() + 1_000)

    const next = await onboard(ecs, { eesId: 'ees-2', fqdn: 'ees2.example.com' })
    await patchProfile(next, { easIds: ['eas-b'] })
    assert.deepEqual(
      (await told(1)).map(({ subId: id }) => `${SUBSCRIPTIONS}/${id}`),
      [elsewhere],
    )
    await unsubscribe(eec, path)
    await unsubscribe(other, elsewhere)
  })

  test('PUT and PATCH change what is waited for, DELETE ends it; the secret is never told', async () => {
    const eec = anEntitledEec('eec-3')
    const ees = await onboard(ecs, { eesId: 'ees-3', fqdn: 'ees3.example.com' })
    const created = await send(
      eec,
      json('POST', SUBSCRIPTIONS, messageOf(eec, { ...wanting('eas-x'), suppFeat: 'ff', unknown: 1 })),
    )
    const { expTime, ...message } = bodyOf<ECSServProvSubscription>(created)
    const { notificationSecret: _, ...sent } = messageOf(eec, { ...wanting('eas-x'), suppFeat: '0' })
    assert.deepEqual(message, sent)
    assert.ok(Date.parse(expTime ?? '') > Date.now())
    const path = created.headers.location ?? ''
    const { notificationSecret: __, ...withoutSecret } = messageOf(eec, wanting('eas-y'))
    assert.equal((await send(eec, json('PUT', path, withoutSecret))).status, 200)
    await patchProfile(ees, { easIds: ['eas-x'] })
    await patchProfile(ees, { easIds: ['eas-y'] })
    assert.equal((await told(1)).length, 1)
    const patched = await send(eec, json('PATCH', path, wanting('eas-z')))
    assert.deepEqual(bodyOf<ECSServProvSubscription>(patched).acProfs, wanting('eas-z').acProfs)
    await patchProfile(ees, { easIds: ['eas-z'] })
    assert.equal((await told(1)).length, 1)
    await unsubscribe(eec, path)
    refusedWith(await send(eec, { method: 'DELETE', path }), 'SUBSCRIPTION_NOT_FOUND')
    refusedWith(await send(eec, json('PUT', path, withoutSecret)), 'SUBSCRIPTION_NOT_FOUND')
  })

  test('HT-07: the SDK subscribes, and knows its notifications from those of another subscription', async () => {
    const eec = anEntitledEec('eec-10')
    const ees = await onboard(ecs, { eesId: 'ees-10', fqdn: 'ees10.example.com' })
    const subscriptions = new Subscriptions({
      eecId: eec.eecId,
      role: 'ecs',
      server: ecs.fqdn,
      root: writePem('CERTIFICATE', ecs.opened.ca.present().root.der),
      newSecret: () => randomBytes(32).toString('base64url'),
      request: (message) => send(eec, message),
    })
    const wishes = { ...wanting('eas-10'), notificationDestination: receiver.uri('/eec-10') }
    const { subscriptionId, expectation } = await subscriptions.create(wishes)
    receiver.expect(expectation)
    await patchProfile(ees, { easIds: ['eas-10'] })
    assert.deepEqual(
      (await told(1)).map(({ subId }) => subId),
      [subscriptionId],
    )
    const other = await subscriptions.create(wishes)
    await subscriptions.remove(other.subscriptionId)
    receiver.expect(other.expectation)
    await patchProfile(ees, { easIds: ['eas-10', 'eas-11'] })
    await receiver.until(() => receiver.refused.length > 0)
    const refused = receiver.refused.splice(0)
    assert.deepEqual([(refused[0] as Refusal).code, receiver.took], ['TOKEN_INVALID', []])
    // It is tried again, and comes to the one that it is for: nothing of it is left for the tests that follow.
    receiver.expect(expectation)
    await told(1)
    receiver.of(ecs)
    await subscriptions.remove(subscriptionId)
  })

  test('HT-12: the subscription of somebody else is not there', async () => {
    const [owner, other] = [anEntitledEec('eec-4'), anEntitledEec('eec-5')]
    const path = await subscribe(owner)
    await withoutTrace(ecs, async () => {
      const none = `${SUBSCRIPTIONS}/00000000-0000-4000-8000-000000000000`
      for (const target of [path, none]) {
        for (const message of [
          json('PUT', target, messageOf(other)),
          json('PATCH', target, wanting('eas-a')),
          { method: 'DELETE', path: target } as const,
        ]) {
          refusedWith(await send(other, message), 'SUBSCRIPTION_NOT_FOUND')
        }
      }
    })
    await unsubscribe(owner, path)
  })

  test('NG-04: no subscription is made, or moved, in the name of another EEC or UE', async () => {
    const eec = anEntitledEec('eec-6', GPSI)
    const path = await subscribe(eec, { ueId: GPSI })
    await withoutTrace(ecs, async () => {
      for (const foreign of [{ eecId: 'eec-1' }, { ueId: 'msisdn-491710000002' }]) {
        refusedWith(await send(eec, json('POST', SUBSCRIPTIONS, messageOf(eec, foreign))), 'EEC_MISMATCH')
        refusedWith(await send(eec, json('PUT', path, messageOf(eec, foreign))), 'EEC_MISMATCH')
      }
    })
    await unsubscribe(eec, path)
  })

  test('what a subscription needs: a secret of 128 bits, an address that is allowed, a time to come', async () => {
    const eec = anEntitledEec('eec-7')
    const table: readonly [change: object, status: number, cause: string][] = [
      [{ notificationSecret: undefined }, 400, 'MANDATORY_IE_MISSING'],
      [{ notificationSecret: 'too-short' }, 400, 'MANDATORY_IE_INCORRECT'],
      [{ notificationDestination: undefined }, 400, 'MANDATORY_IE_MISSING'],
      [{ notificationDestination: 'https://elsewhere.example/' }, 400, 'NOTIFICATION_URI_NOT_ACCEPTED'],
      [{ expTime: new Date(Date.now() - 1_000).toISOString() }, 400, 'OPTIONAL_IE_INCORRECT'],
      [{ expTime: 'tomorrow' }, 400, 'MANDATORY_IE_INCORRECT'],
    ]
    await withoutTrace(ecs, async () => {
      for (const [change, status, cause] of table) {
        const problem = problemOf(await send(eec, json('POST', SUBSCRIPTIONS, messageOf(eec, change))))
        assert.deepEqual([problem.status, problem.cause], [status, cause], JSON.stringify(change))
      }
    })
  })

  test('HT-10: a time that RFC 3339 has, and no clock, is refused, at the beginning and later on', async () => {
    const eec = anEntitledEec('eec-7')
    const path = await subscribe(eec)
    await withoutTrace(ecs, async () => {
      for (const expTime of ['2036-12-31T23:59:60Z', '2036-12-31T18:59:60.5-05:00', '2036-12-31T23:59:59+01']) {
        for (const message of [
          json('POST', SUBSCRIPTIONS, messageOf(eec, { expTime })),
          json('PUT', path, messageOf(eec, { expTime })),
          json('PATCH', path, { expTime }),
        ]) {
          const problem = problemOf(await send(eec, message))
          assert.deepEqual([problem.status, problem.cause], [400, 'OPTIONAL_IE_INCORRECT'], expTime)
        }
      }
    })
    await unsubscribe(eec, path)
  })

  test('HT-11: an EEC has its share (429), all of them together have theirs (507), and room comes back', async () => {
    const eecs = ['eec-a', 'eec-b', 'eec-c'].map((eecId) => anEntitledEec(eecId))
    const paths: [AnEntitledEec, string][] = []
    for (const [n, eec] of eecs.entries()) {
      for (let count = 0; count < (n < 2 ? 3 : 2); count++) paths.push([eec, await subscribe(eec)])
    }
    const [first, , third] = eecs
    if (first === undefined || third === undefined) assert.fail()
    refusedWith(await send(first, json('POST', SUBSCRIPTIONS, messageOf(first))), 'TOO_MANY_REQUESTS')
    refusedWith(await send(third, json('POST', SUBSCRIPTIONS, messageOf(third))), 'QUOTA_EXCEEDED')
    // Nobody else is hindered.
    const wishes = json('POST', '/eecs-serviceprovisioning/v1/request', { eecId: third.eecId })
    assert.equal((await send(third, wishes)).status, 200)
    for (const [eec, path] of paths) await unsubscribe(eec, path)
    await unsubscribe(third, await subscribe(third))
  })

  test('what changed while the receiver was away, or the ECS was, is told after', async () => {
    const eec = anEntitledEec('eec-9')
    const ees = await onboard(ecs, { eesId: 'ees-9', fqdn: 'ees9.example.com' })
    await patchProfile(ees, { easIds: ['eas-9'] })
    const path = await subscribe(eec, wanting('eas-9'))
    // The ECS stops before its notification has arrived.
    receiver.state.requests = 0
    receiver.state.answer = async () => ({ status: 503 })
    await patchProfile(ees, { easIds: ['eas-9', 'eas-10'] })
    while (receiver.state.requests === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    peer.close()
    await ecs.restart()
    receiver.state.answer = undefined
    peer = ecs.anybody()
    const [late] = await told(1)
    assert.deepEqual(
      late?.ednCnfgInfo[0]?.eess.map(({ easIds }) => easIds),
      [['eas-9', 'eas-10']],
    )
    await unsubscribe(eec, path)
  })

  test('an expired subscription is nobody’s, and is forgotten', async () => {
    const eec = anEntitledEec('eec-8')
    const path = await subscribe(eec, { expTime: new Date(Date.now() + 1_500).toISOString() })
    ecs.advance(1_500)
    refusedWith(await send(eec, { method: 'DELETE', path }), 'SUBSCRIPTION_NOT_FOUND')
  })
})
