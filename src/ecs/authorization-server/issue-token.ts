import { encodeBase64url } from '../../octets/base64url.ts'
import type { Random } from '../../ports/random.ts'
import type { Signer } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { AccessTokenRsp } from '../../spec/messages/access-token.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { type AccessGrant, issueAccessToken } from '../../tokens/access-token.ts'
import { formatScope, type Scope } from '../../tokens/scope.ts'
import { hashedTokenId } from '../audit.ts'

/** In seconds. */
export interface TokenLifetimes {
  /** for the APIs of this ECS; THREATS TK-09 wants 600 at most, D-11 grants 900 */
  readonly atEcs: number
  /** for the APIs of an EES (D-17) */
  readonly atEes: number
}

export const TOKEN_LIFETIMES: TokenLifetimes = { atEcs: 600, atEes: 300 }

/** A line of the audit trail. */
export interface TokenIssue {
  /** hash of the jti (D-33) */
  readonly token: string
  readonly client: Fqdn
  readonly audience: Fqdn
  readonly scope: string
  /** the ECS that asked for a client of its own, and under which name it did, as in its audit trail */
  readonly srcEcs?: Fqdn
  readonly correlation?: string
}

export type TokenResponse = Required<AccessTokenRsp>

export interface IssuePorts {
  /** `iss` of every token: the https URL under which the metadata stand (RFC 8414 2) */
  readonly issuer: string
  readonly fqdn: Fqdn
  readonly lifetimes: TokenLifetimes
  readonly random: Pick<Random, 'octets'>
  now(): number
  signer(): Signer
  /** Durable before the token exists: what cannot be recorded is not issued. */
  recordTokenIssue(issue: TokenIssue): Promise<void>
}

/** The EES that a token is for the use of, and the certificate that it is bound to (RFC 8705 3.1). */
export interface TokenClient {
  readonly fqdn: Fqdn
  readonly certificateThumbprint: string
}

/** A token for an EES, allowed by the ECS of the client; if the target is at another ECS, that one is asked for it. */
export interface EesTokenRequest {
  readonly client: TokenClient
  readonly target: Fqdn
  readonly scope: Scope
  readonly eecId?: EecId | undefined
}

interface Times {
  /** milliseconds since the epoch */
  readonly now: number
  /** seconds */
  readonly lifetime: number
}

/** A token for the APIs of this ECS. */
export function issueForEcs(ecs: IssuePorts, client: TokenClient, scope: Scope, times: Times): Promise<TokenResponse> {
  const { fqdn: sub, certificateThumbprint } = client
  return signToken(ecs, { iss: ecs.issuer, sub, aud: ecs.fqdn, scope, certificateThumbprint }, times)
}

/** For whom another ECS has asked. */
interface Origin {
  readonly ecs: Fqdn
  readonly correlation: string
}

/**
 * A token for an EES that is registered here: this ECS alone signs those (D-17).
 *
 * @param origin - where the client is registered, if not here
 */
export function issueForEes(
  ecs: IssuePorts,
  { client, target, scope, eecId }: EesTokenRequest,
  times: Times,
  origin?: Origin,
): Promise<TokenResponse> {
  const { fqdn: sub, certificateThumbprint } = client
  const srcEcs = origin?.ecs ?? ecs.fqdn
  const claims = { iss: ecs.issuer, sub, aud: target, scope, certificateThumbprint, eecId, srcEcs }
  return signToken(ecs, claims, times, origin && { srcEcs, correlation: origin.correlation })
}

async function signToken(
  ecs: IssuePorts,
  claims: AccessGrant,
  { now, lifetime }: Times,
  origin: Pick<TokenIssue, 'srcEcs' | 'correlation'> = {},
): Promise<TokenResponse> {
  const jti = encodeBase64url(ecs.random.octets(16))
  const scope = formatScope(claims.scope)
  await ecs.recordTokenIssue({ token: hashedTokenId(jti), client: claims.sub, audience: claims.aud, scope, ...origin })
  const access_token = await issueAccessToken(claims, { signer: ecs.signer(), now, jti, lifetime })
  return { access_token, token_type: 'Bearer', expires_in: lifetime, scope }
}
