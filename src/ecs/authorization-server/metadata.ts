import { type Static, Type } from 'typebox'
import type { EcsMethod } from '../../spec/authentication-methods.ts'
import type { RetrieveKeyRsp } from '../../spec/messages/access-token.ts'
import { mapOf } from '../../spec/messages/forms.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { KeySet } from '../../tokens/key-set.ts'

export const PATHS = {
  token: '/oauth2/token',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  jwks: '/oauth2/jwks',
  keyRetrieval: '/oauth2/retrieve-key',
  metadata: '/.well-known/oauth-authorization-server',
} as const

export interface Endpoints {
  /** `https://FQDN[:PORT]`: the listener where anybody finds metadata and keys */
  readonly issuer: string
  /** `https://FQDN[:PORT]` of the listener with client certificates */
  readonly mtlsRoot: string
  /** how EECs authenticate here */
  readonly offered: readonly EcsMethod[]
  /** `https://FQDN:PORT` of the listener for EECs with a certificate, if there is one */
  readonly eecRoot?: string | undefined
}

/** RFC 8414 2, RFC 8705 2.1.1 and 3.3. */
export interface AuthorizationServerMetadata {
  readonly issuer: string
  readonly token_endpoint: string
  readonly introspection_endpoint: string
  readonly revocation_endpoint: string
  readonly jwks_uri: string
  readonly scopes_supported: readonly string[]
  /** none: there is no authorization endpoint */
  readonly response_types_supported: readonly []
  readonly grant_types_supported: readonly ['client_credentials']
  readonly token_endpoint_auth_methods_supported: readonly ['tls_client_auth']
  readonly introspection_endpoint_auth_methods_supported: readonly ['tls_client_auth']
  readonly revocation_endpoint_auth_methods_supported: readonly ['tls_client_auth']
  readonly tls_client_certificate_bound_access_tokens: true
  /** ours (D-15) */
  readonly edge_eec_authentication_methods_supported: readonly EcsMethod[]
  /** ours: where an EEC gets its tokens for EESs (D-12); with a key of its network it has the same on that listener */
  readonly edge_eec_token_endpoint: string
  /** ours: the listener for EECs with a certificate, which has the same paths */
  readonly edge_eec_certificate_root?: string
  /** RFC 9449 5.1 */
  readonly dpop_signing_alg_values_supported: readonly ['ES256']
}

export function authorizationServerMetadata(
  { issuer, mtlsRoot, offered, eecRoot }: Endpoints,
  scopes: Iterable<string>,
): AuthorizationServerMetadata {
  return {
    issuer,
    token_endpoint: `${mtlsRoot}${PATHS.token}`,
    introspection_endpoint: `${mtlsRoot}${PATHS.introspection}`,
    revocation_endpoint: `${mtlsRoot}${PATHS.revocation}`,
    jwks_uri: `${issuer}${PATHS.jwks}`,
    scopes_supported: [...scopes].sort(),
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['tls_client_auth'],
    introspection_endpoint_auth_methods_supported: ['tls_client_auth'],
    revocation_endpoint_auth_methods_supported: ['tls_client_auth'],
    tls_client_certificate_bound_access_tokens: true,
    edge_eec_authentication_methods_supported: [...offered],
    edge_eec_token_endpoint: `${issuer}${PATHS.token}`,
    ...(eecRoot !== undefined && { edge_eec_certificate_root: eecRoot }),
    dpop_signing_alg_values_supported: ['ES256'],
  }
}

/** RetrieveKeyReq of TS 29.510, whose `issuer` is the `iss` of our tokens: a URL where an NRF has a UUID (D-29). */
export const KeyRequest = Type.Object({ issuer: Type.String(), headerParameters: mapOf(Type.String()) })
export type KeyRequest = Static<typeof KeyRequest>

/**
 * Key retrieval: TS 33.501 14.3.3. Of the header parameters only `kid` names a key; what else is there is not followed
 * (THREATS TK-02).
 *
 * @returns the raw public key: its DER SubjectPublicKeyInfo (RFC 7250 3), in base64
 * @throws Refusal MANDATORY_IE_MISSING, SIGNING_KEY_NOT_FOUND
 */
export function retrieveKey(
  { issuer, keys }: { readonly issuer: string; readonly keys: KeySet },
  request: KeyRequest,
): RetrieveKeyRsp {
  const { kid } = request.headerParameters
  refuseUnless(kid, 'MANDATORY_IE_MISSING', 'headerParameters has no kid')
  const key = request.issuer === issuer ? keys.get(kid) : undefined
  refuseUnless(key, 'SIGNING_KEY_NOT_FOUND', 'this issuer has no such key')
  return { rawPubKey: key.export({ type: 'spki', format: 'der' }).toString('base64') }
}
