import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import {
  authenticationVector,
  buildAuts,
  concealedSqn,
  isSeparationBitSet,
  verifyAutn,
  verifyAuts,
} from '../../src/keys/aka.ts'
import fiveG from '../vectors/keys/five-g-aka.json' with { type: 'json' }
import resynchronization from '../vectors/keys/resynchronization.json' with { type: 'json' }
import { hex, hexOf, key } from './octets.ts'

const sqns = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((octets) => Buffer.from(octets))
const subscribers = fc
  .tuple(sixteen, sixteen)
  .map(([k, opc]) => ({ k: key('K', k.toString('hex')), opc: key('OPc', opc.toString('hex')) }))

describe('AKA between AuC and USIM: TS 33.102 6.3', () => {
  for (const vector of fiveG.vectors) {
    const keys = { k: key('K', vector.k), opc: key('OPc', vector.opc) }
    const [rand, sqn, amf] = [hex(vector.rand), Number.parseInt(vector.sqn, 16), Number.parseInt(vector.amf, 16)]

    test(`${vector.name}, 6.3.2: the authentication vector`, () => {
      const { autn, xres, ck, ik } = authenticationVector(keys, { rand, sqn, amf })
      assert.equal(autn.toString('hex'), vector.autn)
      assert.equal(xres.toString('hex'), vector.res)
      assert.equal(hexOf(ck), vector.ck)
      assert.equal(hexOf(ik), vector.ik)
      assert.equal(Buffer.from(concealedSqn(autn)).toString('hex'), vector.sqnXorAk)
    })

    test(`${vector.name}, 6.3.3: the USIM finds SQN, AMF, RES, CK and IK`, () => {
      const challenge = verifyAutn(keys, rand, hex(vector.autn))
      assert.ok(challenge)
      assert.deepEqual([challenge.sqn, challenge.amf], [sqn, amf])
      assert.equal(challenge.res.toString('hex'), vector.res)
      assert.equal(hexOf(challenge.ck), vector.ck)
      assert.equal(hexOf(challenge.ik), vector.ik)
    })

    test(`${vector.name}, 6.3.3 and 6.3.5: AUTS`, () => {
      assert.equal(buildAuts(keys, rand, sqn).toString('hex'), vector.auts)
      assert.equal(verifyAuts(keys, rand, hex(vector.auts)), sqn)
    })
  }

  for (const { name, k, opc, rand, auts, sqnMs } of resynchronization.vectors) {
    test(`6.3.5: resynchronisation, ${name}`, () => {
      const found = verifyAuts({ k: key('K', k), opc: key('OPc', opc) }, hex(rand), hex(auts))
      assert.equal(found, sqnMs === null ? undefined : Number.parseInt(sqnMs, 16))
    })
  }

  test('6.3.3: what the AuC makes the USIM accepts, and no bit of RAND or AUTN may change', () => {
    fc.assert(
      fc.property(subscribers, sixteen, sqns, fc.nat(255), (keys, rand, sqn, bit) => {
        const { autn, xres } = authenticationVector(keys, { rand, sqn })
        const challenge = verifyAutn(keys, rand, autn)
        assert.ok(challenge)
        assert.equal(challenge.sqn, sqn)
        assert.equal(challenge.amf, 0x8000)
        assert.deepEqual(challenge.res, xres)
        const changed = Buffer.concat([rand, autn])
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assert.equal(verifyAutn(keys, changed.subarray(0, 16), changed.subarray(16)), undefined)
      }),
    )
  })

  test('6.3.5: the AuC finds the SQN_MS of AUTS, and no bit of RAND or AUTS may change', () => {
    fc.assert(
      fc.property(subscribers, sixteen, sqns, fc.nat(239), (keys, rand, sqnMs, bit) => {
        const auts = buildAuts(keys, rand, sqnMs)
        assert.equal(verifyAuts(keys, rand, auts), sqnMs)
        const changed = Buffer.concat([rand, auts])
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assert.equal(verifyAuts(keys, changed.subarray(0, 16), changed.subarray(16)), undefined)
      }),
    )
  })

  test('6.3.3: MAC-A of a challenge is no MAC-S: AUTN cannot be sent back as AUTS', () => {
    fc.assert(
      fc.property(subscribers, sixteen, sqns, (keys, rand, sqn) => {
        const { autn } = authenticationVector(keys, { rand, sqn, amf: 0 })
        const reflected = Buffer.concat([autn.subarray(0, 6), autn.subarray(8)])
        assert.equal(verifyAuts(keys, rand, reflected), undefined)
      }),
    )
  })

  test('TS 33.501 6.1.3.2: the separation bit is the most significant one of AMF', () => {
    assert.ok(isSeparationBitSet(0x8000))
    assert.ok(isSeparationBitSet(0xb9b9))
    assert.ok(!isSeparationBitSet(0x7fff))
    assert.ok(!isSeparationBitSet(0))
  })

  test('SQN has 48 bits, AMF 16, AUTN 16 octets and AUTS 14', () => {
    const keys = { k: key('K', '00'.repeat(16)), opc: key('OPc', '00'.repeat(16)) }
    const rand = Buffer.alloc(16)
    assert.throws(() => authenticationVector(keys, { rand, sqn: 2 ** 48 }), RangeError)
    assert.throws(() => authenticationVector(keys, { rand, sqn: -1 }), RangeError)
    assert.throws(() => authenticationVector(keys, { rand, sqn: 1, amf: 0x10000 }), RangeError)
    assert.throws(() => verifyAutn(keys, rand, Buffer.alloc(15)), RangeError)
    assert.throws(() => verifyAuts(keys, rand, Buffer.alloc(16)), RangeError)
    assert.throws(() => concealedSqn(Buffer.alloc(6)), RangeError)
  })
})
