import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { kdf, kdfInput, utf8 } from '../../src/keys/kdf.ts'
import kedge from '../vectors/keys/kedge.json' with { type: 'json' }
import { hex } from './octets.ts'

const octets = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))

describe('the key derivation function: TS 33.220 B.2', () => {
  for (const { name, s } of kedge.vectors) {
    test(`${name}: S of Kedge, with FC in two octets`, () => {
      assert.equal(kdfInput(0xffe0, utf8('EDGE'), utf8('001010000000001')).toString('hex'), s)
    })
  }

  test('B.2.0: S = FC || P0 || L0 || P1 || L1, FC in one octet', () => {
    assert.equal(kdfInput(0x6d, hex('aabb'), hex('')).toString('hex'), '6daabb00020000')
    assert.equal(kdfInput(0x00).toString('hex'), '00')
    assert.equal(kdfInput(0xfe).toString('hex'), 'fe')
    assert.equal(kdfInput(0xff00).toString('hex'), 'ff00')
    assert.equal(kdfInput(0xffff).toString('hex'), 'ffff')
  })

  test('B.2.0: Li has two octets, up to 65535', () => {
    assert.equal(kdfInput(0, Buffer.alloc(0x1234)).subarray(-2).toString('hex'), '1234')
    assert.equal(kdfInput(0, Buffer.alloc(0xffff)).subarray(-2).toString('hex'), 'ffff')
    assert.throws(() => kdfInput(0, Buffer.alloc(0x10000)), RangeError)
  })

  test('B.2.2: FF alone is no FC, nor is a second octet without it', () => {
    for (const fcOutside of [0xff, 0x100, 0x6a00, 0xfeff, 0x10000, -1, 0.5, Number.NaN]) {
      assert.throws(() => kdfInput(fcOutside, hex('00')), RangeError, `FC ${fcOutside}`)
    }
  })

  test('B.2.1.2: character strings are normalised by NFKC and encoded in UTF-8', () => {
    assert.equal(utf8('e\u0301').toString('hex'), 'c3a9')
    assert.equal(utf8('\u00e9').toString('hex'), 'c3a9')
    assert.equal(utf8('\ufb01').toString(), 'fi')
    assert.equal(utf8('５G').toString(), '5G')
  })

  test('the derived key is HMAC-SHA-256(Key, S)', () => {
    fc.assert(
      fc.property(
        octets(40),
        fc.integer({ min: 0, max: 0xfe }),
        fc.array(octets(50), { maxLength: 4 }),
        (k, code, ps) => {
          const expected = createHmac('sha256', k)
            .update(kdfInput(code, ...ps))
            .digest('hex')
          assert.equal(kdf(createSecretKey(k), code, ...ps).toString('hex'), expected)
        },
      ),
    )
  })

  test('different parameters never give the same S: the lengths keep them apart', () => {
    const parameters = fc.array(octets(4), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(parameters, parameters, (one, other) => {
        fc.pre(one.length === other.length)
        const same = one.every((parameter, index) => parameter.equals(other[index] ?? Buffer.alloc(0)))
        assert.equal(kdfInput(1, ...one).equals(kdfInput(1, ...other)), same)
      }),
      { numRuns: 2000 },
    )
  })
})
