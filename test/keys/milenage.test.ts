import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { deriveOpc, f1, f5star, f2345 } from '../../src/keys/milenage.ts'
import milenage from '../vectors/keys/milenage.json' with { type: 'json' }
import { hex, hexOf, key } from './octets.ts'

describe('MILENAGE: TS 35.206', () => {
  for (const vector of milenage.vectors) {
    test(`${vector.clause}, ${vector.name}: OPc, f1 to f5, f1*, f5*`, () => {
      const keys = { k: key('K', vector.k), opc: key('OPc', vector.opc) }
      const rand = hex(vector.rand)
      assert.equal(hexOf(deriveOpc(keys.k, key('OP', vector.op))), vector.opc)
      const { macA, macS } = f1(keys, rand, hex(vector.sqn), hex(vector.amf))
      assert.equal(macA.toString('hex'), vector.f1)
      assert.equal(macS.toString('hex'), vector.f1star)
      const { res, ck, ik, ak } = f2345(keys, rand)
      assert.equal(res.toString('hex'), vector.f2)
      assert.equal(hexOf(ck), vector.f3)
      assert.equal(hexOf(ik), vector.f4)
      assert.equal(ak.toString('hex'), vector.f5)
      assert.equal(f5star(keys, rand).toString('hex'), vector.f5star)
    })
  }

  test('RAND, SQN and AMF have their lengths', () => {
    const keys = { k: key('K', '00'.repeat(16)), opc: key('OPc', '00'.repeat(16)) }
    assert.throws(() => f2345(keys, Buffer.alloc(15)), { name: 'RangeError', message: 'RAND has 16 octets' })
    assert.throws(() => f5star(keys, Buffer.alloc(17)), RangeError)
    assert.throws(() => f1(keys, Buffer.alloc(16), Buffer.alloc(5), Buffer.alloc(2)), RangeError)
    assert.throws(() => f1(keys, Buffer.alloc(16), Buffer.alloc(6), Buffer.alloc(1)), RangeError)
  })
})
