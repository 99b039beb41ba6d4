import { isOfSchema } from '../../http/schema.ts'
import type { NfAnswer, NfClient } from '../../nf/adapters/nf-client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ApplicationError } from '../../spec/application-errors.ts'
import { NUDM_UEAU, pathOf } from '../../spec/core-operations.ts'
import type { NfInstanceId } from '../../spec/identifiers.ts'
import { EdgeAuthenticationInfoResult } from '../../spec/messages/kedge-request.ts'
import type { AuthEvent } from '../../spec/messages/ueau.ts'
import type { Operation } from '../../spec/operation.ts'
import { Refusal } from '../../spec/refusal.ts'
import { processAuthData } from '../authentication/auth-data.ts'
import type { CompletionPorts } from '../authentication/complete.ts'
import type { Context } from '../authentication/context.ts'
import type { StartPorts } from '../authentication/start-authentication.ts'
import type { TakeBackPorts } from '../authentication/take-back.ts'

type UdmPorts = Pick<StartPorts, 'generateAuthData'> &
  Pick<CompletionPorts, 'confirmAuth'> &
  Pick<TakeBackPorts, 'deleteAuth'>

/** What a UDM says about the subscriber, and the SEAF is told. */
const PASSED_ON: readonly ApplicationError[] = [
  'USER_NOT_FOUND',
  'AUTHENTICATION_REJECTED',
  'INVALID_HN_PUBLIC_KEY_IDENTIFIER',
  'INVALID_SCHEME_OUTPUT',
  'UNSUPPORTED_PROTECTION_SCHEME',
]

/** Nudm_UEAU of the UDM of this home network: TS 29.503 6.3. */
export function udmPorts(client: NfClient, nfInstanceId: NfInstanceId, clock: Clock): UdmPorts {
  const ask = ({ method, path }: Operation, parameters: Record<string, string>, body: object) =>
    client.ask(method, pathOf({ path }, parameters), body)
  const event = (servingNetworkName: string, authType: string, change: Partial<AuthEvent>): AuthEvent => {
    const timeStamp = new Date(clock.now()).toISOString()
    return { nfInstanceId, success: true, timeStamp, authType, servingNetworkName, ...change }
  }
  return {
    async generateAuthData({ supiOrSuci, servingNetworkName, resynchronisation }) {
      const resynchronizationInfo = resynchronisation && {
        rand: resynchronisation.rand.toString('hex'),
        auts: resynchronisation.auts.toString('hex'),
      }
      const request = {
        servingNetworkName,
        ausfInstanceId: nfInstanceId,
        ...(resynchronizationInfo && { resynchronizationInfo }),
      }
      const answer = await ask(NUDM_UEAU.GenerateAuthData, { supiOrSuci }, request)
      if (answer.status !== 200 || !isOfSchema(EdgeAuthenticationInfoResult, answer.body)) throw refusalOf(answer)
      return processAuthData(answer.body, supiOrSuci)
    },
    async confirmAuth({ supi, servingNetworkName, method }: Context & { method: string }, success) {
      const answer = await ask(NUDM_UEAU.ConfirmAuth, { supi }, event(servingNetworkName, method, { success }))
      const authEventId = /\/auth-events\/([A-Za-z0-9._~-]{1,128})$/.exec(answer.location ?? '')?.[1]
      if (answer.status !== 201 || authEventId === undefined) throw refusalOf(answer)
      return authEventId
    },
    async deleteAuth({ supi, servingNetworkName, authType, authEventId }) {
      const removal = event(servingNetworkName, authType, { authRemovalInd: true })
      const answer = await ask(NUDM_UEAU.DeleteAuth, { supi, authEventId }, removal)
      // Gone already is as good as gone.
      if (answer.status !== 204 && answer.status !== 404) throw refusalOf(answer)
    },
  }
}

/** Anything that is no clear word about the subscriber is no word at all (THREATS KE-13). */
function refusalOf({ status, body }: NfAnswer): Refusal {
  const said = typeof body === 'object' && body !== null && 'cause' in body ? body.cause : undefined
  const code = status >= 400 ? PASSED_ON.find((each) => each === said) : undefined
  if (code !== undefined) return new Refusal(code, 'the home network refuses')
  return new Refusal('NF_CONGESTION', 'the UDM gives no vector now', { cause: `the UDM answered ${status}` })
}
