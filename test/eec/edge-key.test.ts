import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { processEdgeKeyResponse } from '../../src/eec/authentication/edge-key.ts'
import { EEC_1, EEC_2, VECTOR } from '../ue/a-folder.ts'
import { json, problem } from '../ue/a-home-network.ts'

const ANSWER = { kedgeId: VECTOR.kedgeId, pskIdentity: VECTOR.pskIdentity, psk: VECTOR.kecs, keyProfile: 'bound' }
const LITERAL = { ...ANSWER, pskIdentity: VECTOR.kedgeId, keyProfile: 'literal' }

describe('what the UE answers to its EEC: TR 33.839 6.x.2.1 step 3', () => {
  test('KE-11: the key is taken over, and its octets leave the answer', () => {
    const response = json(ANSWER)
    const { name, keyProfile, psk } = processEdgeKeyResponse(response, EEC_1)
    assert.deepEqual([name.kedgeId, keyProfile, psk.identity], [VECTOR.kedgeId, 'bound', VECTOR.pskIdentity])
    assert.equal(psk.key.export().toString('hex'), VECTOR.kecs)
    assert.ok(response.body.every((octet) => octet === 0))
    assert.equal(processEdgeKeyResponse(json(LITERAL), EEC_1).psk.identity, VECTOR.kedgeId)
  })

  for (const [name, response, eecId] of [
    ['of another EEC', json(ANSWER), EEC_2],
    ['of another Kedge ID', json({ ...ANSWER, kedgeId: VECTOR.kedgeId.replace('kid1', 'kid2') }), EEC_1],
    ['literal under a bound name', json({ ...ANSWER, keyProfile: 'literal' }), EEC_1],
    ['bound under a literal name', json({ ...LITERAL, keyProfile: 'bound' }), EEC_1],
    ['of a profile that is not known', json({ ...ANSWER, keyProfile: 'plain' }), EEC_1],
    ['without a Kedge ID', json({ ...ANSWER, kedgeId: '../' }), EEC_1],
    ['of 31 octets', json({ ...ANSWER, psk: VECTOR.kecs.slice(2) }), EEC_1],
    ['of 33 octets', json({ ...ANSWER, psk: `${VECTOR.kecs}00` }), EEC_1],
    ['in another media type', json(ANSWER, 200, 'text/html'), EEC_1],
    ['with another status', json(ANSWER, 201), EEC_1],
  ] as const) {
    test(`a key ${name} is not taken`, () => {
      assert.throws(() => processEdgeKeyResponse(response, eecId), { name: 'AnswerNotAccepted' })
    })
  }

  test('a refusal keeps its reason', () => {
    const refusal = { name: 'RefusedByServer', status: 403, code: 'EEC_MISMATCH' }
    assert.throws(() => processEdgeKeyResponse(problem(403, 'EEC_MISMATCH'), EEC_1), refusal)
  })
})
