import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verifyDpopProof } from '../../src/tokens/dpop-proof.ts'
import { checkEecAccess, readEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { checkEntitlement, readEntitlementToken } from '../../src/tokens/entitlement-token.ts'
import { readJwkSet } from '../../src/tokens/key-set.ts'
import { edgeScope } from '../../src/tokens/scope.ts'
import { fqdn, scope, vectors } from './parties.ts'

type Method = 'ENTITLEMENT_TOKEN' | 'EDGE_ACCESS_TOKEN'

interface EecTokenVectors {
  readonly now: string
  readonly audience: string
  readonly issuers: Readonly<Record<Method, { readonly iss: string; readonly keys: readonly object[] }>>
  readonly eec: { readonly eecId: string; readonly jkt: string }
  readonly scope: string
  readonly request: { readonly method: string; readonly uri: string; readonly token: string }
  readonly tokens: readonly {
    readonly name: string
    readonly method: Method | 'proof'
    readonly token: string
    readonly accepted: boolean
    readonly clause: string
  }[]
}

const file = vectors<EecTokenVectors>('eec-tokens')
const { eecId, jkt } = file.eec
const now = Date.parse(file.now)
const audience = fqdn(file.audience)

function readerOf(method: Method) {
  const { iss, keys } = file.issuers[method]
  return { issuers: new Map([[iss, readJwkSet(Buffer.from(JSON.stringify({ keys })))]]), audience, now }
}

/** @returns whom the token, or the proof, speaks of */
const VERIFY: Readonly<Record<Method | 'proof', (token: string) => Promise<string>>> = {
  async ENTITLEMENT_TOKEN(token) {
    const claims = await readEntitlementToken(token, readerOf('ENTITLEMENT_TOKEN'))
    checkEntitlement(claims, { jkt, unbound: 'refused', scope: edgeScope(audience), now })
    return claims.sub
  },
  async EDGE_ACCESS_TOKEN(token) {
    const claims = await readEecAccessToken(token, readerOf('EDGE_ACCESS_TOKEN'))
    checkEecAccess(claims, { jkt, scope: scope(file.scope), now })
    return claims.sub
  },
  proof: async (proof) => (await verifyDpopProof(proof, { ...file.request, now })).jkt,
}

describe('tokens and proofs of an EEC from test/vectors', () => {
  for (const { name, method, token, accepted, clause } of file.tokens) {
    test(`${clause}: ${name} is ${accepted ? 'taken' : 'refused'}`, async () => {
      if (accepted) assert.equal(await VERIFY[method](token), method === 'proof' ? jkt : eecId)
      else await assert.rejects(VERIFY[method](token), { name: 'Refusal' })
    })
  }
})
