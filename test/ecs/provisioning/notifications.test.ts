import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeEes } from '../../../src/ecs/provisioning/describe-ees.ts'
import { type NotificationPorts, Notifications, type Told } from '../../../src/ecs/provisioning/notifications.ts'
import { RegistrationIndex } from '../../../src/ecs/provisioning/registration-index.ts'
import { digestOf, type Subscription } from '../../../src/ecs/provisioning/subscriptions.ts'
import type { Registration } from '../../../src/ecs/registrar/registration.ts'
import { parseEesId, parseRegistrationId } from '../../../src/spec/identifiers.ts'
import type { ServProvNotification } from '../../../src/spec/messages/service-provisioning.ts'
import { fqdn } from '../../certificates/a-domain.ts'
import { eecIdOf } from '../an-eec.ts'

/** Many subscribers of one EES, and a clock on which every look at a subscription takes half a millisecond. */
function aScene(count: number) {
  const index = new RegistrationIndex((registration) => describeEes(registration, ['EDGE_ACCESS_TOKEN']))
  const rows = new Map<string, Subscription>()
  for (let n = 0; n < count; n++) {
    const subscriptionId = n.toString().padStart(8, '0')
    const message = { eecId: 'eec-1', acProfs: [{ acId: 'ac', eass: [{ easId: 'eas-1' }] }] }
    const row = { subscriptionId, eecId: eecIdOf('eec-1'), message, version: 1, told: digestOf([]), expiresAt: 10_000 }
    rows.set(subscriptionId, row)
  }
  const scene = {
    now: 0,
    pauses: [] as number[],
    sent: [] as ServProvNotification[],
    told: [] as Told[],
    delivers: true,
  }
  const ports: NotificationPorts = {
    now: () => scene.now,
    monotonic: () => scene.now,
    async pause() {
      scene.pauses.push(scene.now)
    },
    findEess(wanted) {
      scene.now += 0.5
      return index.find(wanted, 0, 100)
    },
    async subscriptionsAfter(after, limit) {
      return [...rows.values()].filter(({ subscriptionId }) => subscriptionId > after).slice(0, limit)
    },
    async notify(_, notification) {
      scene.sent.push(notification)
      return scene.delivers
    },
    async recordTold(told) {
      scene.told.push(...told)
      for (const each of told) {
        const row = rows.get(each.subscriptionId)
        if (row?.version === each.version) rows.set(row.subscriptionId, { ...row, told: each.told })
      }
    },
    failed: (error) => assert.fail(String(error)),
  }
  return { scene, index, rows, notifications: new Notifications(ports) }
}

function anEes(easId = 'eas-1', expiresAt = 5_000): Registration {
  const eesId = parseEesId('ees-1') ?? assert.fail()
  return {
    registrationId: parseRegistrationId('00000000-0000-4000-8000-000000000001') ?? assert.fail(),
    eesId,
    fqdn: fqdn('ees1.example.com'),
    eesProf: { eesId, endPt: { fqdn: 'ees1.example.com' }, eecRegConf: false, easIds: [easId] },
    version: 1,
    state: 'live',
    expiresAt,
  }
}

describe('a round of notifications', () => {
  test('each subscriber is told once of one change, and what it was told is recorded', async () => {
    const { scene, index, notifications } = aScene(1_000)
    notifications.changed(index.put(anEes()))
    await notifications.idle()
    assert.equal(new Set(scene.sent.map(({ subId }) => subId)).size, 1_000)
    assert.deepEqual([scene.sent.length, scene.told.length], [1_000, 1_000])
    // Nothing is new: nobody hears anything.
    notifications.changed(index.put(anEes()))
    await notifications.idle()
    assert.equal(scene.sent.length, 1_000)
  })

  test('others get their turn at least every 10 ms of work, however many there are to tell', async () => {
    const { scene, index, notifications } = aScene(5_000)
    notifications.changed(index.put(anEes()))
    await notifications.idle()
    assert.equal(scene.sent.length, 5_000)
    const turns = [0, ...scene.pauses, scene.now]
    const longest = Math.max(...turns.slice(1).map((at, n) => at - (turns[n] ?? 0)))
    assert.ok(longest <= 10.5, `${longest} ms`)
  })

  test('of changes that nobody waits for, nobody hears', async () => {
    const { scene, index, notifications } = aScene(10)
    notifications.changed(index.put(anEes('eas-2')))
    await notifications.idle()
    assert.deepEqual([scene.sent, scene.now], [[], 0])
  })

  test('changes that come during a round are told in the next, in their last state', async () => {
    const { scene, index, notifications } = aScene(10)
    notifications.changed(index.put(anEes()))
    notifications.changed(index.put(anEes('eas-2')))
    notifications.changed(index.put(anEes('eas-1', 6_000)))
    await notifications.idle()
    const last = new Map(scene.sent.map(({ subId, ednCnfgInfo }) => [subId, ednCnfgInfo[0]?.lifeTime]))
    assert.deepEqual([...new Set(last.values())], [new Date(6_000).toISOString()])
    assert.equal(last.size, 10)
  })

  test('what is not delivered is not recorded, and is tried again', async () => {
    const { scene, index, notifications } = aScene(10)
    scene.delivers = false
    notifications.changed(index.put(anEes()))
    await notifications.idle()
    assert.deepEqual([scene.sent.length, scene.told.length], [10, 0])
    scene.delivers = true
    notifications.retry()
    await notifications.idle()
    assert.deepEqual([scene.sent.length, scene.told.length], [20, 10])
    notifications.retry()
    await notifications.idle()
    assert.equal(scene.sent.length, 20)
  })

  test('an answer about a subscription that has changed meanwhile is not recorded', async () => {
    const { scene, index, rows, notifications } = aScene(1)
    notifications.changed(index.put(anEes()))
    const [row] = rows.values()
    if (row !== undefined) rows.set(row.subscriptionId, { ...row, version: 2 })
    await notifications.idle()
    assert.equal(scene.sent.length, 1)
    assert.equal(rows.values().next().value?.told === digestOf([]), true)
  })
})
