import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { Refusal } from '../../spec/refusal.ts'
import { type AccessTokenClaims, readAccessToken } from '../../tokens/access-token.ts'
import { type EecAccessTokenClaims, readEecAccessToken } from '../../tokens/eec-access-token.ts'
import { isJsonObject } from '../../tokens/json.ts'
import { parseJws } from '../../tokens/jws.ts'
import type { KeySet } from '../../tokens/key-set.ts'
import { TOKEN_TYPES } from '../../tokens/token-types.ts'

/** Our own tokens, whatever lifetime was configured when they were issued. */
const LONGEST_LIFETIME = 900

export interface IssuedTokenPorts {
  readonly issuer: string
  now(): number
  verificationKeys(): KeySet
}

/**
 * An access token that came back to the ECS that issued it, whoever its audience is.
 *
 * @returns undefined for everything else: expired, forged, of another issuer or type, or no token at all
 */
export async function readIssuedToken(
  ecs: IssuedTokenPorts,
  token: string,
): Promise<AccessTokenClaims | EecAccessTokenClaims | undefined> {
  try {
    const { claims } = parseJws(token, TOKEN_TYPES.access)
    const reader = {
      issuers: new Map([[ecs.issuer, ecs.verificationKeys()]]),
      audience: ownAudience(claims['aud']),
      maxLifetime: LONGEST_LIFETIME,
      now: ecs.now(),
    }
    const isOfEec = isJsonObject(claims['cnf']) && 'jkt' in claims['cnf']
    return isOfEec ? await readEecAccessToken(token, reader) : await readAccessToken(token, reader)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** What an EEC is called by, it has chosen: it may have the name of an EES. */
export function isOfEec(claims: AccessTokenClaims | EecAccessTokenClaims): claims is EecAccessTokenClaims {
  return 'jkt' in claims.cnf
}

/** The one audience that the token names; that it names one, and that we signed it, is still to be verified. */
function ownAudience(aud: unknown): Fqdn {
  const [first] = Array.isArray(aud) ? (aud as readonly unknown[]) : [aud]
  const fqdn = typeof first === 'string' ? parseFqdn(first) : undefined
  if (fqdn === undefined) throw new Refusal('TOKEN_INVALID', 'the token has no audience')
  return fqdn
}
