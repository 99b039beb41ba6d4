import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { jwtVerify } from 'jose'
import { signerOf } from '../../src/ports/signer.ts'
import { parseJws, signJws, verifyJws } from '../../src/tokens/jws.ts'
import { TOKEN_TYPES } from '../../src/tokens/token-types.ts'
import { aParty, forge, honestHeader, nameOf, refused, STRANGER, VERIFIERS, type Verifier, vectors } from './parties.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const P384 = aParty('P-384')
const P521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const KOBLITZ = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const ED25519 = generateKeyPairSync('ed25519')
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'

const ALGORITHMS = [
  ...['none', 'None', 'NONE', 'nOnE', 'none ', '', 'ES256', 'es256', 'Es256', 'ES256 ', 'ES256\u0000', 'ECDSA'],
  ...['ES384', 'ES512', 'ES256K', 'HS256', 'HS384', 'HS512', 'hs256', 'RS256', 'RS384', 'RS512', 'PS256', 'EdDSA'],
  ...['Ed25519', 'RSA1_5', 'dir', 'A128KW', 'SHA256', 'null'],
]

/** Each makes the third segment of a forgery: whatever can be made without the private key. */
function forgedSignatures({
  key,
  type,
}: Verifier): Readonly<Record<string, (input: string, honest: Buffer) => Buffer>> {
  const hmac = (secret: string | Buffer) => (input: string) => createHmac('sha256', secret).update(input).digest()
  const rs = (r: string, s: string) => () => Buffer.from(r.padStart(64, '0') + s.padStart(64, '0'), 'hex')
  const spki = key.publicKey.export({ type: 'spki', format: 'der' })
  return {
    'no signature': () => Buffer.alloc(0),
    'r = s = 0': rs('0', '0'),
    'r = 0': rs('0', '1'),
    's = 0': rs('1', '0'),
    'r = s = 1': rs('1', '1'),
    'r = s = n': rs(ORDER, ORDER),
    'r = n, s = 1': rs(ORDER, '1'),
    'all ones': () => Buffer.alloc(64, 0xff),
    'one zero octet': () => Buffer.alloc(1),
    'the signature of another token': (_, honest) => honest,
    'that signature in DER': () => sign('sha256', Buffer.from('another token'), key.privateKey),
    'that signature cut': (_, honest) => honest.subarray(0, 63),
    'that signature longer': (_, honest) => Buffer.concat([honest, Buffer.alloc(1)]),
    'r and s exchanged': (_, honest) => Buffer.concat([honest.subarray(32), honest.subarray(0, 32)]),
    'HMAC keyed with the public key, PEM': hmac(key.publicKey.export({ type: 'spki', format: 'pem' })),
    'HMAC keyed with the public key, DER': hmac(spki),
    'HMAC keyed with the public key, point': hmac(spki.subarray(-65)),
    'HMAC keyed with the public key, JWK': hmac(JSON.stringify(key.publicKey.export({ format: 'jwk' }))),
    'HMAC keyed with nothing': hmac(''),
    'HMAC keyed with the kid': hmac(key.kid),
    'HMAC keyed with the typ': hmac(type.typ),
    'a stranger on P-256': (input) =>
      sign('sha256', Buffer.from(input), { key: STRANGER.privateKey, dsaEncoding: 'ieee-p1363' }),
    'a stranger on P-384': (input) =>
      sign('sha384', Buffer.from(input), { key: P384.privateKey, dsaEncoding: 'ieee-p1363' }),
    'a stranger on P-521': (input) =>
      sign('sha512', Buffer.from(input), { key: P521.privateKey, dsaEncoding: 'ieee-p1363' }),
    'a stranger on secp256k1': (input) =>
      sign('sha256', Buffer.from(input), { key: KOBLITZ.privateKey, dsaEncoding: 'ieee-p1363' }),
    'a stranger with Ed25519': (input) => sign(null, Buffer.from(input), ED25519.privateKey),
    'a stranger with RSA': (input) => sign('sha256', Buffer.from(input), RSA.privateKey),
  }
}

