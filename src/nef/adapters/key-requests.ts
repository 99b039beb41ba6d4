import type { NfAnswer, NfClient } from '../../nf/adapters/nf-client.ts'
import type { Alarms } from '../../nf/alarms.ts'
import { boundedRequests, type RequestLimits } from '../../nf/bounded-requests.ts'
import type { Clock } from '../../ports/clock.ts'
import { NAUSF_UE_AUTHENTICATION } from '../../spec/core-operations.ts'
import type { EdgeKeyData } from '../../spec/messages/edge-key-retrieval.ts'
import type { KedgeRequest } from '../../spec/messages/kedge-request.ts'
import { Refusal } from '../../spec/refusal.ts'
import { processKeyAnswer } from '../edge-key/key-answer.ts'
import type { KeyQuestion, RetrievalPorts } from '../edge-key/retrieve-edge-key.ts'

export const KEY_REQUEST_LIMITS: RequestLimits = {
  pending: 256,
  pendingOfCaller: 64,
  unknownFor: 10_000,
  unknown: 10_000,
}

/** Nausf_UEAuthentication_keyrequest of the AUSF, asked for an ECS: TR 33.839 6.x.2.1 steps 5.2 and 6.1. */
export function keyRequests(
  ausf: NfClient,
  clock: Clock,
  alarms: Alarms,
  limits: RequestLimits = KEY_REQUEST_LIMITS,
): RetrievalPorts['requestKey'] {
  const bounded = boundedRequests<EdgeKeyData>(limits, clock.monotonic)
  const { method, path } = NAUSF_UE_AUTHENTICATION.KeyRequest
  const ask = async ({ kedgeId, eecId, ecsFqdn }: KeyQuestion) => {
    const request: KedgeRequest = { kedgeId, eecId, ecsFqdn }
    const answer = await ausf.ask(method, path, request)
    if (answer.status === 200) return processKeyAnswer(answer.body, kedgeId, clock.now())
    if (answer.status === 404 && causeOf(answer) === 'KEDGE_NOT_FOUND') return undefined
    throw refusalOf(answer, ecsFqdn, alarms)
  }
  return (question) => bounded(question.ecsFqdn, `${question.kedgeId} ${question.eecId}`, () => ask(question))
}

/** What is no clear word about this key and this ECS is no word at all (THREATS KE-13). */
function refusalOf(answer: NfAnswer, ecs: string, alarms: Alarms): Refusal {
  if (answer.status === 403 && causeOf(answer) === 'ECS_NOT_AUTHORIZED') {
    // We have it on our list, the AUSF has not. The ECS hears what it hears of a key that is not there.
    alarms.raise('caller-refused', ecs)
    return new Refusal('KEDGE_NOT_FOUND', 'there is no key under this Kedge ID')
  }
  return new Refusal('NF_CONGESTION', 'no key can be had now', { cause: `the AUSF answered ${answer.status}` })
}

function causeOf({ body }: NfAnswer): unknown {
  return typeof body === 'object' && body !== null && 'cause' in body ? body.cause : undefined
}
