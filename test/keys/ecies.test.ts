import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import {
  agree,
  counterMode,
  type EciesProfile,
  eciesDecrypt,
  eciesEncrypt,
  eciesKeys,
  eciesPrivateKey,
  eciesPublicKey,
  publicOctetsOf,
} from '../../src/keys/ecies.ts'
import suci from '../vectors/keys/suci.json' with { type: 'json' }
import { hex, parsed } from './octets.ts'

const RUNS = process.env['EDGEWARD_DEEP'] ? 5_000 : 60
const PROFILES = ['A', 'B'] as const
const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength, size: 'max' }).map((array) => Buffer.from(array))
/** Random octets that are a private key of both profiles. */
const privateOctets = octets(32, 32).map((array) => {
  array[0] = 0x7f
  return array
})

function profileOf(text: string): EciesProfile {
  return parsed(PROFILES.find((profile) => profile === text))
}

describe('ECIES: TS 33.501 C.3', () => {
  for (const vector of suci.vectors) {
    const profile = profileOf(vector.profile)
    const homePrivate = () => eciesPrivateKey(profile, hex(vector.homeNetworkPrivateKey))
    const homePublic = () => parsed(eciesPublicKey(profile, hex(vector.homeNetworkPublicKey)))
    const ephemeral = () => eciesPrivateKey(profile, hex(vector.ephemeralPrivateKey))

    test(`${vector.clause}, ${vector.name}: public keys and shared key`, () => {
      assert.equal(publicOctetsOf(homePrivate()).toString('hex'), vector.homeNetworkPublicKey)
      assert.equal(publicOctetsOf(ephemeral()).toString('hex'), vector.ephemeralPublicKey)
      assert.equal(agree(ephemeral(), homePublic())?.toString('hex'), vector.sharedKey)
      const received = parsed(eciesPublicKey(profile, hex(vector.ephemeralPublicKey)))
      assert.equal(agree(homePrivate(), received)?.toString('hex'), vector.sharedKey)
    })

    test(`${vector.clause}, ${vector.name}: encryption key, ICB and MAC key; the shared key is zeroed`, () => {
      const sharedKey = hex(vector.sharedKey)
      const { encryptionKey, icb, macKey } = eciesKeys(sharedKey, hex(vector.ephemeralPublicKey))
      assert.equal(encryptionKey.toString('hex'), vector.encryptionKey)
      assert.equal(macKey.toString('hex'), vector.macKey)
      if (vector.icb !== undefined) assert.equal(icb.toString('hex'), vector.icb)
      assert.deepEqual(sharedKey, Buffer.alloc(32))
    })

    test(`${vector.clause}, ${vector.name}: ciphertext and MAC tag, there and back`, () => {
      const output = eciesEncrypt(homePublic(), ephemeral(), hex(vector.schemeInput))
      assert.equal(output.toString('hex'), vector.ephemeralPublicKey + vector.ciphertext + vector.macTag)
      assert.equal(output.toString('hex'), vector.schemeOutput)
      assert.equal(eciesDecrypt(homePrivate(), output)?.toString('hex'), vector.schemeInput)
    })
  }

  for (const profile of PROFILES) {
    test(`Profile ${profile}: what is encrypted is decrypted, of any length`, () => {
      fc.assert(
        fc.property(privateOctets, privateOctets, octets(1, 100), (home, ephemeral, plaintext) => {
          const homePrivate = eciesPrivateKey(profile, Buffer.from(home))
          const homePublic = parsed(eciesPublicKey(profile, publicOctetsOf(homePrivate)))
          const output = eciesEncrypt(homePublic, eciesPrivateKey(profile, Buffer.from(ephemeral)), plaintext)
          assert.deepEqual(eciesDecrypt(homePrivate, output), plaintext)
        }),
        { numRuns: RUNS },
      )
    })

    test(`Profile ${profile}: octets that nobody encrypted never throw and are never decrypted`, () => {
      const home = eciesPrivateKey(profile, Buffer.alloc(32, 0x11))
      fc.assert(
        fc.property(octets(0, 60), fc.constantFrom(2, 3, 4, 0), (output, prefix) => {
          if (profile === 'B' && output.length > 0) output[0] = prefix
          assert.equal(eciesDecrypt(home, output), undefined)
        }),
        { numRuns: 10 * RUNS },
      )
    })
  }

  test('C.3.4: AES-128 in counter mode, whose counter has 32 bits and wraps within them', () => {
    const [encryptionKey, macKey, octets] = [Buffer.alloc(16, 7), Buffer.alloc(32), Buffer.alloc(40, 9)]
    const ctr = (icb: Buffer, text: Buffer) => createCipheriv('aes-128-ctr', encryptionKey, icb).update(text)
    const icb = hex('000102030405060708090a0b0c0d0e0f')
    assert.deepEqual(counterMode({ encryptionKey, icb, macKey }, octets), ctr(icb, octets))
    const last = hex('000102030405060708090a0bffffffff')
    const wrapped = hex('000102030405060708090a0b00000000')
    const expected = Buffer.concat([ctr(last, octets.subarray(0, 16)), ctr(wrapped, octets.subarray(16))])
    assert.deepEqual(counterMode({ encryptionKey, icb: last, macKey }, octets), expected)
  })
})

