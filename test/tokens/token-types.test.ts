import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TOKEN_TYPES } from '../../src/tokens/token-types.ts'
import { ECS1, forge, honestHeader, nameOf, refused, VERIFIERS } from './parties.ts'

const types = Object.values(TOKEN_TYPES)

describe('token types: RFC 8725 3.11, docs/decisions/0002', () => {
  test('TK-06: no two types share a typ, in any spelling', () => {
    assert.equal(new Set(types.map(({ typ }) => typ.toLowerCase())).size, types.length)
  })

  for (const token of VERIFIERS) {
    for (const verifier of VERIFIERS) {
      const verdict = token === verifier ? 'taken' : 'refused'
      test(`TK-06: a real ${nameOf(token)} is ${verdict} where ${nameOf(verifier)} is wanted`, async () => {
        const text = await token.issue()
        if (token === verifier) await verifier.verify(text)
        // Two kinds of access token share a type: what they are bound to tells them apart.
        else if (token.type === verifier.type) await refused(verifier.verify(text), 'TOKEN_INVALID', /is not bound to/)
        else await refused(verifier.verify(text), verifier.type.refusal, /of another type/)
      })
    }
  }

  for (const { typ } of [...types, { typ: 'JWT' }]) {
    for (const verifier of VERIFIERS) {
      const { type, key, claims, verify } = verifier
      test(`TK-06: typ ${typ} alone decides at ${nameOf(verifier)}: right key, issuer, audience and claims do not help`, async () => {
        const token = forge({ ...honestHeader(verifier), typ }, claims, key.privateKey)
        if (typ === type.typ) await verify(token)
        else await refused(verify(token), type.refusal, /of another type/)
      })
    }
  }

  for (const token of VERIFIERS) {
    for (const verifier of VERIFIERS.filter((other) => other !== token)) {
      test(`TK-06: a ${nameOf(token)} that is called ${nameOf(verifier)} is refused, whichever of the two keys signs`, async () => {
        for (const { key } of [token, verifier]) {
          const header = honestHeader(verifier, key)
          await refused(verifier.verify(forge(header, token.claims, key.privateKey)), verifier.type.refusal)
        }
      })
    }
  }

  test('TK-06: even one key for all types, against the rule, leaves the diagonal only', async () => {
    for (const verifier of VERIFIERS) {
      for (const { typ } of types) {
        const token = forge({ ...honestHeader(verifier, ECS1), typ }, verifier.claims, ECS1.privateKey)
        const verdict = verifier.verify(token, { key: ECS1.publicKey })
        if (typ === verifier.type.typ) await verdict
        else await refused(verdict, verifier.type.refusal, /of another type/)
      }
    }
  })
})
