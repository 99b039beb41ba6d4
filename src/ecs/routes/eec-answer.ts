import type { Answer } from '../../http/route.ts'
import { type EcsMethod, METHODS_HEADER, methodsLine } from '../../spec/authentication-methods.ts'
import type { AuthenticatedEec } from '../provisioning/provision-service.ts'

/**
 * What was offered and what was chosen, inside the exchange that the choice protects: the EEC compares it with the offer
 * that it saw before (D-15, THREATS NG-02).
 */
export function withMethods(offered: readonly EcsMethod[], { method }: AuthenticatedEec, answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, [METHODS_HEADER]: methodsLine(offered, method) } }
}
