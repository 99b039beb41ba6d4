import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { type EcPublicJwk, jwkOf, jwkThumbprint, publicKeyOf } from '../../src/tokens/jwk.ts'
import { keySetOf, readJwkSet, toJwkSet } from '../../src/tokens/key-set.ts'
import { TOKEN_TYPES } from '../../src/tokens/token-types.ts'
import { aParty, ECS1, ECS2, honestHeader, refused, VERIFIERS, vectors } from './parties.ts'

interface ThumbprintVector {
  readonly source: string
  readonly jwk: object
  readonly thumbprint: string
}

const file = vectors<{ readonly vectors: readonly ThumbprintVector[] }>('thumbprints')
const octets = (value: unknown) => Buffer.from(JSON.stringify(value))
const good = { ...jwkOf(ECS1.publicKey), use: 'sig', alg: 'ES256', kid: ECS1.kid }

describe('JWK thumbprints: RFC 7638 3', () => {
  for (const { source, jwk, thumbprint } of file.vectors) {
    test(source, () => {
      const key = publicKeyOf(jwk)
      assert.ok(key)
      assert.equal(jwkThumbprint(key), thumbprint)
    })
  }

  for (const crv of ['P-256', 'P-384'] as const) {
    test(`${crv}: the same as of another library, coordinates with leading zeros included`, async () => {
      // One coordinate in 256 begins with a zero octet: 300 keys hold some.
      for (let count = 0; count < (crv === 'P-256' ? 300 : 10); count++) {
        const { publicKey } = generateKeyPairSync('ec', { namedCurve: crv })
        assert.equal(jwkThumbprint(publicKey), await calculateJwkThumbprint(jwkOf(publicKey), 'sha256'))
        assert.ok(publicKeyOf(jwkOf(publicKey))?.equals(publicKey))
      }
    })
  }
})

const otherPoint = jwkOf(ECS2.publicKey)
const withZero = (coordinate: string) =>
  Buffer.concat([Buffer.of(0), Buffer.from(coordinate, 'base64url')]).toString('base64url')

/** Each a JWK that is not strictly a public P-256 signature key, or not under its own thumbprint. */
const BAD_JWKS: Readonly<Record<string, unknown>> = {
  'a private key': { ...ECS1.privateKey.export({ format: 'jwk' }) },
  'a private member beside a public key': { ...good, d: 'AQ' },
  'a symmetric key': { kty: 'oct', k: 'c2VjcmV0' },
  'an RSA key': generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
  'an Ed25519 key': generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
  'an X25519 key': generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }),
  'a key on P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({ format: 'jwk' }),
  'a key on secp256k1': generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
  'a key for encryption': { ...good, use: 'enc' },
  'another algorithm': { ...good, alg: 'ES384' },
  'alg none': { ...good, alg: 'none' },
  'kid of another key': { ...good, kid: ECS2.kid },
  'kid that is no thumbprint': { ...good, kid: '1' },
  'kid that is no string': { ...good, kid: 1 },
  'a curve name in lower case': { ...good, crv: 'p-256' },
  'the wrong curve name': { ...good, crv: 'P-384' },
  'a point off the curve': { ...good, y: otherPoint.y },
  'the point (0, 0)': { ...good, x: 'A'.repeat(43), y: 'A'.repeat(43) },
  'a coordinate too long': { ...good, x: withZero(good.x) },
  'a coordinate with padding': { ...good, x: `${good.x}=` },
  'no y': { kty: good.kty, crv: good.crv, x: good.x },
  'a coordinate that is no string': { ...good, x: 1 },
  key_ops: { ...good, key_ops: ['sign'] },
  x5c: { ...good, x5c: ['MIIB'] },
  x5u: { ...good, x5u: 'https://attacker.example/' },
  'an array': [good],
  'a string': 'key',
  null: null,
}

describe('key sets: RFC 7517', () => {
  test('TK-13: kid is the thumbprint of its key, and a set survives being published and read', () => {
    const published = toJwkSet(keySetOf([ECS1.publicKey, ECS2.publicKey]))
    assert.deepEqual(published.keys[0], good)
    const read = readJwkSet(octets(published))
    assert.deepEqual([...read.keys()], [ECS1.kid, ECS2.kid])
    for (const [kid, key] of read) assert.equal(jwkThumbprint(key), kid)
    assert.deepEqual(toJwkSet(read), published)
  })

  test('TK-13: the signer names its key by the thumbprint', async () => {
    for (const verifier of VERIFIERS) {
      const [header = ''] = (await verifier.issue()).split('.')
      assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), honestHeader(verifier))
    }
  })

  test('TK-13: a token outlives its key in the set by nothing', async () => {
    const next = aParty()
    // A DPoP proof carries its key, and no set vouches for it.
    for (const { issue, verify, type } of VERIFIERS.filter((verifier) => verifier.type !== TOKEN_TYPES.dpop)) {
      const token = await issue()
      await verify(token)
      await refused(verify(token, { key: next.publicKey }), type.refusal, /no key of its issuer/)
    }
  })

  test('a JWK without the optional members is read', () => {
    assert.ok(readJwkSet(octets({ keys: [jwkOf(ECS1.publicKey)] })).has(ECS1.kid))
  })

  for (const [name, jwk] of Object.entries(BAD_JWKS)) {
    test(`a set that holds ${name} is refused as a whole`, () => {
      assert.throws(() => readJwkSet(octets({ keys: [good, jwk] })), TypeError)
    })
  }

  test('a coordinate whose leading zero was cut is refused', () => {
    let jwk: Required<EcPublicJwk> = { ...good, use: 'sig', alg: 'ES256' }
    let point = Buffer.alloc(0)
    do {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      jwk = { ...jwk, ...jwkOf(publicKey), kid: jwkThumbprint(publicKey) }
      point = Buffer.from(jwk.x, 'base64url')
    } while (point[0] !== 0)
    assert.ok(publicKeyOf(jwk))
    assert.equal(publicKeyOf({ ...jwk, x: point.subarray(1).toString('base64url') }), undefined)
  })

  test('what is no JWK Set is refused', () => {
    const twice = `{"keys":[],"keys":[${JSON.stringify(good)}]}`
    for (const text of ['', '[]', '{}', '{"keys":{}}', '{"keys":null}', JSON.stringify(good), twice])
      assert.throws(() => readJwkSet(Buffer.from(text)), TypeError, text)
  })

  test('a key set takes public keys on P-256 only', () => {
    assert.throws(() => keySetOf([ECS1.privateKey]), TypeError)
    assert.throws(() => keySetOf([aParty('P-384').publicKey]), TypeError)
    assert.throws(() => keySetOf([generateKeyPairSync('ed25519').publicKey]), TypeError)
  })
})
