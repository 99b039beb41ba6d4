import type { Operation } from './operation.ts'

/** What an entitlement configuration server answers: GSMA TS.43, and what makes its tokens verifiable elsewhere. */

const ts43 = (id: string, method: Operation['method'], clause: string): Operation => {
  return { id, api: 'ts43', method, path: '/', clause }
}

export const ENTITLEMENT = {
  /** to devices; the parameters stand in the query */
  GetEntitlement: ts43('GetEntitlement', 'GET', 'GSMA TS.43 2.2'),
  /** to devices; the parameters, or an EAP packet, are the content */
  PostEntitlement: ts43('PostEntitlement', 'POST', 'GSMA TS.43 2.2'),
  /** to ECSs and EESs, on a listener of its own */
  ValidateOperatorToken: ts43('ValidateOperatorToken', 'POST', 'GSMA TS.43 14.1.6'),
  /** to ECSs and EESs */
  IntrospectToken: {
    id: 'IntrospectToken',
    api: 'oauth2',
    method: 'POST',
    path: '/oauth2/introspect',
    clause: 'RFC 7662',
  },
  /** to anybody: a JWK Set whose keys come with their certificates (RFC 7517 4.7) */
  GetCertificates: {
    id: 'GetCertificates',
    api: 'edge-entitlement',
    method: 'GET',
    path: '/.well-known/edge-entitlement/certificates',
    clause: 'ours (D-14)',
  },
  GetKeySet: { id: 'GetKeySet', api: 'oauth2', method: 'GET', path: '/oauth2/jwks', clause: 'RFC 7517 5' },
  GetMetadata: {
    id: 'GetMetadata',
    api: 'oauth2',
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    clause: 'RFC 8414 3',
  },
} as const satisfies Record<string, Operation>

/** Of those who may ask about tokens; no name of a standard. */
export const INTROSPECTION_SCOPE = 'edge-entitlement:introspect'

/** TS.43 2.8.1: JSON of one member, an EAP packet in base64. */
export const EAP_RELAY = 'application/vnd.gsma.eap-relay.v1.0+json'
/** The configuration document in XML. */
export const CONNECTIVITY_XML = 'text/vnd.wap.connectivity-xml'
/** App authentication. */
export const AP2015 = 'ap2015'
