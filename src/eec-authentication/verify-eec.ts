import type { EesMethod } from '../spec/authentication-methods.ts'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import { shownType } from '../tokens/jws.ts'
import { TOKEN_TYPES } from '../tokens/token-types.ts'
import type { EecIdentity } from './eec-identity.ts'
import { type PresentedRequest, shownToken } from './presented-token.ts'

const METHODS: ReadonlyMap<string, EesMethod> = new Map([
  [TOKEN_TYPES.entitlement.typ, 'ENTITLEMENT_TOKEN'],
  [TOKEN_TYPES.access.typ, 'EDGE_ACCESS_TOKEN'],
])

/**
 * How each method that a server takes is verified. What is not in it is not taken, whatever a client shows
 * (THREATS NG-05).
 */
export type EecVerifiers = Partial<Record<EesMethod, (request: PresentedRequest) => Promise<EecIdentity>>>

/**
 * The type of the token says by which method an EEC authenticates, and the method how it is verified.
 *
 * @throws Refusal CREDENTIAL_MISSING, TOKEN_INVALID, and as the method's verifier
 */
export async function verifyEec(verifiers: EecVerifiers, request: PresentedRequest): Promise<EecIdentity> {
  const method = METHODS.get(shownType(shownToken(request)) ?? '')
  refuseUnless(method, 'TOKEN_INVALID', 'the token is of another type')
  const verify = verifiers[method]
  if (!verify) throw new Refusal('TOKEN_INVALID', `the method ${method} is not taken here`)
  return verify(request)
}
