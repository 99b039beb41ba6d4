import type { Message, Response } from '../../http/client.ts'
import { RefusedByServer, readJson, requireStatus } from '../../http/response.ts'
import { ECSServProvResp, type EDNConfigInfo } from '../../spec/messages/service-provisioning.ts'
import type { RegistrationRecord } from './record.ts'

/** What another EES shall serve, for a context to move there. */
export interface TargetWish {
  readonly easId: string
  /** where: a DNAI that it says it is at */
  readonly dnai?: string | undefined
}

/** Eecs_TargetEESDiscovery: TS 29.558 9.2; TS 23.558 8.8.3.3. */
export function targetDiscoveryRequest({ eesId }: RegistrationRecord, { easId, dnai }: TargetWish): Message {
  const query = new URLSearchParams({ 'ees-id': eesId, 'eas-id': easId })
  if (dnai !== undefined) query.set('target-dnai', dnai)
  return { method: 'GET', path: `/eecs-targeteesdiscovery/v1/ees-profiles?${query}` }
}

/**
 * @returns EESs of our ECS or of others, by the network they stand in; none if the ECS knows of none for us
 * @throws RefusedByServer, AnswerNotAccepted
 */
export function processTargetDiscoveryResponse(response: Response): readonly EDNConfigInfo[] {
  try {
    requireStatus(response, 200)
  } catch (error) {
    if (error instanceof RefusedByServer && error.code === 'REGISTRATION_NOT_FOUND') return []
    throw error
  }
  return readJson(response, ECSServProvResp).ednCnfgInfo
}
