import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { Refusal } from '../../src/spec/refusal.ts'
import { ask, folderWith, needs } from '../judges.ts'
import { applied, edit, jsonEdit } from './damage.ts'
import { EEC, forge, honestHeader, SECONDS, STRANGER, VERIFIERS, type Verifier } from './parties.ts'

const DEEP = Boolean(process.env['EDGEWARD_DEEP'])
const PYTHON = '/usr/bin/python3'
const SCRIPT = fileURLToPath(new URL('libraries.py', import.meta.url))

/**
 * The `jose` command of José and three Python libraries, as Debian has them; beside the `jose` of npm in other tests.
 */
const LIBRARIES = ['PyJWT', 'jwcrypto', 'Authlib', 'jose'] as const
type Library = (typeof LIBRARIES)[number]

interface Case {
  readonly token: string
  readonly jwk: object
  readonly aud?: string
  readonly iss?: string
  /** it must have one */
  readonly exp?: true
}

function caseOf({ key, claims }: Verifier, token: string): Case {
  const { aud, iss, exp } = claims
  return {
    token,
    jwk: key.publicKey.export({ format: 'jwk' }),
    ...(aud !== undefined && { aud: String(aud) }),
    ...(typeof iss === 'string' && { iss }),
    ...(exp !== undefined && { exp: true }),
  }
}

/** Which of the cases a library accepts. `jose` looks at the signature alone, and at one token for each call. */
function acceptedBy(library: Library, cases: readonly Case[]): boolean[] {
  if (library !== 'jose') {
    const { accepted, output, said } = ask(PYTHON, [SCRIPT], JSON.stringify({ library, now: SECONDS, cases }))
    assert.ok(accepted, said)
    return JSON.parse(output.toString())
  }
  return cases.map(({ token, jwk }) => {
    using folder = folderWith({ jwk: JSON.stringify(jwk) })
    return ask('jose', ['jws', 'ver', '-i-', '-k', folder.path('jwk'), '-O', '/dev/null'], token).accepted
  })
}

async function accepts({ verify }: Verifier, token: string): Promise<boolean> {
  try {
    await verify(token)
    return true
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return false
  }
}

describe('tokens before other libraries: RFC 7515, RFC 7519', needs('jose', PYTHON), () => {
  for (const library of LIBRARIES) {
    test(`what we issue, ${library} accepts, and it refuses another key`, async () => {
      const honest = await Promise.all(VERIFIERS.map(async (verifier) => caseOf(verifier, await verifier.issue())))
      assert.deepEqual(
        acceptedBy(library, honest),
        honest.map(() => true),
      )
      const jwk = STRANGER.publicKey.export({ format: 'jwk' })
      const foreign = honest.map((each) => ({ ...each, jwk }))
      assert.deepEqual(
        acceptedBy(library, foreign),
        foreign.map(() => false),
      )
    })
  }

  test('TK-10: of damaged tokens, signed again or not, what we accept all four accept', async () => {
    const accepted: Case[] = []
    for (const verifier of VERIFIERS) {
      const { key, claims } = verifier
      const header = JSON.stringify(honestHeader(verifier))
      const honest = await verifier.issue()
      const collect = async (token: string) => {
        if (await accepts(verifier, token)) accepted.push(caseOf(verifier, token))
      }
      await fc.assert(
        fc.asyncProperty(fc.array(edit, { maxLength: 4 }), async (edits) => collect(applied(edits, honest))),
        { numRuns: DEEP ? 20_000 : 200 },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(jsonEdit, { maxLength: 1 }), fc.array(jsonEdit, { maxLength: 2 }), async (h, c) =>
          collect(forge(applied(h, header), applied(c, JSON.stringify(claims)), key.privateKey)),
        ),
        { numRuns: DEEP ? 20_000 : 200 },
      )
    }
    const distinct = [...new Map(accepted.map((each) => [each.token, each])).values()]
    assert.ok(distinct.length > 100, `only ${distinct.length} were accepted: the comparison says little`)
    for (const library of LIBRARIES) {
      // One process for each token: a part says enough.
      const sample =
        library === 'jose' ? distinct.filter((_, n) => n % Math.ceil(distinct.length / 100) === 0) : distinct
      const verdicts = acceptedBy(library, sample)
      for (const [index, verdict] of verdicts.entries())
        assert.ok(verdict, `${library} refuses what we accept: ${sample[index]?.token}`)
    }
  })

  test('TK-10: what all four refuse we refuse; what one of them takes and we do not is in this list', async () => {
    const verifier = VERIFIERS.find(({ claims }) => claims['sub'] === EEC.id && claims['scope'] !== undefined)
    assert.ok(verifier)
    const forms = Object.entries(FORMS).map(([name, { make, takenBy }]) => ({ name, token: make(verifier), takenBy }))
    const cases = forms.map(({ token }) => caseOf(verifier, token))
    const verdicts = new Map(LIBRARIES.map((library) => [library, acceptedBy(library, cases)]))
    for (const [index, { name, token, takenBy }] of forms.entries()) {
      assert.equal(await accepts(verifier, token), false, name)
      const taking = LIBRARIES.filter((library) => verdicts.get(library)?.[index])
      // A newer library may be stricter.
      assert.deepEqual(
        taking.filter((library) => !takenBy.includes(library)),
        [],
        name,
      )
    }
  })
})