describe('keys that are none: TS 33.501 C.3', () => {
  test('Profile A: a point of small order leads to no secret', () => {
    const home = eciesPrivateKey('A', Buffer.alloc(32, 0x11))
    const smallOrder = ['00'.repeat(32), `01${'00'.repeat(31)}`, `ecff${'ff'.repeat(29)}7f`]
    for (const point of smallOrder) {
      const output = Buffer.concat([hex(point), Buffer.alloc(5 + 8)])
      assert.equal(agree(home, parsed(eciesPublicKey('A', hex(point)))), undefined)
      assert.equal(eciesDecrypt(home, output), undefined)
    }
  })

  test('Profile B: a point off the curve, at infinity or not compressed is no public key', () => {
    const none = [
      `02${'00'.repeat(31)}04`,
      `02${'ff'.repeat(32)}`,
      '00'.repeat(33),
      `04${'11'.repeat(32)}`,
      `05${'11'.repeat(32)}`,
      '00',
      '',
      `04${'11'.repeat(64)}`,
    ]
    for (const point of none) assert.equal(eciesPublicKey('B', hex(point)), undefined, point)
  })

  test('a public key has its length: no octet is missing, none is left over', () => {
    for (const profile of PROFILES) {
      const octets = publicOctetsOf(eciesPrivateKey(profile, Buffer.alloc(32, 5)))
      assert.ok(eciesPublicKey(profile, octets))
      assert.equal(eciesPublicKey(profile, octets.subarray(0, -1)), undefined)
      assert.equal(eciesPublicKey(profile, Buffer.concat([octets, Buffer.alloc(1)])), undefined)
    }
  })

  test('nothing encrypted is nothing decrypted, though its tag be right', () => {
    for (const profile of PROFILES) {
      const home = eciesPrivateKey(profile, Buffer.alloc(32, 5))
      const homePublic = parsed(eciesPublicKey(profile, publicOctetsOf(home)))
      const output = eciesEncrypt(homePublic, eciesPrivateKey(profile, Buffer.alloc(32, 6)), Buffer.alloc(0))
      assert.equal(eciesDecrypt(home, output), undefined)
    }
  })

  test('Profile B: a private key is from 1 to n - 1; Profile A takes any 32 octets', () => {
    const n = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
    const largest = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550'
    for (const none of ['00'.repeat(32), n, 'ff'.repeat(32)]) {
      assert.throws(() => eciesPrivateKey('B', hex(none)), RangeError)
      assert.ok(eciesPrivateKey('A', hex(none)))
    }
    assert.ok(eciesPrivateKey('B', hex(largest)))
    assert.ok(eciesPrivateKey('B', hex(`${'00'.repeat(31)}01`)))
    for (const profile of PROFILES) assert.throws(() => eciesPrivateKey(profile, Buffer.alloc(31)), RangeError)
  })

  test('KE-11: the octets of a private key are zeroed', () => {
    const refused = Buffer.alloc(32, 0xff)
    assert.throws(() => eciesPrivateKey('B', refused), RangeError)
    assert.deepEqual(refused, Buffer.alloc(32))
    for (const profile of PROFILES) {
      const taken = Buffer.alloc(32, 0x22)
      eciesPrivateKey(profile, taken)
      assert.deepEqual(taken, Buffer.alloc(32))
    }
  })

  test('keys of two profiles do not agree', () => {
    const [a, b] = [eciesPrivateKey('A', Buffer.alloc(32, 5)), eciesPrivateKey('B', Buffer.alloc(32, 5))]
    const ofB = parsed(eciesPublicKey('B', publicOctetsOf(b)))
    assert.equal(agree(a, ofB), undefined)
    assert.throws(() => eciesEncrypt(ofB, a, Buffer.alloc(5)), TypeError)
  })
})
