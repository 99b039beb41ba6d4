import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aRegistration } from './a-registration.ts'
import { json, plain, problem } from './an-ecs.ts'

const PATH = '/eecs-targeteesdiscovery/v1/ees-profiles'
const FOUND = [
  {
    ednConInfo: { dnn: 'edge' },
    eess: [{ eesId: 'ees-2', endPt: { fqdn: 'ees2.other.example' }, eecRegConf: true, easIds: ['eas 1/&?'] }],
    lifeTime: '2026-11-22T12:00:00Z',
  },
]

describe('target EESs, the side of the EES that asks: TS 29.558 9.2', () => {
  test('it asks as itself, with its certificate, at its own ECS alone', async () => {
    const { ecs, registration } = await aRegistration()
    const query = new URLSearchParams({ 'ees-id': 'ees-1', 'eas-id': 'eas 1/&?', 'target-dnai': 'dnai 2' })
    ecs.answers[`GET ${PATH}?${query}`] = () => json(200, { ednCnfgInfo: FOUND })
    assert.deepEqual(plain(await registration.discoverTargetEess({ easId: 'eas 1/&?', dnai: 'dnai 2' })), FOUND)
    assert.equal(ecs.asked.length, 1)
    assert.deepEqual(
      [ecs.asked[0]?.origin, ecs.asked[0]?.certificate],
      [ecs.origins.mtls, registration.certificate.der],
    )
  })

  test('there are none is an answer; that nobody could say is an error, and so is what is no answer', async () => {
    const { ecs, registration } = await aRegistration()
    const name = `GET ${PATH}?ees-id=ees-1&eas-id=eas-1`
    const ask = () => registration.discoverTargetEess({ easId: 'eas-1' })
    ecs.answers[name] = () => problem(404, 'REGISTRATION_NOT_FOUND')
    assert.deepEqual(await ask(), [])
    ecs.answers[name] = () => problem(404, 'RESOURCE_URI_STRUCTURE_NOT_FOUND')
    await assert.rejects(ask(), { name: 'RefusedByServer', status: 404 })
    ecs.answers[name] = () => problem(503, 'PEER_NOT_AVAILABLE')
    await assert.rejects(ask(), { name: 'RefusedByServer', status: 503 })
    for (const body of [{}, { ednCnfgInfo: [] }, { ednCnfgInfo: [{ ednConInfo: {}, eess: [{ eesId: 'ees-2' }] }] }]) {
      ecs.answers[name] = () => json(200, body)
      await assert.rejects(ask(), { name: 'AnswerNotAccepted' })
    }
    ecs.answers[name] = () => json(307, {}, { location: 'https://elsewhere.example/' })
    await assert.rejects(ask(), { name: 'AnswerNotAccepted' })
  })
})
