import assert from 'node:assert/strict'
import { test } from 'node:test'

import { requireLength } from '../../src/octets/require-length.ts'
import { xor } from '../../src/octets/xor.ts'

test('xor combines octets of one length and leaves them as they are', () => {
  const [a, b] = [Buffer.of(0x0f, 0xf0, 0x55), Buffer.of(0xff, 0x0f, 0x55)]
  assert.deepEqual(xor(a, b), Buffer.of(0xf0, 0xff, 0x00))
  assert.deepEqual([a, b], [Buffer.of(0x0f, 0xf0, 0x55), Buffer.of(0xff, 0x0f, 0x55)])
  assert.throws(() => xor(a, Buffer.of(1)), RangeError)
  assert.throws(() => xor(Buffer.of(1), a), RangeError)
})

test('a length that is owed is required', () => {
  requireLength('RAND', Buffer.alloc(16), 16)
  requireLength('RES', Buffer.alloc(4), 4, 16)
  requireLength('RES', Buffer.alloc(16), 4, 16)
  assert.throws(() => requireLength('RAND', Buffer.alloc(15), 16), {
    name: 'RangeError',
    message: 'RAND has 16 octets',
  })
  assert.throws(() => requireLength('RES', Buffer.alloc(17), 4, 16), { message: 'RES has 4 to 16 octets' })
})