interface Form {
  readonly make: (verifier: Verifier) => string
  /** as Debian 12 has them */
  readonly takenBy: readonly Library[]
}

const base64url = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')

/** An honest token with its header or claims changed, and signed as an issuer would who writes such things. */
const changed =
  (header: object, claims: object = {}) =>
  (verifier: Verifier) =>
    forge({ ...honestHeader(verifier), ...header }, { ...verifier.claims, ...claims }, verifier.key.privateKey)

/** Likewise, with JSON text in place of the claims. */
const worded = (word: (claims: string) => string) => (verifier: Verifier) =>
  forge(honestHeader(verifier), word(JSON.stringify(verifier.claims)), verifier.key.privateKey)

/** Another spelling of an honest token. */
const spelt = (spell: (token: string) => string) => (verifier: Verifier) => spell(changed({})(verifier))

/** Signed with nothing that an issuer keeps secret. */
const unsigned =
  (alg: string, sign: (input: string, verifier: Verifier) => Uint8Array = () => Buffer.alloc(0)) =>
  (verifier: Verifier) => {
    const input = `${base64url(JSON.stringify({ ...honestHeader(verifier), alg }))}.${base64url(JSON.stringify(verifier.claims))}`
    return `${input}.${base64url(sign(input, verifier))}`
  }

const pem = ({ key }: Verifier) => key.publicKey.export({ type: 'spki', format: 'pem' })
const lastBits = (token: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.at(-1) ?? '') ^ 1)
}

const NOBODY: readonly Library[] = []
const ALL = LIBRARIES

