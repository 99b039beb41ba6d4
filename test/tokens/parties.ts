import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import type { ApplicationError } from '../../src/spec/application-errors.ts'
import { type EesId, type Fqdn, parseEesId, parseFqdn } from '../../src/spec/identifiers.ts'
import { type EecId, parseEecId } from '../../src/spec/subscriber-identifiers.ts'
import { issueAccessToken, verifyAccessToken } from '../../src/tokens/access-token.ts'
import { createDpopProof, verifyDpopProof } from '../../src/tokens/dpop-proof.ts'
import { checkEecAccess, issueEecAccessToken, readEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { checkEntitlement, issueEntitlementToken, readEntitlementToken } from '../../src/tokens/entitlement-token.ts'
import { createForwarding, verifyForwarding } from '../../src/tokens/forwarding-assertion.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { type KeySet, keySetOf } from '../../src/tokens/key-set.ts'
import { issueOnboardingToken, verifyOnboardingToken } from '../../src/tokens/onboarding-token.ts'
import { createProof, verifyProof } from '../../src/tokens/proof-of-possession.ts'
import { edgeScope, parseScope, type Scope } from '../../src/tokens/scope.ts'
import { TOKEN_TYPES, type TokenType } from '../../src/tokens/token-types.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')
export const SECONDS = NOW / 1000

export function fqdn(text: string): Fqdn {
  const name = parseFqdn(text)
  assert.ok(name)
  return name
}

export function eesId(text: string): EesId {
  const id = parseEesId(text)
  assert.ok(id)
  return id
}

export function eecId(text: string): EecId {
  const id = parseEecId(text)
  assert.ok(id)
  return id
}

export function scope(text: string): Scope {
  const names = parseScope(text)
  assert.ok(names)
  return names
}

export interface Party {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly signer: Signer
  readonly kid: string
}

export function aParty(namedCurve: 'P-256' | 'P-384' = 'P-256'): Party {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  return { privateKey, publicKey, signer: signerOf(privateKey), kid: jwkThumbprint(publicKey) }
}

export const AUTHORITY = { iss: 'provisioning.operator.example', ...aParty() }
export const ECS1 = { iss: 'ecs1.edge.example.com', ...aParty() }
export const ECS2 = { iss: 'ecs2.edge.example.com', ...aParty() }
export const EES1 = {
  fqdn: fqdn('ees1.edge.example.com'),
  certificateThumbprint: 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0',
  ...aParty(),
}
/** The key with which an ECS signs what it forwards. */
export const FORWARDER = { fqdn: fqdn('ecs1.edge.example.com'), ...aParty() }
/** An entitlement configuration server, with the thumbprint of the certificate of its key. */
export const ENT = {
  iss: 'https://ent.operator.example',
  certificateThumbprint: `${'E'.repeat(42)}A`,
  ...aParty(),
}
/** An EEC, which holds the key that its tokens are bound to. */
export const EEC = { id: eecId('eec-1'), gpsi: 'msisdn-491701234567', ...aParty() }
export const STRANGER = aParty()
export const ECS = fqdn('ecs.edge.example.com')

const base64url = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')
const jsonText = (value: object | string) => (typeof value === 'string' ? value : JSON.stringify(value))

/** A compact JWS by the book, made without any code of ours: header and claims as given, text or object. */
export function forge(header: object | string, claims: object | string, privateKey: KeyObject): string {
  const input = `${base64url(jsonText(header))}.${base64url(jsonText(claims))}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${base64url(signature)}`
}

/** A verifier with everything that makes one honest token for it. Each next type of token is a row more. */
export interface Verifier {
  readonly type: TokenType
  /** the key that its tokens are signed with */
  readonly key: Party
  readonly claims: Readonly<Record<string, unknown>>
  /** seconds that a token may live, for the types that have times */
  readonly lifetime?: { readonly usual: number; readonly ceiling: number }
  issue(): Promise<string>
  /** what its header says beside `alg` and `typ`, of a key: `kid` unless stated */
  readonly header?: (key: Party) => Readonly<Record<string, unknown>>
  verify(token: string, changes?: { now?: number; maxLifetime?: number; key?: KeyObject }): Promise<unknown>
}

/** Nearly every test asks for the same few sets, some thousands of times. */
const keySets = new WeakMap<KeyObject, KeySet>()
function keySetWith(key: KeyObject): KeySet {
  const keySet = keySets.get(key) ?? keySetOf([key])
  keySets.set(key, keySet)
  return keySet
}

const JTI = '0b9a6c1e-6d8f-4b2a-9d59-0c1f6b1b7a11'

