import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { bodyOf, newEesKey, onboard, onboardingMessage, type RunningEcs, runEcs } from './running-ecs.ts'

describe('EES onboarding over TLS: TR 33.839 6.Y.2', () => {
  let ecs: RunningEcs
  before(async () => {
    ecs = await runEcs()
  })
  after(() => ecs.close())

  test('ON-01: of 100 clients with one token, each with its own key, exactly one is registered; not even a restart revives it', async () => {
    const bundle = await ecs.invite({ eesId: 'ees-on01', fqdn: 'ees-on01.example.com' })
    const peer = ecs.anybody()
    const messages = await Promise.all(Array.from({ length: 100 }, () => onboardingMessage(bundle, newEesKey())))
    const statuses = (await Promise.all(messages.map((message) => peer.request(message)))).map(({ status }) => status)
    assert.deepEqual(
      [201, 401].map((status) => statuses.filter((each) => each === status).length),
      [1, 99],
    )
    await ecs.restart()
    const replay = await ecs.anybody().request(await onboardingMessage(bundle, newEesKey()))
    assert.equal(replay.status, 401)
    assert.equal(bodyOf<{ cause: string }>(replay).cause, 'ONBOARDING_TOKEN_USED')
    const { ees } = await ecs.operator.list()
    assert.equal(ees.filter(({ eesId }) => eesId === 'ees-on01').length, 1)
    assert.equal(
      (await (await onboard(ecs, { eesId: 'ees-on01b', fqdn: 'b.example.com' })).request({ method: 'GET' })).status,
      200,
    )
  })
})
