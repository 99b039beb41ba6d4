import type { Message, Response } from '../../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { AccessTokenRsp } from '../../spec/messages/access-token.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'

/** What a token is for. */
export interface TokenPurpose {
  /** names of services, separated by blanks (TS 29.510 AccessTokenReq.scope) */
  readonly scope: string
  /** the EES that will check the token; if left out, the ECS itself */
  readonly target?: Fqdn
  /** the EEC whose contexts it is for, in a token for another EES (D-17): that EES shall check it */
  readonly eecId?: EecId
}

export interface GrantedToken {
  /** compact JWS, bound to the certificate of this EES (RFC 8705 3): of no use to anybody else */
  readonly accessToken: string
  /** what was granted, which may be less than what was asked for (RFC 6749 5.1) */
  readonly scope: string
  /** seconds from now */
  readonly expiresIn: number
}

/** Client credentials grant over mutual TLS (RFC 6749 4.4, RFC 8705 2; TS 33.501 13.4.1.1.2 step 1). */
export function tokenRequest(tokenEndpoint: string, { scope, target, eecId }: TokenPurpose): Message {
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope })
  // RFC 8707 2: which resource server the token is for.
  if (target !== undefined) form.set('resource', `https://${target}`)
  if (eecId !== undefined) form.set('eecId', eecId)
  return {
    method: 'POST',
    path: new URL(tokenEndpoint).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  }
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processTokenResponse(response: Response, { scope }: TokenPurpose): GrantedToken {
  requireStatus(response, 200)
  const { access_token, expires_in, scope: granted = scope } = readJson(response, AccessTokenRsp)
  const wanted = scope.split(' ')
  acceptIf(
    granted.split(' ').every((name) => wanted.includes(name)),
    'the token is for more than was asked for',
  )
  // A token that does not say how long it lasts is used once (RFC 6749 5.1 leaves its lifetime open).
  return { accessToken: access_token, scope: granted, expiresIn: Math.max(0, expires_in ?? 0) }
}