const onboarding: Verifier = {
  type: TOKEN_TYPES.onboarding,
  key: AUTHORITY,
  lifetime: { usual: 3600, ceiling: 86_400 },
  claims: {
    iss: AUTHORITY.iss,
    sub: 'ees-1',
    client_id: 'ees-1',
    aud: ECS,
    scope: 'ees-onboarding',
    fqdn: EES1.fqdn,
    jti: JTI,
    iat: SECONDS,
    exp: SECONDS + 600,
  },
  issue: () =>
    issueOnboardingToken(
      { iss: AUTHORITY.iss, aud: ECS, eesId: eesId('ees-1'), fqdn: EES1.fqdn },
      { signer: AUTHORITY.signer, now: NOW, jti: JTI },
    ),
  verify: (token, { key = AUTHORITY.publicKey, ...changes } = {}) =>
    verifyOnboardingToken(token, {
      issuers: new Map([[AUTHORITY.iss, keySetWith(key)]]),
      audience: ECS,
      now: NOW,
      ...changes,
    }),
}

const access: Verifier = {
  type: TOKEN_TYPES.access,
  key: ECS1,
  lifetime: { usual: 600, ceiling: 900 },
  claims: {
    iss: ECS1.iss,
    sub: EES1.fqdn,
    client_id: EES1.fqdn,
    aud: [ECS],
    scope: 'eecs-eesregistration',
    cnf: { 'x5t#S256': EES1.certificateThumbprint },
    jti: JTI,
    iat: SECONDS,
    exp: SECONDS + 600,
  },
  issue: () =>
    issueAccessToken(
      {
        iss: ECS1.iss,
        sub: EES1.fqdn,
        aud: ECS,
        scope: scope('eecs-eesregistration'),
        certificateThumbprint: EES1.certificateThumbprint,
      },
      { signer: ECS1.signer, now: NOW, jti: JTI },
    ),
  verify: (token, { key = ECS1.publicKey, ...changes } = {}) =>
    verifyAccessToken(token, {
      issuers: new Map([[ECS1.iss, keySetWith(key)]]),
      audience: ECS,
      client: { fqdn: EES1.fqdn, certificateThumbprints: [EES1.certificateThumbprint] },
      scope: scope('eecs-eesregistration'),
      now: NOW,
      ...changes,
    }),
}

export const PROOF_CONTEXT = {
  ecs: ECS,
  onboardingToken: 'the.onboarding.token',
  exporter: Buffer.alloc(32, 7),
  eesProf: { eesId: 'ees-1', endPt: { fqdn: 'ees1.edge.example.com' }, eecRegConf: false },
}

const proofOfPossession: Verifier = {
  type: TOKEN_TYPES.proofOfPossession,
  key: EES1,
  claims: {
    aud: ECS,
    ath: 'OPdeAQ1rGfPMmfVowolnpoTTRJFAeXoi9GZhBmgXvmg',
    exporter: PROOF_CONTEXT.exporter.toString('base64url'),
    profile: '2gco0nTmWKgktW8VhcfNEnytMZXtLb3k6-cUZ18W3ck',
  },
  issue: async () => (await createProof(PROOF_CONTEXT, EES1.signer)).proof,
  verify: (proof, { key = EES1.publicKey } = {}) =>
    verifyProof({ publicKey: key.export({ format: 'jwk' }), proof }, PROOF_CONTEXT),
}

const forwarding: Verifier = {
  type: TOKEN_TYPES.forwarding,
  key: FORWARDER,
  claims: {
    iss: FORWARDER.fqdn,
    sub: EES1.fqdn,
    aud: ECS,
    target: 'ees2.edge.example.org',
    scope: 'eees-eeccontextreloc',
    cnf: { 'x5t#S256': EES1.certificateThumbprint },
    srcEcs: FORWARDER.fqdn,
    jti: JTI,
    iat: SECONDS,
    exp: SECONDS + 30,
  },
  issue: async () => {
    const request = {
      sub: EES1.fqdn,
      target: fqdn('ees2.edge.example.org'),
      scope: scope('eees-eeccontextreloc'),
      certificateThumbprint: EES1.certificateThumbprint,
      srcEcs: FORWARDER.fqdn,
    }
    return (await createForwarding(request, ECS, { signer: FORWARDER.signer, now: NOW, jti: JTI })).assertion
  },
  verify: (assertion, { key = FORWARDER.publicKey, ...changes } = {}) =>
    verifyForwarding(
      { assertion, hops: [] },
      { own: ECS, from: FORWARDER.fqdn, keysOf: () => keySetWith(key), mostHops: 3, now: NOW, ...changes },
    ),
}

