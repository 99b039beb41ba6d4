import type { Message, Response } from '../../http/client.ts'
import { readJson, requireStatus } from '../../http/response.ts'
import { type ECSServProvReq, ECSServProvResp } from '../../spec/messages/service-provisioning.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'

/** What an EEC says beside who it is. */
export type ProvisioningWishes = Omit<ECSServProvReq, 'eecId'>

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

/** @returns undefined if the ECS has no EDN for these wishes (204) @throws RefusedByServer, AnswerNotAccepted */
export function processProvisioningResponse(response: Response): ECSServProvResp | undefined {
  requireStatus(response, 200, 204)
  return response.status === 204 ? undefined : readJson(response, ECSServProvResp)
}
