import { ok, type Route, routesOf } from '../../http/route.ts'
import type { Operation } from '../../spec/operation.ts'
import { toJwkSet } from '../../tokens/key-set.ts'
import {
  type IntrospectionPorts,
  introspectToken,
  TokenReferenceForm,
} from '../authorization-server/introspect-token.ts'
import {
  authorizationServerMetadata,
  type Endpoints,
  KeyRequest,
  PATHS,
  retrieveKey,
} from '../authorization-server/metadata.ts'
import { tokenApis } from '../authorization-server/policy.ts'
import { requestToken, TokenForm, type TokenPorts } from '../authorization-server/request-token.ts'
import { type RevocationPorts, revokeToken } from '../authorization-server/revoke-token.ts'
import type { EcsPeers } from '../peers.ts'

export interface AuthorizationServer extends TokenPorts, IntrospectionPorts, RevocationPorts, Endpoints {}

const route = routesOf<EcsPeers>()
const api = 'oauth2'

const FORM = 'application/x-www-form-urlencoded'
/** TS 29.510 AccessTokenRsp; RFC 6749 5.1 */
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' }
/** Shorter than a key is published before it signs. */
const CACHED = { 'cache-control': 'public, max-age=300' }

/** Those with the credential `certificate` are for the listener with client certificates, the `public` ones for the other. */
export function authorizationServerRoutes(ecs: AuthorizationServer): Route<EcsPeers>[] {
  return [...clientRoutes(ecs), ...publicRoutes(ecs)]
}

function clientRoutes(ecs: AuthorizationServer): Route<EcsPeers>[] {
  const declared = { credential: 'certificate', refusals: 'oauth' } as const
  return [
    route({
      ...declared,
      operation: post('AccessTokenRequest', PATHS.token, 'TS 29.510 6.3, RFC 6749 4.4'),
      content: { mediaType: FORM, schema: TokenForm, limit: 8_192 },
      handle: async ({ peer, body }) => ok(await requestToken(ecs, peer, body), NOT_STORED),
    }),
    route({
      ...declared,
      operation: post('IntrospectToken', PATHS.introspection, 'RFC 7662 2'),
      content: { mediaType: FORM, schema: TokenReferenceForm, limit: 16_384 },
      handle: async ({ peer, body }) => ok(await introspectToken(ecs, peer, body), NOT_STORED),
    }),
    route({
      ...declared,
      operation: post('RevokeToken', PATHS.revocation, 'RFC 7009 2'),
      content: { mediaType: FORM, schema: TokenReferenceForm, limit: 16_384 },
      async handle({ peer, body }) {
        await revokeToken(ecs, peer, body)
        return { status: 200, headers: NOT_STORED }
      },
    }),
  ]
}

function publicRoutes(ecs: AuthorizationServer): Route<EcsPeers>[] {
  return [
    route({
      credential: 'public',
      operation: get('GetAuthorizationServerMetadata', PATHS.metadata, 'RFC 8414 3'),
      handle: async () => ok(authorizationServerMetadata(ecs, tokenApis(ecs.policy())), CACHED),
    }),
    route({
      credential: 'public',
      operation: get('GetKeySet', PATHS.jwks, 'RFC 7517 5'),
      handle: async () => ok(toJwkSet(ecs.verificationKeys()), CACHED),
    }),
    route({
      credential: 'public',
      operation: post('RetrieveKeyRequest', PATHS.keyRetrieval, 'TS 33.501 14.3.3, TS 29.510 6.3'),
      content: { mediaType: 'application/json', schema: KeyRequest, limit: 8_192 },
      handle: async ({ body }) => ok(retrieveKey({ issuer: ecs.issuer, keys: ecs.verificationKeys() }, body)),
    }),
  ]
}

function post(id: string, path: string, clause: string): Operation {
  return { id, api, method: 'POST', path, clause }
}

function get(id: string, path: string, clause: string): Operation {
  return { id, api, method: 'GET', path, clause }
}