const entitlement: Verifier = {
  type: TOKEN_TYPES.entitlement,
  key: ENT,
  lifetime: { usual: 600, ceiling: 3600 },
  claims: {
    iss: ENT.iss,
    sub: EEC.id,
    client_id: EEC.id,
    gpsi: EEC.gpsi,
    aud: [ECS],
    scope: `edge:${ECS}`,
    cnf: { jkt: EEC.kid },
    nbf: SECONDS,
    jti: JTI,
    iat: SECONDS,
    exp: SECONDS + 600,
  },
  header: ({ kid }) => ({ kid, 'x5t#S256': ENT.certificateThumbprint }),
  issue: () =>
    issueEntitlementToken(
      {
        iss: ENT.iss,
        eecId: EEC.id,
        gpsi: EEC.gpsi,
        aud: ECS,
        scope: edgeScope(ECS),
        jkt: EEC.kid,
        certificateThumbprint: ENT.certificateThumbprint,
      },
      { signer: ENT.signer, now: NOW, jti: JTI },
    ),
  async verify(token, { key = ENT.publicKey, now = NOW, ...changes } = {}) {
    const issuers = new Map([[ENT.iss, keySetWith(key)]])
    const claims = await readEntitlementToken(token, { issuers, audience: ECS, now, ...changes })
    checkEntitlement(claims, { jkt: EEC.kid, unbound: 'refused', scope: edgeScope(ECS), now })
    return claims
  },
}

const eecAccess: Verifier = {
  type: TOKEN_TYPES.access,
  // One ECS signs the access tokens of EESs and of EECs.
  key: ECS1,
  lifetime: { usual: 600, ceiling: 900 },
  claims: {
    iss: ECS1.iss,
    sub: EEC.id,
    client_id: EEC.id,
    gpsi: EEC.gpsi,
    aud: [ECS],
    scope: 'eees-easdiscovery',
    cnf: { jkt: EEC.kid },
    jti: JTI,
    iat: SECONDS,
    exp: SECONDS + 600,
  },
  issue: () =>
    issueEecAccessToken(
      {
        iss: ECS1.iss,
        eecId: EEC.id,
        gpsi: EEC.gpsi,
        aud: ECS,
        scope: scope('eees-easdiscovery'),
        jkt: EEC.kid,
      },
      { signer: ECS1.signer, now: NOW, jti: JTI },
    ),
  async verify(token, { key = ECS1.publicKey, now = NOW, ...changes } = {}) {
    const issuers = new Map([[ECS1.iss, keySetWith(key)]])
    const claims = await readEecAccessToken(token, { issuers, audience: ECS, now, ...changes })
    checkEecAccess(claims, { jkt: EEC.kid, scope: scope('eees-easdiscovery'), now })
    return claims
  },
}

export const DPOP_REQUEST = { method: 'POST', uri: `https://${ECS}/oauth2/token` }

const dpop: Verifier = {
  type: TOKEN_TYPES.dpop,
  key: EEC,
  claims: { jti: JTI, htm: DPOP_REQUEST.method, htu: DPOP_REQUEST.uri, iat: SECONDS },
  header: ({ publicKey }) => ({ jwk: publicKey.export({ format: 'jwk' }) }),
  issue: () => createDpopProof(DPOP_REQUEST, { signer: EEC.signer, now: NOW, jti: JTI }),
  verify: (proof, { now = NOW } = {}) => verifyDpopProof(proof, { ...DPOP_REQUEST, now }),
}

export const VERIFIERS: readonly Verifier[] = [
  onboarding,
  access,
  eecAccess,
  entitlement,
  forwarding,
  proofOfPossession,
  dpop,
]

/** @param signer - another key than the one that the type is signed with */
export function honestHeader({ type, key, header }: Verifier, signer = key) {
  return { alg: 'ES256', typ: type.typ, ...(header ? header(signer) : { kid: signer.kid }) }
}

/** What tells apart the verifiers, of which two share a type. */
export function nameOf({ type, claims }: Verifier): string {
  return type === TOKEN_TYPES.access ? `${type.typ} for ${String(claims['sub'])}` : type.typ
}

/** @param name - of the case, for the report of a failure */
export async function refused(
  verdict: Promise<unknown>,
  code: ApplicationError,
  detail = /./,
  name: unknown = '',
): Promise<void> {
  await assert.rejects(verdict, { name: 'Refusal', code, detail }, `not refused as it should be: ${String(name)}`)
}

/** A file of test/vectors/tokens. */
export function vectors<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(`../vectors/tokens/${name}.json`, import.meta.url), 'utf8'))
}
