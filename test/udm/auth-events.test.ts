import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemRandom } from '../../src/ports/random.ts'
import { NUDM_UEAU } from '../../src/spec/core-operations.ts'
import { type RunningUdm, runUdm, SERVING_NETWORK, SET_1, SUPI } from './a-udm.ts'

const { ConfirmAuth, DeleteAuth } = NUDM_UEAU

describe('Nudm_UEAU, auth-events: TS 33.501 6.1.4.1a', () => {
  let udm: RunningUdm
  const event = (change: object = {}) => ({
    nfInstanceId: udm.ausf.nfInstanceId,
    success: true,
    timeStamp: '2026-11-21T05:00:00+01:00',
    authType: '5G_AKA',
    servingNetworkName: SERVING_NETWORK,
    ...change,
  })
  before(async () => {
    udm = await runUdm()
    await udm.serving.operator.add([SET_1])
  })
  after(() => udm.close())

  test('a result is confirmed, kept until it is taken back, and taken back once', async () => {
    const confirmed = await udm.ask(ConfirmAuth, { supi: SUPI }, { ...event(), unknown: 1 })
    assert.equal(confirmed.status, 201)
    assert.deepEqual(confirmed.body, event())
    const authEventId = confirmed.location?.split('/').at(-1) ?? ''
    await udm.restart()
    const removal = event({ authRemovalInd: true })
    const target = { supi: SUPI, authEventId }
    assert.equal((await udm.ask(DeleteAuth, target, event())).status, 400)
    assert.equal((await udm.ask(DeleteAuth, { ...target, authEventId: systemRandom.uuid() }, removal)).status, 404)
    assert.equal((await udm.ask(DeleteAuth, target, removal)).status, 204)
    assert.equal((await udm.ask(DeleteAuth, target, removal)).status, 404)
  })

  test('HT-10: a time that RFC 3339 has, and no clock, is refused', async () => {
    for (const timeStamp of ['2026-12-31T23:59:60Z', '2026-11-21T05:00:00+01']) {
      const told = await udm.ask(ConfirmAuth, { supi: SUPI }, event({ timeStamp }))
      assert.deepEqual([told.status, told.body.cause], [400, 'MANDATORY_IE_INCORRECT'], timeStamp)
    }
  })

  test('the result of another AUSF, or of an unknown subscriber, is not taken', async () => {
    const foreign = await udm.ask(ConfirmAuth, { supi: SUPI }, event({ nfInstanceId: systemRandom.uuid() }))
    assert.deepEqual([foreign.status, foreign.body.cause], [403, 'POLICY_DENIED'])
    const nobody = await udm.ask(ConfirmAuth, { supi: 'imsi-001019999999999' }, event())
    assert.deepEqual([nobody.status, nobody.body.cause], [404, 'USER_NOT_FOUND'])
  })
})
