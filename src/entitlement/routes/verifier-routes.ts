import { Type } from 'typebox'
import { ok, type Route, routesOf } from '../../http/route.ts'
import { ENTITLEMENT } from '../../spec/entitlement-operations.ts'
import { ValidationRequest } from '../../spec/messages/entitlement.ts'
import { type IntrospectionPorts, introspectToken } from '../operator-token/introspect.ts'
import { validateOperatorToken } from '../operator-token/validate.ts'
import type { VerifierPeers } from '../peers.ts'

const route = routesOf<VerifierPeers>()

/** RFC 7662 2.1; `token_type_hint` changes nothing: there is one type. */
const TokenReferenceForm = Type.Object({ token: Type.String() })
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** On the listener with client certificates: two ways to ask whether a token still stands. */
export function verifierRoutes(ent: IntrospectionPorts): Route<VerifierPeers>[] {
  return [
    route({
      operation: ENTITLEMENT.IntrospectToken,
      credential: 'verifier',
      refusals: 'oauth',
      content: { mediaType: 'application/x-www-form-urlencoded', schema: TokenReferenceForm, limit: 16_384 },
      handle: async ({ peer, body }) => ok(await introspectToken(ent, peer.fqdn, body.token), NOT_STORED),
    }),
    route({
      operation: ENTITLEMENT.ValidateOperatorToken,
      credential: 'verifier',
      content: { mediaType: 'application/json', schema: ValidationRequest, limit: 16_384 },
      async handle({ peer, body }) {
        const ap2015 = await validateOperatorToken(ent, peer.fqdn, body)
        return ok({ Vers: { version: '1', validity: '0' }, ap2015 }, NOT_STORED)
      },
    }),
  ]
}