for (const verifier of VERIFIERS) {
  const { type, key, claims, issue, verify } = verifier
  const header = honestHeader(verifier)

  describe(`compact JWS: RFC 7515 7.1, RFC 8725, at the verifier of ${nameOf(verifier)}`, () => {
    test('takes what its issuer issues, and a token made by the book', async () => {
      await verify(await issue())
      await verify(forge(header, claims, key.privateKey))
    })

    test('what we sign, another library verifies', async () => {
      const publicKey = createPublicKey(key.privateKey)
      const options = { algorithms: ['ES256'], typ: type.typ, currentDate: new Date('2026-11-21T12:00:00Z') }
      const { payload, protectedHeader } = await jwtVerify(await issue(), publicKey, options)
      assert.deepEqual(protectedHeader, header)
      for (const name of Object.keys(claims).filter((claim) => claim !== 'exp'))
        assert.deepEqual(payload[name], claims[name])
    })

    test('TK-01: refuses >= 300 forgeries: every algorithm with every signature that needs no private key', async () => {
      const honest = Buffer.from(
        forge(header, { ...claims, jti: 'another' }, key.privateKey).split('.')[2] ?? '',
        'base64url',
      )
      const signatures = Object.entries(forgedSignatures(verifier))
      let count = 0
      for (const alg of ALGORITHMS) {
        for (const [name, signature] of signatures) {
          const input = `${encode({ ...header, alg })}.${encode(claims)}`
          const token = `${input}.${signature(input, honest).toString('base64url')}`
          await refused(verify(token), type.refusal, /./, `${alg}, ${name}`)
          count++
        }
      }
      assert.ok(count >= 300, `${count} forgeries`)
    })

    test('TK-01: refuses the right header and kid under every other key, and the right key under another alg', async () => {
      await refused(verify(forge(header, claims, STRANGER.privateKey)), type.refusal, /signature is not valid/)
      for (const alg of ALGORITHMS.filter((name) => name !== 'ES256')) {
        const token = forge({ ...header, alg }, claims, key.privateKey)
        await refused(verify(token), type.refusal, /algorithm is not the one of the key/, alg)
      }
    })

    test('TK-02: refuses every header parameter that the type does not have, though well signed', async () => {
      for (const { name, value } of HEADERS.parameters.filter((parameter) => !Object.hasOwn(header, parameter.name))) {
        const token = forge({ ...header, [name]: value }, claims, key.privateKey)
        await refused(verify(token), type.refusal, /header is not exactly/, name)
      }
    })

    test('TK-02: refuses every kid that is not one of the issuer: it opens no file, no address, no prototype', async () => {
      // A proof of nothing but its own key carries the key: it has no name to play with.
      const otherwise = 'kid' in header ? /no key of its issuer/ : /header is not exactly/
      for (const kid of HEADERS.kids) {
        const token = forge({ ...header, kid }, claims, key.privateKey)
        await refused(verify(token), type.refusal, otherwise, kid)
      }
      for (const kid of [...HEADERS.kidsOfAnotherKind, { [key.kid]: key.kid }, [key.kid]]) {
        const token = forge({ ...header, kid }, claims, key.privateKey)
        await refused(verify(token), type.refusal, /header is not exactly/)
      }
    })

    test('TK-02: refuses a header that lacks one of its members or repeats one', async () => {
      for (const name of Object.keys(header)) {
        const lacking = Object.fromEntries(Object.entries(header).filter(([other]) => other !== name))
        await refused(verify(forge(lacking, claims, key.privateKey)), type.refusal, /header is not exactly/)
        const repeating = JSON.stringify(header).replace('{', `{"${name}":"none",`)
        await refused(verify(forge(repeating, claims, key.privateKey)), type.refusal, /strict JSON object/)
      }
      for (const other of ['[]', '"alg"', 'null', '1', ''])
        await refused(verify(forge(other, claims, key.privateKey)), type.refusal, /strict JSON object/)
    })

    test('TK-10: refuses claims that are no strict JSON object', async () => {
      const text = JSON.stringify(claims)
      const bad = {
        'a list': `[${text}]`,
        null: 'null',
        nothing: '',
        'a member twice': text.replace('{', `{"${Object.keys(claims)[0]}":"x",`),
        'nine levels': text.replace('{', `{"x":${'['.repeat(8)}${']'.repeat(8)},`),
        'text after it': `${text}{}`,
        __proto__: text.replace('{', '{"__proto__":{"scope":"all"},'),
        'a byte order mark': `\ufeff${text}`,
      }
      for (const [name, claimsText] of Object.entries(bad))
        await refused(verify(forge(header, claimsText, key.privateKey)), type.refusal, /strict JSON/, name)
      await verify(forge(header, text.replace('{', `{"x":${'['.repeat(7)}${']'.repeat(7)},`), key.privateKey))
    })

    test('TK-10: takes 8 KiB and refuses one character more', async () => {
      const sized = (padding: number) => forge(header, { ...claims, padding: 'x'.repeat(padding) }, key.privateKey)
      // One more character of claims is one or two more of base64url: no token has 1 more than a multiple of 4.
      let padding = 5000
      while (sized(padding + 1).length <= 8192) padding++
      await verify(sized(padding))
      await refused(verify(sized(padding + 1)), type.refusal, /longer than 8 KiB/)
      await refused(verify('x'.repeat(8192)), type.refusal, /not a compact JWS/)
      await refused(verify('x'.repeat(8193)), type.refusal, /longer than 8 KiB/)
      await refused(verify('.'.repeat(100_000_000)), type.refusal, /longer than 8 KiB/)
    })

    test('TK-10: refuses every other number of segments, and any of them empty', async () => {
      const token = await issue()
      const [one = '', two = '', three = ''] = token.split('.')
      const others = ['', '.', '...', one, `${one}.${two}`, `${token}.`, `.${token}`, `${token}.${three}`]
      for (const text of [...others, `${token}..`, `${one}.${two}.${three}.${three}.${three}`])
        await refused(verify(text), type.refusal, /not a compact JWS/, text)
      for (const text of ['..', `${one}..${three}`, `.${two}.${three}`, `${one}.${two}.`])
        await refused(verify(text), type.refusal, /strict JSON|signature is not valid/, text)
    })

    test('TK-10: refuses every other spelling of the same octets', async () => {
      const token = await issue()
      for (const extra of ['=', '==', '\n', ' ', '\t', '\u0000', '\u200b', 'A', '%3D', '\ufeff']) {
        await refused(verify(token + extra), type.refusal)
        await refused(verify(extra + token), type.refusal)
        await refused(verify(token.replace('.', `${extra}.`)), type.refusal)
        await refused(verify(token.replace('.', `.${extra}`)), type.refusal)
      }
      // 64 octets leave two bits unused in the last character.
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const last = alphabet.indexOf(token.at(-1) ?? '')
      for (const bits of [1, 2, 3]) await refused(verify(token.slice(0, -1) + alphabet[last ^ bits]), type.refusal)
      const otherAlphabet = token.replaceAll('-', '+').replaceAll('_', '/')
      if (otherAlphabet !== token) await refused(verify(otherAlphabet), type.refusal)
    })
  })
}

