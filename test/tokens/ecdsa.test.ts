import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Curve, concatenatedSignature, curveOf, derSignature, verifySignature } from '../../src/tokens/ecdsa.ts'
import { aParty, vectors } from './parties.ts'

interface EcdsaVector {
  readonly source: string
  readonly crv: 'P-256' | 'P-384'
  readonly message: string
  readonly x: string
  readonly y: string
  readonly r: string
  readonly s: string
  readonly der: string
}

const file = vectors<{ readonly vectors: readonly EcdsaVector[] }>('ecdsa')
const hex = (text: string) => Buffer.from(text, 'hex')
const base64url = (text: string) => hex(text).toString('base64url')

function curve(crv: 'P-256' | 'P-384'): Curve {
  const found = curveOf(aParty(crv).publicKey)
  assert.ok(found)
  return found
}

describe('ECDSA signatures: RFC 7518 3.4, RFC 3279 2.2.3', () => {
  for (const { source, crv, message, x, y, r, s, der } of file.vectors) {
    test(`${source}: verifies, and both forms turn into each other`, async () => {
      const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv, x: base64url(x), y: base64url(y) } })
      assert.equal(await verifySignature(Buffer.from(message), hex(r + s), key), true)
      assert.equal(await verifySignature(Buffer.from(`${message}.`), hex(r + s), key), false)
      assert.equal(concatenatedSignature(hex(der), curve(crv)).toString('hex'), r + s)
      assert.equal(derSignature(hex(r + s), curve(crv))?.toString('hex'), der)
    })
  }

  for (const crv of ['P-256', 'P-384'] as const) {
    test(`${crv}: any r and s in range survive both turns`, () => {
      const { size, order } = curve(crv)
      const integer = fc
        .tuple(fc.uint8Array({ minLength: size, maxLength: size }), fc.nat(size - 1))
        .map(([octets, zeros]) => Buffer.from(octets).fill(0, 0, zeros))
        .filter((octets) => octets.some((octet) => octet !== 0) && Buffer.compare(octets, order) < 0)
      fc.assert(
        fc.property(integer, integer, (r, s) => {
          const joined = Buffer.concat([r, s])
          const der = derSignature(joined, curve(crv))
          assert.ok(der)
          assert.deepEqual(concatenatedSignature(der, curve(crv)), joined)
        }),
        { numRuns: 50 },
      )
    })

    test(`TK-01: ${crv}: r or s of 0, n or more, and other lengths are no signature`, () => {
      const { size, order } = curve(crv)
      const one = Buffer.alloc(size)
      one[size - 1] = 1
      const belowOrder = Buffer.from(order)
      belowOrder[size - 1] = (order[size - 1] ?? 0) - 1
      for (const good of [one, belowOrder]) {
        assert.ok(derSignature(Buffer.concat([good, good]), curve(crv)))
        for (const bad of [Buffer.alloc(size), order, Buffer.alloc(size, 0xff)]) {
          assert.equal(derSignature(Buffer.concat([bad, good]), curve(crv)), undefined)
          assert.equal(derSignature(Buffer.concat([good, bad]), curve(crv)), undefined)
        }
      }
      for (const length of [0, 1, size, 2 * size - 1, 2 * size + 1, 4 * size])
        assert.equal(derSignature(Buffer.alloc(length, 1), curve(crv)), undefined)
    })
  }

  test('the verdict is the one of OpenSSL on r || s', async () => {
    const { privateKey, publicKey } = aParty()
    for (let count = 0; count < 100; count++) {
      const message = Buffer.of(count)
      const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      assert.equal(await verifySignature(message, signature, publicKey), true)
      const at = count % signature.length
      signature[at] = (signature[at] ?? 0) ^ 0x01
      const openssl = verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
      assert.equal(await verifySignature(message, signature, publicKey), openssl)
    }
  })

  test('TK-01: keys of any other kind have no curve here and verify nothing', async () => {
    const others = [
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ]
    for (const { publicKey } of others) {
      assert.equal(curveOf(publicKey), undefined)
      assert.equal(await verifySignature(Buffer.of(1), Buffer.alloc(64, 1), publicKey), false)
    }
  })

  test('an answer of a signer that is not strict DER is our own fault', () => {
    const der = hex(file.vectors[0]?.der ?? '')
    const damaged = [
      Buffer.alloc(0),
      der.subarray(0, -1),
      Buffer.concat([der, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0x31), der.subarray(1)]),
      Buffer.from('3006020101020200', 'hex'),
      Buffer.from('30060201010301ff', 'hex'),
      Buffer.from('300502010102', 'hex'),
      Buffer.from('3007020101020102', 'hex'),
      Buffer.concat([Buffer.of(0x30, 71, 0x02, 0x22, 1), Buffer.alloc(33, 1), der.subarray(37)]),
    ]
    for (const octets of damaged)
      assert.throws(() => concatenatedSignature(octets, curve('P-256')), /the signer returned/, octets.toString('hex'))
  })
})
