import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { concatKdf, decryptJwe, encryptJwe } from '../../src/tokens/jwe.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** RFC 7518 Appendix C. */
const APPENDIX_C = {
  alice: {
    kty: 'EC',
    crv: 'P-256',
    x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
    y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
    d: '0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo',
  },
  bob: {
    kty: 'EC',
    crv: 'P-256',
    x: 'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
    y: 'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck',
    d: 'VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw',
  },
  derived: 'VqqN6vgjbSBcIijNcacQGg',
} as const

describe('JWE with ECDH-ES and A256GCM', () => {
  test('the derivation of RFC 7518 Appendix C, in both directions', () => {
    const { alice, bob, derived } = APPENDIX_C
    const pairs = [
      [alice, bob],
      [bob, alice],
    ] as const
    for (const [own, other] of pairs) {
      const { d: _d, ...publicJwk } = other
      const privateKey = createPrivateKey({ format: 'jwk', key: own })
      const z = diffieHellman({ privateKey, publicKey: createPublicKey({ format: 'jwk', key: publicJwk }) })
      const key = concatKdf(z, { algorithm: 'A128GCM', bits: 128, apu: 'Alice', apv: 'Bob' })
      assert.equal(key.toString('base64url'), derived)
      assert.ok(z.every((octet) => octet === 0))
    }
  })

  test('jose reads what we write, and we read what jose writes', async () => {
    const recipient = newKey()
    const publicKey = createPublicKey(recipient)
    for (let round = 0; round < 20; round += 1) {
      const secret = randomBytes(32)
      const ours = encryptJwe(secret, { recipient: publicKey, ephemeral: newKey(), iv: randomBytes(12) })
      assert.deepEqual(Buffer.from((await compactDecrypt(ours, recipient)).plaintext), secret)
      const theirs = await new CompactEncrypt(secret)
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(publicKey)
      assert.deepEqual(decryptJwe(theirs, recipient), secret)
    }
  })

  test('KE-09: one changed character, another key or another header, and nothing is read', async () => {
    const recipient = newKey()
    const secret = randomBytes(32)
    const given = { recipient: createPublicKey(recipient), ephemeral: newKey(), iv: randomBytes(12) }
    const jwe = encryptJwe(secret, given)
    assert.equal(decryptJwe(jwe, newKey()), undefined)
    fc.assert(
      fc.property(fc.nat(jwe.length - 1), fc.constantFrom(...'AZaz09-_.'), (at, character) => {
        fc.pre(jwe.charAt(at) !== character)
        assert.equal(decryptJwe(`${jwe.slice(0, at)}${character}${jwe.slice(at + 1)}`, recipient), undefined)
      }),
    )
    const zipped = await new CompactEncrypt(secret)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'x' })
      .encrypt(given.recipient)
    assert.equal(decryptJwe(zipped, recipient), undefined)
    for (const text of ['', '....', jwe.replace('..', '.AA.'), `${jwe}.`, jwe.slice(0, jwe.lastIndexOf('.'))]) {
      assert.equal(decryptJwe(text, recipient), undefined)
    }
  })
})
