import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { jwtVerify } from 'jose'
import type { ApplicationError } from '../../src/spec/application-errors.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { forge, honestHeader, NOW, nameOf, VERIFIERS, type Verifier } from './parties.ts'

const DEEP = Boolean(process.env['EDGEWARD_DEEP'])
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** What decoders and parsers stumble over, beside ordinary characters. */
const CHARACTERS = [
  ...BASE64URL,
  ...'.=+/~ \t\r\n"\\{}[]:,%',
  '\u0000',
  '\u007f',
  '\u0080',
  'é',
  '\u200b',
  '\ufeff',
  '😀',
]

/** A verifier takes a token or throws a refusal: any other error fails the test. */
async function verdict({ verify }: Verifier, token: string): Promise<ApplicationError | 'accepted'> {
  try {
    await verify(token)
    return 'accepted'
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error.code
  }
}

/** The same verdict by another library, with the same expectations where it has them. */
async function acceptedElsewhere({ type, key, claims }: Verifier, token: string): Promise<boolean> {
  const options = {
    algorithms: ['ES256'],
    typ: type.typ,
    currentDate: new Date(NOW),
    clockTolerance: 30,
    ...(claims['aud'] !== undefined && { audience: String(claims['aud']) }),
    ...(typeof claims['iss'] === 'string' && { issuer: claims['iss'] }),
  }
  return jwtVerify(token, key.publicKey, options).then(
    () => true,
    () => false,
  )
}

type Edit = (text: string) => string

/** @param where - any number: a place in the text or at its end */
function splice(text: string, where: number, removed: number, inserted: string): string {
  const at = where % (text.length + 1)
  return text.slice(0, at) + inserted + text.slice(at + removed)
}

const EDITS: readonly ((text: string, where: number, character: string, length: number) => string)[] = [
  (text, where, character) => splice(text, where, 1, character),
  (text, where, character) => splice(text, where, 0, character),
  (text, where, _, length) => splice(text, where, length, ''),
  (text, where, _, length) => splice(text, where, 0, text.slice(-length * 16)),
  (text, where) => text.slice(where % text.length) + text.slice(0, where % text.length),
]

/** One edit of a text, at any place of it. */
const edit: fc.Arbitrary<Edit> = fc
  .tuple(
    fc.constantFrom(...EDITS),
    // Not fc.double: its values are spread over the exponents, and nearly all lie next to 0.
    fc.nat(9_999),
    fc.constantFrom(...CHARACTERS),
    fc.integer({ min: 1, max: 4 }),
  )
  .map(
    ([apply, ...parameters]) =>
      (text: string) =>
        apply(text, ...parameters),
  )

/** One edit that JSON may survive: the signature will be good. */
const jsonEdit: fc.Arbitrary<Edit> = fc.oneof(
  edit,
  fc.constantFrom<Edit>(
    (text) => text,
    (text) => ` ${text}\n`,
    (text) => text.replaceAll(':', ' : '),
    (text) => text.replace(/([a-z])"/, (_, letter) => `\\u00${letter.charCodeAt(0).toString(16)}"`),
    (text) => text.replace('}', ',"other":[1,{"x":null}]}'),
    (text) => text.replace('{', '{"aud":"*",'),
    (text) => text.replace(/}$/, ',"aud":"*"}'),
    (text) => text.replace('{', '{"__proto__":{},'),
    (text) => text.replace('{', `{"deep":${'['.repeat(8)}${']'.repeat(8)},`),
    (text) => text.replace('{', `{"deep":${'['.repeat(7)}${']'.repeat(7)},`),
    (text) => text.replace('{', '{"x":"\\ud800",'),
    (text) => text.replace(/[0-9]{10}/, (seconds) => `${seconds}.0`),
    (text) => text.replace(/[0-9]{10}/, (seconds) => `${seconds}e0`),
    (text) => `\ufeff${text}`,
  ),
)

for (const verifier of VERIFIERS) {
  const { type, key, claims } = verifier

  describe(`damaged tokens at the verifier of ${nameOf(verifier)}`, () => {
    let honest = ''
    before(async () => {
      honest = await verifier.issue()
      assert.equal(await verdict(verifier, honest), 'accepted')
    })

    test('TK-10: each single-byte change of an honest token is refused', async () => {
      const others = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet))
      for (let position = 0; position < honest.length; position++) {
        const [left, right] = [honest.slice(0, position), honest.slice(position + 1)]
        // Eight of the 255 changes, others at the next position: 13 has no factor in common with 256.
        const tried = DEEP ? others : Array.from({ length: 8 }, (_, n) => others[(position * 13 + n * 32) % 256])
        for (const character of tried) {
          if (character === honest[position]) continue
          assert.equal(await verdict(verifier, left + character + right), type.refusal, `${position}: ${character}`)
        }
        for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
          const flipped = String.fromCharCode(honest.charCodeAt(position) ^ bit)
          assert.equal(await verdict(verifier, left + flipped + right), type.refusal, `${position}: ${flipped}`)
        }
      }
    })

    test('TK-10: tokens damaged in several places: what is accepted, another library accepts', async () => {
      const damaged = fc.array(edit, { minLength: 1, maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(damaged, async (edits) => {
          const token = edits.reduce((text, apply) => apply(text), honest)
          const answer = await verdict(verifier, token)
          if (answer === 'accepted') assert.ok(await acceptedElsewhere(verifier, token), token)
          else assert.equal(answer, type.refusal, token)
        }),
        { numRuns: DEEP ? 100_000 : 3_000 },
      )
    })

    test('TK-10: damaged and signed again: what is accepted, another library accepts', async () => {
      const header = JSON.stringify(honestHeader(verifier))
      const body = JSON.stringify(claims)
      let accepted = 0
      await fc.assert(
        fc.asyncProperty(fc.array(jsonEdit, { maxLength: 1 }), fc.array(jsonEdit, { maxLength: 2 }), async (h, c) => {
          const token = forge(
            h.reduce((text, apply) => apply(text), header),
            c.reduce((text, apply) => apply(text), body),
            key.privateKey,
          )
          const answer = await verdict(verifier, token)
          if (answer === 'accepted') {
            accepted++
            assert.ok(await acceptedElsewhere(verifier, token), token)
            // The damage may have made a good token with another scope.
          } else assert.ok([type.refusal, 'INSUFFICIENT_SCOPE'].includes(answer), `${answer}: ${token}`)
        }),
        { numRuns: DEEP ? 50_000 : 1_500 },
      )
      assert.ok(accepted > 100, `only ${accepted} were accepted: the comparison says little`)
    })

    test('TK-10: text without any token in it is refused, and nothing of it is told', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
          assert.equal(await verdict(verifier, text), type.refusal)
          assert.equal(await verdict(verifier, `${text}.${text}.${text}`), type.refusal)
        }),
        { numRuns: DEEP ? 20_000 : 500 },
      )
    })

    test('a refusal quotes nothing of the token', async () => {
      const canary = 'c4n4ry'
      for (const name of Object.keys(claims)) {
        const token = forge(honestHeader(verifier), { ...claims, [name]: canary }, key.privateKey)
        const refusal: unknown = await verifier.verify(token).catch((error) => error)
        assert.ok(!(refusal instanceof Error) || !refusal.message.includes(canary), name)
      }
      for (const name of ['alg', 'typ', 'kid', canary]) {
        const token = forge({ ...honestHeader(verifier), [name]: canary }, claims, key.privateKey)
        const refusal: unknown = await verifier.verify(token).catch((error) => error)
        assert.ok(refusal instanceof Refusal && !refusal.message.includes(canary), name)
      }
    })
  })
}
