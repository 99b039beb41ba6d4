import { type Message, PeerUnavailable, type Response } from '../../http/client.ts'
import { acceptIf, RefusedByServer, readJson, requireStatus } from '../../http/response.ts'
import { EECContext, EECContextPushRes } from '../../spec/messages/eec-context-relocation.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import type { PushOutcome } from './relocate-context.ts'

export const RELOCATION_SCOPE = OPERATIONS.PushEecContexts.api

/** @param eesId - of the EES that sends it */
export function pushRequest(eesId: string, eecCntx: EECContext): Message {
  const { method, path } = OPERATIONS.PushEecContexts
  return { method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ eesId, eecCntx }) }
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processPushResponse(response: Response): EECContextPushRes {
  requireStatus(response, 200, 204)
  return response.status === 204 ? {} : readJson(response, EECContextPushRes)
}

/**
 * Whether a failed push can have left something at the T-EES. A refusal says that it has not; that nothing has left says
 * so the first time only.
 *
 * @param sent - whether the token was there, so that the push was tried
 */
export function outcomeOf(
  error: unknown,
  { isRepeated, sent }: { readonly isRepeated: boolean; readonly sent: boolean },
): PushOutcome {
  const isRefusal = error instanceof RefusedByServer && !error.isTransient
  const neverLeft = !sent || (error instanceof PeerUnavailable && error.phase === 'connect')
  return { is: isRefusal || (neverLeft && !isRepeated) ? 'refused' : 'unknown', error }
}

/** @param eesId - of the EES that asks */
export function pullRequest(eesId: string, contextId: string): Message {
  const { method, path } = OPERATIONS.PullEecContexts
  return { method, path: `${path}?${new URLSearchParams({ 'ees-id': eesId, 'eec-cntx-id': contextId })}` }
}

/** @throws RefusedByServer, AnswerNotAccepted */
export function processPullResponse(response: Response, eecId: string): EECContext {
  requireStatus(response, 200)
  const context = readJson(response, EECContext)
  acceptIf(context.eecId === eecId, 'the context is that of another EEC')
  return context
}
