import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { authenticationVector, verifyAuts } from '../../src/keys/aka.ts'
import { newUsimSqnState, nextSqn } from '../../src/keys/sqn.ts'
import { answerChallenge } from '../../src/ue/me/five-g-aka.ts'
import { authenticate } from '../../src/ue/usim/authenticate.ts'
import { hex, hexOf, key } from '../keys/octets.ts'
import fiveGAka from '../vectors/keys/five-g-aka.json' with { type: 'json' }
import { aSubscription, NETWORK } from './a-home-network.ts'
import { Sqns } from './a-ue.ts'

const RAND = Buffer.alloc(16, 0x5a)
const { keys } = aSubscription()
const challenge = (sqn: number, amf = 0x8000) => authenticationVector(keys, { rand: RAND, sqn, amf })

describe('the USIM: TS 33.102 6.3.3', () => {
  test('SQN is on disk before RES is known', async () => {
    const order: string[] = []
    const state = newUsimSqnState()
    const sqn = {
      load: async () => state,
      save: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        order.push('saved')
      },
    }
    await authenticate({ keys, sqn }, challenge(nextSqn(0))).then(() => order.push('answered'))
    assert.deepEqual(order, ['saved', 'answered'])
  })

  test('there is no RES if SQN cannot be stored', async () => {
    const sqn = {
      load: async () => newUsimSqnState(),
      save: async () => {
        throw new Error('no space')
      },
    }
    await assert.rejects(authenticate({ keys, sqn }, challenge(nextSqn(0))), { message: 'no space' })
  })

  test('a challenge is answered once; then AUTS tells the highest SQN (6.3.5)', async () => {
    const sqn = new Sqns()
    const first = challenge(nextSqn(0))
    const answer = await authenticate({ keys, sqn }, first)
    assert.equal(answer.outcome, 'accepted')
    const again = await authenticate({ keys, sqn }, first)
    assert.ok(again.outcome === 'synchronisation-failure')
    assert.equal(verifyAuts(keys, first.rand, again.auts), nextSqn(0))
    assert.equal(sqn.saved.length, 1)
  })
})

describe('5G AKA in the ME: TS 33.501 6.1.3.2 steps 7 and 8', () => {
  for (const vector of fiveGAka.vectors) {
    const sqn = Number.parseInt(vector.sqn, 16)
    const usim = {
      keys: { k: key('K', vector.k), opc: key('OPc', vector.opc) },
      sqn: {
        load: async () => ({ seqMs: newUsimSqnState().seqMs.map(() => Math.floor(sqn / 32) - 1) }),
        save: async () => {},
      },
    }

    test(`${vector.name}: RES* and KAUSF, with the separation bit set`, async () => {
      const { rand, autn } = authenticationVector(usim.keys, { rand: hex(vector.rand), sqn, amf: 0x8000 })
      const answer = await answerChallenge(usim, { rand, autn }, NETWORK)
      assert.ok(answer.outcome === 'response')
      assert.deepEqual([answer.resStar.toString('hex'), hexOf(answer.kausf)], [vector.resStar, vector.kausf])
    })

    test(`${vector.name}: the AMF of the vector decides whether it is one of 5G`, async () => {
      const answer = await answerChallenge(usim, { rand: hex(vector.rand), autn: hex(vector.autn) }, NETWORK)
      const separated = Number.parseInt(vector.amf, 16) >= 0x8000
      assert.deepEqual(
        answer.outcome === 'failure' ? answer.reason : answer.outcome,
        separated ? 'response' : 'non-5g-authentication',
      )
    })
  }
})
