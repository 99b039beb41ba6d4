import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildAuts, verifyAutn } from '../../src/keys/aka.ts'
import { takeKey, withOctets } from '../../src/keys/key.ts'
import { newUsimSqnState, verifySqn } from '../../src/keys/sqn.ts'
import { HSS_VECTORS_SCOPE, NUDM_UEAU } from '../../src/spec/core-operations.ts'
import type { HssAuthenticationInfoResult } from '../../src/spec/messages/ueau.ts'
import { officialSchema, withoutOfficialFiles } from '../spec/official.ts'
import { officialValidator } from '../spec/validators.ts'
import { RAND_1, type RunningUdm, runUdm, SET_1, SUPI } from './a-udm.ts'

const keys = {
  k: takeKey('K', Buffer.from(SET_1.k, 'hex')),
  opc: takeKey('OPc', Buffer.from(SET_1.opc, 'hex')),
}
const hex = (text: string) => Buffer.from(text, 'hex')

interface ThreeGVector {
  readonly avType: string
  readonly rand: string
  readonly autn: string
  readonly xres: string
  readonly ck: string
  readonly ik: string
}

describe('Nudm_UEAU, generate-av for EAP-AKA: TS 29.503 5.4.2.6', () => {
  let udm: RunningUdm
  const generate = async (change: object = {}, parameters: object = {}) => {
    const request = { hssAuthType: 'EAP_AKA', numOfRequestedVectors: 1, ...change }
    const path = { supi: SUPI, hssAuthType: 'eap-aka', ...parameters }
    const { status, body } = await udm.ask(NUDM_UEAU.GenerateAv, path, request)
    const { hssAuthenticationVectors = [], cause } = body as unknown as Partial<HssAuthenticationInfoResult> & {
      cause?: string
    }
    return { status, body, cause, vectors: hssAuthenticationVectors as ThreeGVector[] }
  }
  before(async () => {
    udm = await runUdm({}, {}, ['nudm-ueau', HSS_VECTORS_SCOPE])
    await udm.serving.operator.add([{ ...SET_1, sqn: '000000000000' }])
  })
  after(() => udm.close())

  test('a USIM takes the vector, and its separation bit is 0: TS 33.102 Annex H', async () => {
    const { status, vectors } = await generate()
    assert.equal(status, 200)
    const [vector] = vectors
    assert.ok(vector && vectors.length === 1)
    const verified = verifyAutn(keys, hex(vector.rand), hex(vector.autn))
    assert.ok(verified)
    assert.equal(verified.amf, 0x39b9)
    assert.equal(verified.res.toString('hex'), vector.xres)
    for (const [key, text] of [
      [verified.ck, vector.ck],
      [verified.ik, vector.ik],
    ] as const) {
      withOctets(key, (octets) => assert.equal(octets.toString('hex'), text))
    }
  })

  test('five at once: a USIM takes them in their order, and the vectors of 5G between them', async () => {
    const five = await generate({ numOfRequestedVectors: 5 })
    assert.equal(five.vectors.length, 5)
    const { authenticationVector } = (await udm.generate(SUPI)).body
    const all = [...five.vectors, authenticationVector as { rand: string; autn: string }]
    let state = newUsimSqnState()
    for (const { rand, autn } of all) {
      const verdict = verifySqn(state, verifyAutn(keys, hex(rand), hex(autn))?.sqn ?? -1)
      assert.ok(verdict.fresh)
      state = verdict.state
    }
  })

  test('after a synchronisation failure SQN goes on from that of the USIM: TS 33.102 6.3.5', async () => {
    const sqnMs = 2 ** 40
    const auts = buildAuts(keys, hex(RAND_1), sqnMs).toString('hex')
    const { status, vectors } = await generate({ resynchronizationInfo: { rand: RAND_1, auts } })
    assert.equal(status, 200)
    const sqn = verifyAutn(keys, hex(vectors[0]?.rand ?? ''), hex(vectors[0]?.autn ?? ''))?.sqn ?? 0
    assert.ok(sqn > sqnMs && sqn - sqnMs < 2 ** 10)
    const forged = `${auts.slice(0, -1)}${auts.endsWith('0') ? '1' : '0'}`
    const refused = await generate({ resynchronizationInfo: { rand: RAND_1, auts: forged } })
    assert.deepEqual([refused.status, refused.cause], [403, 'AUTHENTICATION_REJECTED'])
  })

  test('refuses other vectors, other numbers, unknown and concealed subscribers', async () => {
    assert.equal((await generate({}, { hssAuthType: 'ims-aka' })).status, 404)
    assert.equal((await generate({ hssAuthType: 'EPS_AKA' })).status, 400)
    assert.equal((await generate({ numOfRequestedVectors: 0 })).status, 400)
    assert.equal((await generate({ numOfRequestedVectors: 6 })).status, 400)
    assert.deepEqual((await generate({}, { supi: 'imsi-001010000000009' })).cause, 'USER_NOT_FOUND')
    assert.deepEqual((await generate({}, { supi: 'suci-0-001-01-0-0-0-0000000001' })).cause, 'USER_NOT_FOUND')
  })

  test('is for those with its own scope: an AUSF has no use for CK and IK', async (t) => {
    const strict = await runUdm()
    t.after(() => strict.close())
    const path = { supi: SUPI, hssAuthType: 'eap-aka' }
    const answer = await strict.ask(NUDM_UEAU.GenerateAv, path, { hssAuthType: 'EAP_AKA', numOfRequestedVectors: 1 })
    assert.deepEqual([answer.status, answer.body.cause], [403, 'POLICY_DENIED'])
  })

  test('the answer is what the OpenAPI file says', { skip: withoutOfficialFiles }, async () => {
    const schema = officialSchema('TS29503_Nudm_UEAU.yaml', 'HssAuthenticationInfoResult')
    const accepts = officialValidator(schema)
    assert.ok(accepts((await generate({ numOfRequestedVectors: 2 })).body), JSON.stringify(accepts.errors))
  })
})
