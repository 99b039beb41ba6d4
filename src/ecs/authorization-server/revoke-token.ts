import type { EesPeer } from '../registrar/registration.ts'
import type { TokenReferenceForm } from './introspect-token.ts'
import { type IssuedTokenPorts, isOfEec, readIssuedToken } from './issued-token.ts'

export interface RevocationPorts extends IssuedTokenPorts {
  /**
   * Durable. Once more for the same token is no error.
   *
   * @param until - when the token expires by itself, milliseconds since 1970
   */
  revokeToken(jti: string, until: number): Promise<void>
}

/**
 * Token revocation: RFC 7009, D-31. The client ends a token of its own.
 * A token of somebody else is left alone, with the same answer as one that does not exist (RFC 7009 2.2).
 */
export async function revokeToken(ecs: RevocationPorts, client: EesPeer, { token }: TokenReferenceForm): Promise<void> {
  const claims = await readIssuedToken(ecs, token)
  const isOwn = claims !== undefined && !isOfEec(claims) && claims.client_id === client.fqdn
  if (isOwn) await ecs.revokeToken(claims.jti, claims.exp * 1000)
}
