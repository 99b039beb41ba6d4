import { sha256Base64url } from '../octets/digest.ts'
import type { Signer } from '../ports/signer.ts'
import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { type EecId, parseEecId } from '../spec/subscriber-identifiers.ts'
import {
  certificateConfirmation,
  checkAudience,
  checkTimes,
  type Issuance,
  type IssuedClaims,
  issuedClaims,
  type Lifetime,
  scopeClaim,
  stringClaim,
  tokenId,
} from './claims.ts'
import type { JsonObject } from './json.ts'
import { type Jws, parseJws, signJws, verifyJws } from './jws.ts'
import type { KeySource } from './key-set.ts'
import { formatScope, type Scope } from './scope.ts'
import { TOKEN_TYPES } from './token-types.ts'

const ASSERTION = TOKEN_TYPES.forwarding
const HOP = TOKEN_TYPES.forwardingHop
/** FW-02 wants 30 s, D-19 grants 60. */
const LIFETIME: Lifetime = { usual: 30, ceiling: 60 }

/** What an EES asks for at the ECS of another one, as its own ECS vouches for it (D-19). */
export interface ForwardedRequest {
  /** the EES that asks: the client of the token */
  readonly sub: Fqdn
  /** the EES that the token is for */
  readonly target: Fqdn
  readonly scope: Scope
  readonly eecId?: EecId | undefined
  /** base64url of SHA-256 over the client's certificate in DER */
  readonly certificateThumbprint: string
  /** the ECS where the client is registered, which signs this */
  readonly srcEcs: Fqdn
}

/**
 * A request on its way from ECS to ECS: what the home ECS signed, and what each ECS in between signed over it. A link
 * names the ECS that it is for and holds the digest of the link before, so none can be left out, replaced or reordered
 * (THREATS FW-10).
 */
export interface Forwarding {
  /** compact JWS of the home ECS over the whole request */
  readonly assertion: string
  /** compact JWS of each ECS after that, in order */
  readonly hops: readonly string[]
}

/** The request as the home ECS sends it. @param to - the ECS that it goes to next, or that has the target */
export async function createForwarding(
  request: ForwardedRequest,
  to: Fqdn,
  issuance: Issuance,
): Promise<Forwarding & { readonly jti: string }> {
  const { sub, target, eecId, srcEcs } = request
  const claims = {
    iss: srcEcs,
    sub,
    aud: to,
    target,
    scope: formatScope(request.scope),
    eecId,
    cnf: { 'x5t#S256': request.certificateThumbprint },
    srcEcs,
    ...issuedClaims(issuance, LIFETIME),
  }
  return { assertion: await signJws(ASSERTION, claims, issuance.signer), hops: [], jti: issuance.jti }
}

/** The request as an ECS in between sends it on. */
export async function addHop(
  { assertion, hops }: Forwarding,
  link: { readonly iss: Fqdn; readonly to: Fqdn },
  signer: Signer,
): Promise<Forwarding> {
  const claims = { iss: link.iss, aud: link.to, prev: sha256Base64url(hops.at(-1) ?? assertion) }
  return { assertion, hops: [...hops, await signJws(HOP, claims, signer)] }
}

export interface ForwardingReader {
  /** this ECS */
  readonly own: Fqdn
  /** the ECS that the connection belongs to */
  readonly from: Fqdn
  /** the keys of a trusted ECS; undefined for every other */
  keysOf(ecs: Fqdn): KeySource | undefined
  /** ECS-to-ECS messages that one request may cost, this one included */
  readonly mostHops: number
  /** seconds, 30 if not given, at most 60 */
  readonly maxLifetime?: number
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
}

/**
 * A request whose way here is proven. That its `jti` was not seen before is for a replay cache to say (THREATS FW-07).
 */
export interface VerifiedForwarding extends IssuedClaims {
  readonly request: ForwardedRequest
  /** the ECSs that it came through, the home ECS first */
  readonly visited: readonly Fqdn[]
}

/**
 * The order is that of the costs: counts and names first, signatures last.
 *
 * @throws Refusal FORWARDING_LOOP, FORWARDING_INVALID
 */
export async function verifyForwarding(forwarding: Forwarding, reader: ForwardingReader): Promise<VerifiedForwarding> {
  const { own, from, mostHops, maxLifetime, now } = reader
  const { assertion, hops } = forwarding
  refuseUnless(hops.length < mostHops, 'FORWARDING_LOOP', 'the request has come through too many ECSs')
  const home = parseJws(assertion, ASSERTION)
  const links = [home, ...hops.map((hop) => parseJws(hop, HOP))]
  const visited = links.map(({ claims, type }) => nameClaim(claims, 'iss', type))

  const isNew = !visited.includes(own) && new Set(visited).size === visited.length
  refuseUnless(isNew, 'FORWARDING_LOOP', 'the request has come through the same ECS before')
  refuseUnless(visited.at(-1) === from, ASSERTION.refusal, 'the request is not from the ECS that sends it')
  checkLinks(links, [assertion, ...hops], [...visited.slice(1), own])
  const times = checkTimes(home.claims, { now, maxLifetime }, LIFETIME, ASSERTION)
  const read = { request: requestOf(home.claims), jti: tokenId(home.claims, ASSERTION), visited, ...times }
  refuseUnless(read.request.srcEcs === visited[0], ASSERTION.refusal, 'srcEcs is not the ECS that signed')

  for (const [index, link] of links.entries()) {
    const ecs = visited[index]
    const keys = ecs && reader.keysOf(ecs)
    refuseUnless(keys, ASSERTION.refusal, 'the request came through an ECS that is not trusted here')
    await verifyJws(link, keys)
  }
  return read
}

/**
 * Each link is for the ECS that signed the next one, and over the link before it.
 *
 * @param texts - the links as they travel
 */
function checkLinks(links: readonly Jws[], texts: readonly string[], audiences: readonly Fqdn[]): void {
  for (const [index, { claims, type }] of links.entries()) {
    const audience = audiences[index]
    refuseUnless(audience, type.refusal, 'the chain of hops is broken')
    checkAudience(claims, audience, type)
    const previous = texts[index - 1]
    const follows = previous === undefined || claims['prev'] === sha256Base64url(previous)
    refuseUnless(follows, type.refusal, 'a hop was signed over another request')
  }
}

function requestOf(claims: JsonObject): ForwardedRequest {
  const { eecId } = claims
  const eec = typeof eecId === 'string' ? parseEecId(eecId) : undefined
  refuseUnless(eec !== undefined || eecId === undefined, ASSERTION.refusal, 'eecId is not an EEC ID')
  return {
    sub: nameClaim(claims, 'sub', ASSERTION),
    target: nameClaim(claims, 'target', ASSERTION),
    scope: scopeClaim(claims, ASSERTION),
    ...(eec !== undefined && { eecId: eec }),
    certificateThumbprint: certificateConfirmation(claims, ASSERTION),
    srcEcs: nameClaim(claims, 'srcEcs', ASSERTION),
  }
}

/** Names are compared letter by letter later on: they are in lower case or refused (D-32). */
function nameClaim(claims: JsonObject, name: string, type: Jws['type']): Fqdn {
  const text = stringClaim(claims, name, type)
  const fqdn = parseFqdn(text)
  refuseUnless(fqdn !== undefined && fqdn === text, type.refusal, `${name} is not an FQDN in lower case`)
  return fqdn
}
