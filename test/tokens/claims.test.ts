import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { forge, honestHeader, NOW, nameOf, refused, SECONDS, VERIFIERS, type Verifier, vectors } from './parties.ts'

interface AudienceVectors {
  readonly own: string
  readonly accepted: readonly unknown[]
  readonly refused: readonly unknown[]
}

interface TimeVectors {
  readonly boundaries: readonly {
    readonly name: string
    readonly iat: number
    readonly nbf?: number
    readonly exp: number
    readonly lastAccepted?: number
    readonly firstRefused?: number
    readonly lastRefused?: number
    readonly firstAccepted?: number
  }[]
  readonly malformed: readonly string[]
}

const audiences = vectors<AudienceVectors>('near-miss-audiences')
const times = vectors<TimeVectors>('times')

/** An honest token with some claims exchanged; a claim that is undefined is left out. */
const tokenOf = (verifier: Verifier, changes: Readonly<Record<string, unknown>>) =>
  forge(honestHeader(verifier), { ...verifier.claims, ...changes }, verifier.key.privateKey)

/** As before, but the claim is JSON text. */
function tokenWithText(verifier: Verifier, name: string, text: string): string {
  const others = JSON.stringify({ ...verifier.claims, [name]: undefined })
  const claims = others.replace('{', () => `{${JSON.stringify(name)}:${text},`)
  return forge(honestHeader(verifier), claims, verifier.key.privateKey)
}

for (const verifier of VERIFIERS.filter(({ claims }) => Object.hasOwn(claims, 'aud'))) {
  const { type, verify } = verifier

  describe(`aud: RFC 7519 4.1.3, at the verifier of ${nameOf(verifier)}`, () => {
    test('TK-03: takes its own identity, alone or in a list of one', async () => {
      for (const aud of audiences.accepted) await verify(tokenOf(verifier, { aud }))
    })

    test('TK-03: refuses 40 near misses, lists of several, other kinds of value and none', async () => {
      assert.ok(audiences.refused.length >= 40)
      for (const aud of [...audiences.refused, undefined])
        await refused(verify(tokenOf(verifier, { aud })), type.refusal, /for another audience/, JSON.stringify(aud))
    })
  })
}

for (const verifier of VERIFIERS) {
  const { type, verify, lifetime } = verifier
  if (!lifetime) continue
  const { usual, ceiling } = lifetime

  describe(`iat, nbf and exp: RFC 7519 4.1.4 to 4.1.6, at the verifier of ${nameOf(verifier)}`, () => {
    for (const { name, iat, nbf, exp, ...limits } of times.boundaries) {
      test(`TK-09: ${name}`, async () => {
        const changes = { iat: SECONDS + iat, nbf: nbf === undefined ? undefined : SECONDS + nbf, exp: SECONDS + exp }
        const token = tokenOf(verifier, changes)
        for (const at of [limits.lastAccepted, limits.firstAccepted])
          if (at !== undefined) await verify(token, { now: NOW + at })
        for (const at of [limits.firstRefused, limits.lastRefused])
          if (at !== undefined)
            await refused(verify(token, { now: NOW + at }), type.refusal, /expired|not valid yet/, at)
      })
    }

    test(`TK-09: a life of ${usual} s is taken, one second more is not`, async () => {
      await verify(tokenOf(verifier, { exp: SECONDS + usual }))
      for (const exp of [SECONDS + usual + 1, 2 ** 31, 2 ** 32, 253_402_300_800, Number.MAX_SAFE_INTEGER])
        await refused(verify(tokenOf(verifier, { exp })), type.refusal, /longer than allowed/, exp)
    })

    test(`TK-09: configured otherwise, up to ${ceiling} s and no further`, async () => {
      await verify(tokenOf(verifier, { exp: SECONDS + ceiling }), { maxLifetime: ceiling })
      const longer = tokenOf(verifier, { exp: SECONDS + ceiling + 1 })
      await refused(verify(longer, { maxLifetime: ceiling }), type.refusal, /longer than allowed/)
      await refused(verify(tokenOf(verifier, { exp: SECONDS + 61 }), { maxLifetime: 60 }), type.refusal)
      for (const maxLifetime of [ceiling + 1, 0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
        await assert.rejects(verify(tokenOf(verifier, {}), { maxLifetime }), RangeError)
    })

    test('TK-09: a token that ends before it begins has no life', async () => {
      await refused(verify(tokenOf(verifier, { iat: SECONDS + 20, exp: SECONDS + 10 })), type.refusal, /longer than/)
      await refused(verify(tokenOf(verifier, { iat: SECONDS + 20, exp: SECONDS + 20 })), type.refusal, /longer than/)
    })

    test('TK-09: iat and exp are required', async () => {
      for (const name of ['iat', 'exp'])
        await refused(verify(tokenOf(verifier, { [name]: undefined })), type.refusal, /not a whole number/, name)
    })

    for (const name of ['iat', 'nbf', 'exp']) {
      test(`TK-09: ${name} is a whole number of seconds and nothing else`, async () => {
        await verify(tokenWithText(verifier, name, String(SECONDS + (name === 'exp' ? 60 : 0))))
        for (const text of times.malformed)
          await refused(verify(tokenWithText(verifier, name, text)), type.refusal, /whole number|strict JSON/, text)
      })
    }

    test('TK-09: no jump of the clock makes a token good outside its life', async () => {
      const token = tokenOf(verifier, {})
      const hour = 3_600_000
      const jumps = [
        hour,
        48 * hour,
        87_600 * hour,
        -hour,
        -48 * hour,
        2 ** 31 * 1000 - NOW,
        2 ** 32 * 1000 - NOW,
        -NOW,
      ]
      for (const jump of jumps) await refused(verify(token, { now: NOW + jump }), type.refusal, /./, jump)
    })
  })

  describe(`the other claims at the verifier of ${nameOf(verifier)}`, () => {
    for (const name of ['iss', 'sub', 'client_id', 'scope', 'jti']) {
      test(`${name} is required, and a string`, async () => {
        for (const value of [undefined, null, true, 1, '', [], {}, [verifier.claims[name]]])
          await refused(verify(tokenOf(verifier, { [name]: value })), type.refusal, /./, JSON.stringify(value))
      })
    }

    test('jti is 1 to 128 printable ASCII characters: it becomes a key in a store', async () => {
      for (const jti of ['x', '~', 'x'.repeat(128)]) await verify(tokenOf(verifier, { jti }))
      for (const jti of ['x'.repeat(129), 'a b', 'a\n', '\u0000', 'é', '\u007f'])
        await refused(verify(tokenOf(verifier, { jti })), type.refusal, /jti/, jti)
    })

    test('sub and client_id name the same client: RFC 9068 2.2', async () => {
      await refused(verify(tokenOf(verifier, { client_id: 'ees-2' })), type.refusal, /not the same client/)
      await refused(verify(tokenOf(verifier, { sub: 'ees-2' })), type.refusal, /not the same client/)
    })

    test('claims that we do not know change nothing: RFC 7519 4', async () => {
      const known = await verify(tokenOf(verifier, {}))
      const others = { amr: ['x'], sourceNfInstanceId: 'x', scopes: 'all', aud_: '*', toString: 1, constructor: {} }
      assert.deepEqual(await verify(tokenOf(verifier, others)), known)
    })
  })
}
