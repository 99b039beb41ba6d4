import { Type } from 'typebox'
import type { Message, Response } from '../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../http/response.ts'
import type { Clock } from '../ports/clock.ts'
import type { Progress } from '../ports/progress.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import type { TokenGrant } from './authentication/authenticated-connection.ts'
import type { BoundToken } from './bound-token.ts'
import type { ProofKey } from './proof-key.ts'

/** The token endpoint of the ECS, where an EEC gets a separate token for each EES: TS 33.558 6.2, D-12. */

const TOKEN_ENDPOINT = '/oauth2/token'

/** What an EEC does at an EES. */
export const EES_SERVICES = 'eees-easdiscovery eees-eecregistration'

/** RFC 6749 5.1, RFC 9449 5. The token is one that a header can carry (RFC 6750 2.1); the case of its type says nothing. */
const TokenResponse = Type.Object({
  access_token: Type.String({ pattern: '^[A-Za-z0-9._~+/-]+=*$', maxLength: 8_192 }),
  token_type: Type.String({ pattern: '^[Dd][Pp][Oo][Pp]$' }),
  expires_in: Type.Integer({ minimum: 1, maximum: 3_600 }),
  scope: Type.Optional(Type.String()),
})

export interface TokenPurpose {
  readonly eecId: EecId
  /** the EES that will check the token */
  readonly audience: Fqdn
  /** names of services, separated by blanks */
  readonly scope: string
}

export interface TokenPorts {
  readonly grant: TokenGrant
  readonly key: ProofKey
  readonly clock: Pick<Clock, 'now'>
  readonly progress: Progress
}

/** @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
export function requestToken({ grant, key, clock, progress }: TokenPorts, purpose: TokenPurpose): Promise<BoundToken> {
  const arrow = { clause: 'TS 33.558 6.2', from: 'EEC', to: new URL(grant.origin).hostname }
  return progress.step(arrow, `a token for ${purpose.audience} alone, bound to the key of the EEC`, async () => {
    const proof = await key.prove({ method: 'POST', uri: `${grant.origin}${TOKEN_ENDPOINT}` })
    const now = clock.now()
    const response = await grant.connection.request(tokenRequest(grant.parameters, purpose, proof))
    return processTokenResponse(response, purpose, now)
  })
}

/**
 * @param grant - of `TokenGrant.parameters`
 * @param dpopProof - over this request, by the key that the token gets bound to
 */
function tokenRequest(
  grant: Readonly<Record<string, string>>,
  { eecId, audience, scope }: TokenPurpose,
  dpopProof: string,
): Message {
  return {
    method: 'POST',
    path: TOKEN_ENDPOINT,
    headers: { 'content-type': 'application/x-www-form-urlencoded', dpop: dpopProof },
    body: new URLSearchParams({ ...grant, client_id: eecId, audience, scope }).toString(),
  }
}

/** @param now - milliseconds since 1970, from before the request @throws RefusedByServer, AnswerNotAccepted */
function processTokenResponse(response: Response, { scope }: TokenPurpose, now: number): BoundToken {
  requireStatus(response, 200)
  const { access_token: token, expires_in, scope: granted = scope } = readJson(response, TokenResponse)
  const wanted = scope.split(' ')
  acceptIf(
    granted.split(' ').every((name) => wanted.includes(name)),
    'the token is for more than was asked for',
  )
  return { token, expiresAt: now + expires_in * 1000 }
}
