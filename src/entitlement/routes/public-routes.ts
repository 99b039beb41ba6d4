import { ok, type Route, routesOf } from '../../http/route.ts'
import { ENTITLEMENT } from '../../spec/entitlement-operations.ts'
import { keySetOf, toJwkSet } from '../../tokens/key-set.ts'
import type { DevicePeers } from '../peers.ts'
import { certificateSet, type SigningKey } from '../signing/signing-keys.ts'

const route = routesOf<DevicePeers>()

/** Shorter than a key is shown before it signs. */
const CACHED = { 'cache-control': 'public, max-age=300' }

export interface PublicPorts {
  /** `https://FQDN` */
  readonly issuer: string
  /** `https://FQDN:PORT` of the listener for devices, and of the one with client certificates */
  readonly serverRoot: string
  readonly mtlsRoot: string
  publishedKeys(): readonly SigningKey[]
}

/** What anybody may know who verifies a token: keys, their certificates, and where to ask. */
export function publicRoutes(ent: PublicPorts): Route<DevicePeers>[] {
  const { issuer, serverRoot, mtlsRoot } = ent
  const metadata = {
    issuer,
    jwks_uri: `${serverRoot}${ENTITLEMENT.GetKeySet.path}`,
    introspection_endpoint: `${mtlsRoot}${ENTITLEMENT.IntrospectToken.path}`,
    introspection_endpoint_auth_methods_supported: ['tls_client_auth'],
    dpop_signing_alg_values_supported: ['ES256'],
    response_types_supported: [],
  }
  return [
    route({
      operation: ENTITLEMENT.GetCertificates,
      credential: 'public',
      handle: async () => ok(certificateSet(ent.publishedKeys()), CACHED),
    }),
    route({
      operation: ENTITLEMENT.GetKeySet,
      credential: 'public',
      handle: async () => ok(toJwkSet(keySetOf(ent.publishedKeys().map(({ publicKey }) => publicKey))), CACHED),
    }),
    route({ operation: ENTITLEMENT.GetMetadata, credential: 'public', handle: async () => ok(metadata, CACHED) }),
  ]
}
