import { describe, test } from 'node:test'
import { decodeBase64url } from '../../src/octets/base64url.ts'
import { verifyAccessToken } from '../../src/tokens/access-token.ts'
import { readJwkSet } from '../../src/tokens/key-set.ts'
import { verifyOnboardingToken } from '../../src/tokens/onboarding-token.ts'
import { verifyProof } from '../../src/tokens/proof-of-possession.ts'
import { TOKEN_TYPES } from '../../src/tokens/token-types.ts'
import { fqdn, refused, scope, vectors } from './parties.ts'

interface TokenVectors {
  readonly now: string
  readonly issuers: Readonly<Record<string, { readonly types: readonly string[]; readonly keys: readonly object[] }>>
  readonly audience: string
  readonly client: { readonly fqdn: string; readonly certificateThumbprint: string }
  readonly scope: string
  readonly proof: { readonly onboardingToken: string; readonly exporter: string; readonly eesProf: unknown }
  readonly tokens: readonly {
    readonly name: string
    readonly type: string
    readonly token: string
    readonly publicKey?: unknown
    readonly accepted: boolean
    readonly clause: string
  }[]
}

const file = vectors<TokenVectors>('tokens')

function expectation(type: string) {
  const issuers = Object.entries(file.issuers)
    .filter(([, { types }]) => types.includes(type))
    .map(([iss, { keys }]) => [iss, readJwkSet(Buffer.from(JSON.stringify({ keys })))] as const)
  return {
    issuers: new Map(issuers),
    audience: fqdn(file.audience),
    client: { fqdn: fqdn(file.client.fqdn), certificateThumbprints: [file.client.certificateThumbprint] },
    scope: scope(file.scope),
    now: Date.parse(file.now),
  }
}

const proofContext = {
  ...file.proof,
  ecs: fqdn(file.audience),
  exporter: decodeBase64url(file.proof.exporter) ?? Buffer.alloc(0),
}

const VERIFY: Readonly<Record<string, (token: string, publicKey: unknown) => Promise<unknown>>> = {
  'edge-onboarding+jwt': (token) => verifyOnboardingToken(token, expectation('edge-onboarding+jwt')),
  'at+jwt': (token) => verifyAccessToken(token, expectation('at+jwt')),
  'edge-pop+jwt': (proof, publicKey) => verifyProof({ publicKey, proof }, proofContext),
}

describe('whole tokens from test/vectors', () => {
  for (const { name, type, token, publicKey, accepted, clause } of file.tokens) {
    test(`${clause}: ${name} is ${accepted ? 'taken' : 'refused'} as ${type}`, async () => {
      const row = Object.values(TOKEN_TYPES).find(({ typ }) => typ === type)
      const verdict = VERIFY[type]?.(token, publicKey) ?? Promise.reject(new Error(`no verifier of ${type}`))
      if (accepted) await verdict
      else await refused(verdict, row?.refusal ?? 'TOKEN_INVALID')
    })
  }
})