interface HeaderVectors {
  readonly parameters: readonly { readonly name: string; readonly value: unknown }[]
  readonly kids: readonly string[]
  readonly kidsOfAnotherKind: readonly unknown[]
}

const HEADERS = vectors<HeaderVectors>('headers')

describe('signing: RFC 7515 5.1', () => {
  test('a key on P-384 signs with ES384, and its header says so', async () => {
    const token = await signJws(TOKEN_TYPES.access, { a: 1 }, P384.signer)
    const jws = parseJws(token, TOKEN_TYPES.access)
    assert.deepEqual(jws.header, { alg: 'ES384', typ: 'at+jwt', kid: P384.kid })
    await verifyJws(jws, new Map([[P384.kid, P384.publicKey]]))
    await jwtVerify(token, P384.publicKey, { algorithms: ['ES384'] })
  })

  test('TK-01: the key rules over the header: ES256 with a key on P-384, and the other way round', async () => {
    const { publicKey, privateKey, kid } = aParty()
    for (const [alg, party] of [
      ['ES256', P384],
      ['ES384', { publicKey, privateKey, kid }],
    ] as const) {
      const jws = parseJws(forge({ alg, typ: 'at+jwt', kid: party.kid }, {}, party.privateKey), TOKEN_TYPES.access)
      await refused(verifyJws(jws, new Map([[party.kid, party.publicKey]])), 'TOKEN_INVALID', /not the one of the key/)
    }
  })

  test('the media type may be written in full (RFC 9068 4), in no other way', async () => {
    const { privateKey, kid } = aParty()
    const typed = (typ: string) => () =>
      parseJws(forge({ alg: 'ES256', typ, kid }, {}, privateKey), TOKEN_TYPES.access).header.typ
    assert.equal(typed('application/at+jwt')(), 'application/at+jwt')
    for (const typ of [
      'AT+JWT',
      'at+JWT',
      'jwt',
      'JWT',
      '',
      'at',
      'application/',
      'text/at+jwt',
      'at+jwt;x=1',
      'at+jwt ',
    ])
      assert.throws(typed(typ), { code: 'TOKEN_INVALID', detail: 'the token is of another type' }, typ)
  })

  test('nothing is signed that no verifier would take', async () => {
    const { signer } = aParty()
    await assert.rejects(signJws(TOKEN_TYPES.access, { padding: 'x'.repeat(6144) }, signer), RangeError)
    const foreign = { ...signer, publicKey: ED25519.publicKey }
    await assert.rejects(signJws(TOKEN_TYPES.access, {}, foreign), TypeError)
    const broken = { ...signer, sign: async () => Buffer.alloc(64, 1) }
    await assert.rejects(signJws(TOKEN_TYPES.access, {}, broken), /the signer returned/)
    assert.throws(() => signerOf(RSA.privateKey), TypeError)
  })
})
