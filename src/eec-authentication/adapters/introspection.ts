import type { Peer } from '../../http/client.ts'
import { parseJsonContent } from '../../http/content.ts'
import { acceptIf, isMediaType, requireStatus } from '../../http/response.ts'
import { boundedRequests } from '../../nf/bounded-requests.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import { isJsonObject } from '../../octets/strict-json.ts'
import type { Clock } from '../../ports/clock.ts'
import { ENTITLEMENT } from '../../spec/entitlement-operations.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { JsonObject } from '../../tokens/json.ts'
import type { Introspect } from '../verify-entitlement.ts'

/** Milliseconds. An EEC waits meanwhile. */
const PATIENCE = 3_000
/** Whoever invents tokens reaches the issuer rarely: what is not active stays so for a while. */
const LIMITS = { pending: 64, pendingOfCaller: 64, unknownFor: 30_000, unknown: 10_000 }

interface IntrospectionPorts {
  /** the issuer's listener with client certificates, which shows who asks */
  readonly peer: () => Peer
  readonly clock: Pick<Clock, 'monotonic'>
  readonly failed?: (error: unknown) => void
}

/** RFC 7662 2: fails closed. Anything but a clear answer of the issuer is no answer (D-14). */
export function introspection({ peer, clock, failed }: IntrospectionPorts): Introspect {
  const bounded = boundedRequests<JsonObject>(LIMITS, clock.monotonic)
  return (token) =>
    bounded('', sha256Base64url(token), async () => {
      try {
        return await ask(peer(), token)
      } catch (cause) {
        failed?.(cause)
        throw new Refusal('NF_CONGESTION', 'the issuer of the token cannot be asked now', { cause })
      }
    })
}

async function ask(peer: Peer, token: string): Promise<JsonObject | undefined> {
  const { method, path } = ENTITLEMENT.IntrospectToken
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
  const response = await peer.request({ method, path, headers, body, patience: PATIENCE })
  requireStatus(response, 200)
  acceptIf(isMediaType(response.headers['content-type'], 'application/json'), 'the answer is not JSON')
  const answer = parseJsonContent(response.body)
  acceptIf(isJsonObject(answer) && typeof answer['active'] === 'boolean', 'the answer is not one of RFC 7662')
  return answer['active'] === true ? answer : undefined
}
