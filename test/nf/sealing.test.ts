import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openSecret, sealSecret } from '../../src/nf/sealing.ts'

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe('secrets of a store at rest', () => {
  test('what is sealed for a row opens there, with this key, unchanged, and nowhere else', () => {
    fc.assert(
      fc.property(octets(32), octets(32), octets(16), octets(12), fc.nat(), (key, secret, row, nonce, place) => {
        const dataKey = createSecretKey(key)
        const sealed = sealSecret(dataKey, secret, row, nonce)
        assert.deepEqual(openSecret(dataKey, sealed, row), Buffer.from(secret))
        assert.equal(sealed.length, 12 + 32 + 16)
        const changed = Buffer.from(sealed)
        const at = place % sealed.length
        changed[at] = (changed[at] ?? 0) ^ 1
        assert.throws(() => openSecret(dataKey, changed, row), /does not open/)
        assert.throws(() => openSecret(dataKey, sealed, randomBytes(16)), /does not open/)
        assert.throws(() => openSecret(createSecretKey(randomBytes(32)), sealed, row), /does not open/)
      }),
    )
  })
})
