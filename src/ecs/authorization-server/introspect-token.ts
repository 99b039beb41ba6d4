import { type Static, Type } from 'typebox'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import type { EecAccessTokenClaims } from '../../tokens/eec-access-token.ts'
import type { EesPeer } from '../registrar/registration.ts'
import type { CertificateState, RegistrationState } from '../tables.ts'
import { type IssuedTokenPorts, isOfEec, readIssuedToken } from './issued-token.ts'

/** RFC 7662 2.1 and RFC 7009 2.1. `token_type_hint` changes nothing: there is one type. */
export const TokenReferenceForm = Type.Object({ token: Type.String() })
export type TokenReferenceForm = Static<typeof TokenReferenceForm>

/** RFC 7662 2.2; `cnf` after RFC 8705 3.2, or RFC 9449 6.2 for the token of an EEC. */
export type Introspection =
  | { readonly active: false }
  | ({ readonly active: true; readonly token_type: 'Bearer' } & AccessTokenClaims)
  | ({ readonly active: true; readonly token_type: 'DPoP' } & EecAccessTokenClaims)

/** What became of a token since it was issued, read in one look. */
export interface TokenStanding {
  readonly revoked: boolean
  /** of the certificate that the token is bound to; undefined if this ECS knows no such certificate */
  readonly certificate: CertificateState | undefined
  /** of the registration that this certificate was issued for; `live` only while its time has not passed */
  readonly registration: RegistrationState | undefined
}

export interface IntrospectionPorts extends IssuedTokenPorts {
  tokenStanding(jti: string, certificateThumbprint: string): Promise<TokenStanding>
}

const INACTIVE: Introspection = { active: false }

/**
 * Token introspection: RFC 7662. An EES learns about the tokens that it holds and about those that it is shown as their
 * audience; of all others it learns nothing, not even that they exist (RFC 7662 4, THREATS TK-14). The token of an EEC
 * ends by its time alone.
 */
export async function introspectToken(
  ecs: IntrospectionPorts,
  caller: EesPeer,
  { token }: TokenReferenceForm,
): Promise<Introspection> {
  const claims = await readIssuedToken(ecs, token)
  if (claims === undefined || !concerns(claims, caller)) return INACTIVE
  if (isOfEec(claims)) return { active: true, token_type: 'DPoP', ...claims }
  const { revoked, certificate, registration } = await ecs.tokenStanding(claims.jti, claims.cnf['x5t#S256'])
  const active = !revoked && certificate === 'issued' && registration === 'live'
  return active ? { active, token_type: 'Bearer', ...claims } : INACTIVE
}

function concerns(claims: AccessTokenClaims | EecAccessTokenClaims, { fqdn }: EesPeer): boolean {
  return claims.aud[0] === fqdn || (!isOfEec(claims) && claims.sub === fqdn)
}
