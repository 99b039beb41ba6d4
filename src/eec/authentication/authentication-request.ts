import type { Message, Response } from '../../http/client.ts'
import { isOriginOf } from '../../http/origin.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { type EecAuthenticationRequest, EecAuthenticationResponse } from '../../spec/messages/eec-authentication.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { ApplicationKey, EdgeKey } from './edge-key.ts'

/** TR 33.839 6.x.2.1 step 4, TS 33.535 6.2.1 step 1; the message is ours (D-23). */
export function authenticationRequest(eecId: EecId, keyName: (EdgeKey | ApplicationKey)['name']): Message {
  const body: EecAuthenticationRequest = { eecId, ...keyName }
  return {
    method: 'POST',
    path: '/eecs-authentication/v1/requests',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

/** Where, and until when, the ECS takes the key. */
export interface Invitation {
  /** `https://FQDN[:PORT]`, of the same ECS */
  readonly pskEndpoint: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

/**
 * The ECS leads to no other host, and it means the key that the UE has given: one side with Kedge and the other with
 * K_ECS would never meet, and an EEC does not follow an ECS to the weaker of the two.
 *
 * @param now - milliseconds since 1970
 * @throws RefusedByServer, AnswerNotAccepted
 */
export function processAuthenticationResponse(
  response: Response,
  ecs: Fqdn,
  { keyProfile }: Pick<EdgeKey, 'keyProfile'>,
  now: number,
): Invitation {
  requireStatus(response, 201)
  const answer = readJson(response, EecAuthenticationResponse)
  const expiresAt = Date.parse(answer.expiresAt)
  acceptIf(isOriginOf(answer.pskEndpoint, ecs), 'pskEndpoint is not an origin of the ECS')
  acceptIf(
    answer.keyProfile === keyProfile,
    `the ECS takes keys of the profile ${answer.keyProfile}, not ${keyProfile}`,
  )
  acceptIf(expiresAt > now, 'the key has expired')
  return { pskEndpoint: new URL(answer.pskEndpoint).origin, expiresAt }
}
