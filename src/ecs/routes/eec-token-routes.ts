import type { PresentedRequest } from '../../eec-authentication/presented-token.ts'
import { ok, type Route, routesOf } from '../../http/route.ts'
import type { EcsMethod } from '../../spec/authentication-methods.ts'
import type { Operation } from '../../spec/operation.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { PATHS } from '../authorization-server/metadata.ts'
import {
  EecAssertionForm,
  EecTokenForm,
  type EecTokenPorts,
  requestEecToken,
} from '../authorization-server/request-eec-token.ts'
import type { EcsPeers } from '../peers.ts'
import type { AuthenticatedEec } from '../provisioning/provision-service.ts'
import { withMethods } from './eec-answer.ts'

const route = routesOf<EcsPeers>()

const FORM = 'application/x-www-form-urlencoded'
/** RFC 6749 5.1 */
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' }

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export const EEC_TOKEN_REQUEST: Operation = {
  id: 'EecAccessTokenRequest',
  api: 'oauth2',
  method: 'POST',
  path: PATHS.token,
  clause: 'TS 33.558 6.2, RFC 6749 3.2',
}

export interface EecTokenRoutePorts extends EecTokenPorts {
  readonly offered: readonly EcsMethod[]
}

/** On the listeners where the connection is the client authentication: RFC 6749 4.4. */
export function eecTokenRoute(ecs: EecTokenRoutePorts, credential: 'psk' | 'eecCertificate'): Route<EcsPeers> {
  return route({
    operation: EEC_TOKEN_REQUEST,
    credential,
    refusals: 'oauth',
    content: { mediaType: FORM, schema: EecTokenForm, limit: 8_192 },
    async handle({ peer, body }) {
      refuseUnless(
        body.grant_type === 'client_credentials',
        'UNSUPPORTED_GRANT_TYPE',
        'the grant is client_credentials',
      )
      return withMethods(ecs.offered, peer, ok(await requestEecToken(ecs, peer, body), NOT_STORED))
    },
  })
}

export interface EecGrantPorts extends EecTokenRoutePorts {
  /** @throws Refusal of the status 401 */
  verifyGrant(request: PresentedRequest & { readonly assertion: string }): Promise<AuthenticatedEec>
}

/** On the `server` listener: the entitlement token is grant and client authentication in one (RFC 7523 2.1, 3). */
export function eecGrantRoute(ecs: EecGrantPorts): Route<EcsPeers> {
  return route({
    operation: EEC_TOKEN_REQUEST,
    credential: 'grant',
    refusals: 'oauth',
    content: { mediaType: FORM, schema: EecAssertionForm, limit: 16_384 },
    async handle({ peer: request, body }) {
      refuseUnless(body.grant_type === JWT_BEARER, 'UNSUPPORTED_GRANT_TYPE', 'the grant is jwt-bearer')
      const { assertion } = body
      refuseUnless(assertion, 'CREDENTIAL_MISSING', 'assertion is required')
      const peer = await ecs.verifyGrant({ ...request, assertion })
      return withMethods(ecs.offered, peer, ok(await requestEecToken(ecs, peer, body), NOT_STORED))
    },
  })
}
