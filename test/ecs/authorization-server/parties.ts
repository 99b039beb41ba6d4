import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { parse } from 'yaml'
import type { TokenStanding } from '../../../src/ecs/authorization-server/introspect-token.ts'
import { TOKEN_LIFETIMES, type TokenIssue } from '../../../src/ecs/authorization-server/issue-token.ts'
import { parsePolicy } from '../../../src/ecs/authorization-server/policy.ts'
import { POLICED_OPERATIONS } from '../../../src/ecs/operations.ts'
import type { EesPeer } from '../../../src/ecs/registrar/registration.ts'
import type { AuthorizationServer } from '../../../src/ecs/routes/authorization-server-routes.ts'
import { decodeBase64url } from '../../../src/octets/base64url.ts'
import { sha256Base64url } from '../../../src/octets/digest.ts'
import { systemRandom } from '../../../src/ports/random.ts'
import { type Signer, signerOf } from '../../../src/ports/signer.ts'
import type { ApplicationError } from '../../../src/spec/application-errors.ts'
import { parseEesId, parseFqdn, parseRegistrationId } from '../../../src/spec/identifiers.ts'
import { keySetOf } from '../../../src/tokens/key-set.ts'

export const NOW = Date.parse('2026-11-21T12:00:00.250Z')
export const HOUR = 3_600_000

export function known<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined)
  return value
}

export const fqdn = (text: string) => known(parseFqdn(text))
export const eesId = (text: string) => known(parseEesId(text))

export function aSigner(): Signer {
  return signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
}

/** An EES with a live registration; its place in the list is part of its identifiers. */
function anEes(number: number, id: string, name: string): EesPeer {
  return {
    eesId: eesId(id),
    fqdn: fqdn(name),
    thumbprint: sha256Base64url(`certificate of ${id}`),
    serial: String(number).padStart(32, '0'),
    registration: {
      registrationId: known(parseRegistrationId(`00000000-0000-4000-8000-00000000000${number}`)),
      eesId: eesId(id),
      fqdn: fqdn(name),
      eesProf: { eesId: id, endPt: { fqdn: name }, eecRegConf: true },
      version: 1,
      state: 'live',
      expiresAt: NOW + HOUR,
    },
  }
}

export const NORTH = anEes(1, 'ees-north', 'ees1.north.example.com')
export const SOUTH = anEes(2, 'ees-south', 'ees1.south.example.com')
export const WEST = anEes(3, 'ees-west', 'ees1.west.example.com')
export const EAST = anEes(4, 'ees-east', 'ees1.east.example.com')
/** One whose name only ends like that of the south, and one whose name is the suffix itself. */
export const BADSOUTH = anEes(5, 'ees-badsouth', 'ees1.badsouth.example.com')
export const SUFFIX = anEes(6, 'ees-suffix', 'south.example.com')
export const REGISTERED = [NORTH, SOUTH, WEST, EAST, BADSOUTH, SUFFIX]

export const ISSUER = 'https://ecs1.edge.example.com:8443'
export const ECS = fqdn('ecs1.edge.example.com')

export const policyOf = (text: string) => parsePolicy(parse(text), POLICED_OPERATIONS)

export const POLICY = policyOf(`
rules:
  - { id: ecs-tokens, effect: allow, eesId: '*', scopes: [eecs-eesregistration, est], target: ecs }
  - id: north-to-south
    effect: allow
    fqdn: '*.north.example.com'
    scopes: [eees-eeccontextreloc, eees-easdiscovery]
    target: '*.south.example.com'
  - id: north-to-west
    effect: allow
    eesId: ees-north
    scopes: ['*']
    target: ees1.west.example.com
    targetEesId: ees-west
  - { id: no-announcement, effect: deny, eesId: '*', scopes: [eees-cea], targetEesId: ees-west }
`)

/** An authorization server with ports that remember: what it did, issued and revoked. */
export interface FakeEcs extends AuthorizationServer {
  readonly did: string[]
  readonly issues: TokenIssue[]
  readonly revoked: Map<string, number>
}

const LIVE: TokenStanding = { revoked: false, certificate: 'issued', registration: 'live' }

export function anEcs(changes: Partial<AuthorizationServer> & { readonly standing?: TokenStanding } = {}): FakeEcs {
  const { standing = LIVE, ...ports } = changes
  const did: string[] = []
  const issues: TokenIssue[] = []
  const revoked = new Map<string, number>()
  const signer = aSigner()
  const signing: Signer = {
    publicKey: signer.publicKey,
    sign(octets) {
      did.push('sign')
      return signer.sign(octets)
    },
  }
  return {
    issuer: ISSUER,
    mtlsRoot: 'https://ecs1.edge.example.com:8444',
    offered: ['TLS_KEDGE', 'ENTITLEMENT_TOKEN'],
    fqdn: ECS,
    lifetimes: TOKEN_LIFETIMES,
    random: systemRandom,
    now: () => NOW,
    policy: () => POLICY,
    signer: () => signing,
    verificationKeys: () => keySetOf([signer.publicKey]),
    async findEes(target) {
      did.push('findEes')
      const [wanted] = Object.values(target)
      return REGISTERED.find(({ fqdn, registration }) => [fqdn, registration.registrationId].includes(wanted))
    },
    async recordTokenIssue(issue) {
      did.push('recordTokenIssue')
      issues.push(issue)
    },
    async tokenStanding(jti) {
      did.push('tokenStanding')
      return { ...standing, revoked: standing.revoked || revoked.has(jti) }
    },
    async revokeToken(jti, until) {
      did.push('revokeToken')
      revoked.set(jti, until)
    },
    ...ports,
    did,
    issues,
    revoked,
  }
}

/** The claims of a compact JWS, read by nobody's rules. */
export function claimsOf(token: string): Record<string, unknown> {
  const octets = known(decodeBase64url(token.split('.')[1] ?? ''))
  return JSON.parse(octets.toString('utf8'))
}

export async function refused(verdict: Promise<unknown>, code: ApplicationError): Promise<void> {
  await assert.rejects(verdict, { name: 'Refusal', code })
}
