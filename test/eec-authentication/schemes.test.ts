import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eecSchemes } from '../../src/eec-authentication/schemes.ts'

test('RFC 9449 7.1: a token is asked for with a proof, and without one only where some may be bound to no key', () => {
  const [refused, allowed] = [{ unbound: 'refused' }, { unbound: 'allowed' }] as const
  assert.deepEqual(eecSchemes([]), ['DPoP'])
  assert.deepEqual(eecSchemes([refused, refused]), ['DPoP'])
  assert.deepEqual(eecSchemes([refused, allowed]), ['DPoP', 'Bearer'])
})
