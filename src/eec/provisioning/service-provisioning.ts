import type { Message, Response } from '../../http/client.ts'
import { readJson, requireStatus } from '../../http/response.ts'
import { ECSServProvRespWithTokens } from '../../spec/messages/ees-tokens.ts'
import { type ECSServProvReq, ECSServProvResp } from '../../spec/messages/service-provisioning.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { EDGEWARD_EES_TOKENS, withFeature } from '../../spec/supported-features.ts'

/** What an EEC says beside who it is. */
export type ProvisioningWishes = Omit<ECSServProvReq, 'eecId'>

export interface ProvisioningOptions {
  /** whether a token for each EES shall come with the answer (D-12): it spares a question before the EES; false unless stated */
  readonly eesTokens?: boolean
}

/** Eecs_ServiceProvisioning_Request: TS 24.558 6.2. The EEC ID is the one that was authenticated (D-28). */
export function provisioningRequest(eecId: EecId, wishes: ProvisioningWishes): Message {
  const body: ECSServProvReq = { ...wishes, eecId }
  return {
    method: 'POST',
    path: '/eecs-serviceprovisioning/v1/request',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

/** The same, for an answer with `eesTokens`: to be sent with a proof of the key that they get bound to. */
export function provisioningRequestWithTokens(eecId: EecId, wishes: ProvisioningWishes): Message {
  return provisioningRequest(eecId, { ...wishes, suppFeat: withFeature(wishes.suppFeat, EDGEWARD_EES_TOKENS) })
}

/** @returns undefined if the ECS has no EDN for these wishes (204) @throws RefusedByServer, AnswerNotAccepted */
export function processProvisioningResponse(response: Response): ECSServProvResp | undefined {
  requireStatus(response, 200, 204)
  return response.status === 204 ? undefined : readJson(response, ECSServProvResp)
}

/** An ECS that has no such feature answers without tokens. */
export function processProvisioningResponseWithTokens(response: Response): ECSServProvRespWithTokens | undefined {
  requireStatus(response, 200, 204)
  return response.status === 204 ? undefined : readJson(response, ECSServProvRespWithTokens)
}
