import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { issueCertificate } from '../../src/certificates/issue.ts'
import { acceptPublicKey, spkiSha256 } from '../../src/certificates/public-key.ts'
import { weaknessOfModulus } from '../../src/certificates/rsa-modulus.ts'
import { aDomain, counting, SUBJECTS } from './a-domain.ts'
import { BAD_KEYS } from './weak-keys.ts'

const spkiOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })

/** Keys whose fault must be found for what it is, not by luck of another check. */
const FAULTS: Readonly<Record<string, RegExp>> = {
  'P-256: x + p': /not an uncompressed point/,
  'P-384: x + p': /not an uncompressed point/,
  'RSA with an even modulus': /an even modulus/,
  'RSA with the factor 3': /a small factor/,
  'RSA with the factor 1999': /a small factor/,
  'RSA with a square modulus': /two close primes/,
  'RSA with twin primes': /two close primes/,
  'RSA with primes that differ in 64 bits': /two close primes/,
  'RSA with primes that differ in half their bits': /two close primes/,
  'RSA of the ROCA shape (CVE-2017-15361)': /the ROCA shape/,
  'RSA with e = 1': /exponent/,
  'RSA of 2048 bits': /3072 to 8192/,
  'RSA of 3071 bits': /3072 to 8192/,
  'RSA of 8193 bits': /3072 to 8192/,
}

describe('public keys', () => {
  const domain = aDomain()

  test('ON-06: the corpus has at least 60 bad keys, and each fault has its key', () => {
    assert.ok(BAD_KEYS.size >= 60, `${BAD_KEYS.size}`)
    for (const title of Object.keys(FAULTS)) assert.ok(BAD_KEYS.has(title), title)
  })

  for (const [title, spki] of BAD_KEYS) {
    test(`ON-06: refuses ${title}; the key does not reach the signer`, async () => {
      assert.throws(() => acceptPublicKey(spki), {
        name: 'Refusal',
        code: 'PUBLIC_KEY_NOT_ACCEPTED',
        ...(FAULTS[title] && { detail: FAULTS[title] }),
      })
      const { template, issuers } = await domain
      const signer = counting(issuers.ees.signer)
      await assert.rejects(async () => issueCertificate({ ...template(SUBJECTS.ees), spki }, signer))
      assert.equal(signer.signed(), 0)
    })
  }

  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
  const ed25519 = generateKeyPairSync('ed25519').publicKey
  const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 }).publicKey

  const good = { 'P-256': p256, 'P-384': p384, Ed25519: ed25519, 'RSA of 3072 bits': rsa }
  for (const [title, key] of Object.entries(good)) {
    test(`ON-06: accepts ${title} and gets it certified`, async () => {
      const spki = spkiOf(key)
      assert.ok(acceptPublicKey(spki).equals(key))
      const { issue } = await domain
      assert.ok((await issue(SUBJECTS.ees, { spki })).publicKey.equals(key))
    })
  }

  test('ON-06: accepts every honest point, whatever its leading zeros', () => {
    for (let i = 0; i < 500; i += 1) {
      for (const namedCurve of ['P-256', 'P-384']) {
        acceptPublicKey(spkiOf(generateKeyPairSync('ec', { namedCurve }).publicKey))
      }
      acceptPublicKey(spkiOf(generateKeyPairSync('ed25519').publicKey))
    }
  })

  test('ON-06: a modulus at either end of the allowed lengths has no fault of its own', () => {
    const n = Buffer.from(String(rsa.export({ format: 'jwk' }).n), 'base64url')
    assert.equal(weaknessOfModulus(BigInt(`0x${n.toString('hex')}`)), undefined)
    assert.equal(weaknessOfModulus(2n ** 8192n - 1n), 'a modulus with a small factor')
  })

  test('ON-04: one key has one name, another key another', () => {
    const [one, other] = [spkiOf(p256), spkiOf(p384)]
    assert.match(spkiSha256(one), /^[\w-]{43}$/)
    assert.equal(spkiSha256(one), spkiSha256(Buffer.from(one)))
    assert.notEqual(spkiSha256(one), spkiSha256(other))
  })
})