const FORMS: Readonly<Record<string, Form>> = {
  'alg none, no signature': { make: unsigned('none'), takenBy: NOBODY },
  'HS256 keyed with the public key': {
    make: unsigned('HS256', (input, verifier) => createHmac('sha256', pem(verifier)).update(input).digest()),
    takenBy: NOBODY,
  },
  'r = s = 0': { make: unsigned('ES256', () => Buffer.alloc(64)), takenBy: NOBODY },
  'a stranger has signed': {
    make: (verifier) => forge(honestHeader(verifier), verifier.claims, STRANGER.privateKey),
    takenBy: NOBODY,
  },
  'another typ': { make: changed({ typ: 'JWT' }), takenBy: ALL },
  'no typ': { make: changed({ typ: undefined }), takenBy: ALL },
  'no kid': { make: changed({ kid: undefined }), takenBy: ALL },
  'another kid': { make: changed({ kid: STRANGER.kid }), takenBy: ALL },
  jku: { make: changed({ jku: 'https://evil.example/' }), takenBy: ALL },
  x5u: { make: changed({ x5u: 'https://evil.example/' }), takenBy: ALL },
  'jwk of a stranger': { make: changed({ jwk: STRANGER.publicKey.export({ format: 'jwk' }) }), takenBy: ALL },
  'crit that names nothing': { make: changed({ crit: [] }), takenBy: ['jwcrypto', 'Authlib', 'jose'] },
  'crit that nobody knows': { make: changed({ crit: ['exp'], exp: 1 }), takenBy: ['jose'] },
  'b64 false': { make: changed({ b64: false, crit: ['b64'] }), takenBy: ['jose'] },
  zip: { make: changed({ zip: 'DEF' }), takenBy: ALL },
  'an unknown header parameter': { make: changed({ x: 1 }), takenBy: ALL },
  'another audience': { make: changed({}, { aud: 'ees1.edge.example.com' }), takenBy: ['jose'] },
  'two audiences': { make: changed({}, { aud: ['ecs.edge.example.com', 'ees1.edge.example.com'] }), takenBy: ALL },
  'no audience': { make: changed({}, { aud: undefined }), takenBy: ['jose'] },
  'another issuer': { make: changed({}, { iss: 'https://evil.example' }), takenBy: ['jose'] },
  'no expiry': { make: changed({}, { exp: undefined }), takenBy: ['jose'] },
  'expired a second ago': { make: changed({}, { iat: SECONDS - 60, exp: SECONDS - 1 }), takenBy: ALL },
  'expired an hour ago': { make: changed({}, { iat: SECONDS - 7200, exp: SECONDS - 3600 }), takenBy: ['jose'] },
  'not yet issued': { make: changed({}, { iat: SECONDS + 31 }), takenBy: ['jwcrypto', 'Authlib', 'jose'] },
  'not yet valid': { make: changed({}, { nbf: SECONDS + 31 }), takenBy: ['jwcrypto', 'jose'] },
  'a life of a day': { make: changed({}, { exp: SECONDS + 86_400 }), takenBy: ALL },
  'exp as a string': { make: changed({}, { exp: String(SECONDS + 60) }), takenBy: ['PyJWT', 'jose'] },
  'exp as a fraction': { make: changed({}, { exp: SECONDS + 60.5 }), takenBy: ALL },
  'no subject': { make: changed({}, { sub: undefined }), takenBy: ALL },
  'a claim twice': { make: worded((text) => text.replace('{', '{"sub":"eec-2",')), takenBy: ALL },
  'a member __proto__': { make: worded((text) => text.replace('{', '{"__proto__":{"scope":"all"},')), takenBy: ALL },
  'nine levels': { make: worded((text) => text.replace('{', `{"x":${'['.repeat(8)}${']'.repeat(8)},`)), takenBy: ALL },
  'claims with a byte order mark': { make: worded((text) => `\ufeff${text}`), takenBy: ['PyJWT', 'jose'] },
  'a surrogate alone': { make: worded((text) => text.replace('{', '{"x":"\\ud800",')), takenBy: ALL },
  NaN: { make: worded((text) => text.replace('{', '{"x":NaN,')), takenBy: ALL },
  padding: { make: spelt((token) => `${token}==`), takenBy: ['PyJWT', 'jwcrypto', 'Authlib'] },
  'bits beyond the last octet': { make: spelt(lastBits), takenBy: ['PyJWT', 'jwcrypto', 'Authlib'] },
  'a line feed at the end': { make: spelt((token) => `${token}\n`), takenBy: NOBODY },
  'a blank before it': { make: spelt((token) => ` ${token}`), takenBy: ['jose'] },
  'a fourth segment': { make: spelt((token) => `${token}.`), takenBy: ['jose'] },
  'more than 8 KiB': { make: changed({}, { padding: 'x'.repeat(8192) }), takenBy: ALL },
}
