/**
 * Every way in which Edgeward says no. What is not in this table cannot be said to a peer:
 * anything else that is thrown is our own fault and leaves as a 500 without detail.
 *
 * `status` and `title` go into RFC 9457 problem details, the key is 3GPP's `cause` (TS 29.500 5.2.7).
 * `oauth` is the error that the token endpoints answer for the same refusal: of RFC 6749 5.2, or of 4.1.2.1 with a 5xx.
 * `challenge` is the error in `WWW-Authenticate` (RFC 6750 3.1, RFC 9449 7.1); an empty string asks for a credential
 * without naming an error.
 */
export const APPLICATION_ERRORS = {
  // the message
  INVALID_MSG_FORMAT: {
    status: 400,
    title: 'Message is not well formed',
    clause: 'TS 29.500 5.2.7.2',
    oauth: 'invalid_request',
  },
  MANDATORY_IE_MISSING: {
    status: 400,
    title: 'Mandatory member is missing',
    clause: 'TS 29.500 5.2.7.2',
    oauth: 'invalid_request',
  },
  MANDATORY_IE_INCORRECT: {
    status: 400,
    title: 'Mandatory member is incorrect',
    clause: 'TS 29.500 5.2.7.2',
    oauth: 'invalid_request',
  },
  OPTIONAL_IE_INCORRECT: {
    status: 400,
    title: 'Optional member is incorrect',
    clause: 'TS 29.500 5.2.7.2',
    oauth: 'invalid_request',
  },
  SERVER_OWNED_MEMBER: { status: 400, title: 'Member is set by the server only', clause: 'THREATS ON-13' },
  RESOURCE_URI_STRUCTURE_NOT_FOUND: { status: 404, title: 'No such resource', clause: 'TS 29.500 5.2.7.2' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method is not allowed here', clause: 'RFC 9110 15.5.6' },
  NOT_ACCEPTABLE: { status: 406, title: 'No acceptable representation', clause: 'RFC 9110 15.5.7' },
  INCORRECT_LENGTH: { status: 411, title: 'Content-Length is required', clause: 'RFC 9110 15.5.12' },
  PRECONDITION_FAILED: { status: 412, title: 'The resource has changed', clause: 'RFC 9110 13.1.1' },
  CONTENT_TOO_LARGE: { status: 413, title: 'Content is too large', clause: 'RFC 9110 15.5.14' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Media type is not supported', clause: 'RFC 9110 15.5.16' },
  MISDIRECTED_REQUEST: { status: 421, title: 'This server does not answer for that name', clause: 'RFC 9110 15.5.20' },

  // the credential
  CREDENTIAL_MISSING: {
    status: 401,
    title: 'A credential is required',
    clause: 'TS 33.501 13.4.1.1.2',
    oauth: 'invalid_client',
    challenge: '',
  },
  TOKEN_INVALID: {
    status: 401,
    title: 'Token is not valid here',
    clause: 'TS 33.501 13.4.1.1.2',
    oauth: 'invalid_grant',
    challenge: 'invalid_token',
  },
  DPOP_PROOF_INVALID: {
    status: 401,
    title: 'Proof of the key of the token is not valid',
    clause: 'RFC 9449 7.1',
    oauth: 'invalid_dpop_proof',
    challenge: 'invalid_dpop_proof',
  },
  AUTHENTICATION_METHOD_NOT_ACCEPTED: {
    status: 401,
    title: 'No authentication method in common',
    clause: 'TS 33.558 6.2',
    challenge: '',
  },
  ASSERTION_INVALID: {
    status: 401,
    title: 'Assertion does not authenticate the client',
    clause: 'RFC 7523 3.2',
    oauth: 'invalid_client',
    challenge: 'invalid_token',
  },
  ONBOARDING_TOKEN_INVALID: {
    status: 401,
    title: 'Onboarding token is not valid',
    clause: 'TR 33.839 6.Y.2 step 4',
    challenge: 'invalid_token',
  },
  ONBOARDING_TOKEN_USED: {
    status: 401,
    title: 'Onboarding token was used before',
    clause: 'TR 33.839 6.Y.2 step 4',
    challenge: 'invalid_token',
  },
  CERTIFICATE_NOT_ACCEPTED: {
    status: 401,
    title: 'Client certificate is not accepted',
    clause: 'TS 33.501 13.1.0',
    oauth: 'invalid_client',
    challenge: '',
  },
  CERTIFICATE_REVOKED: {
    status: 401,
    title: 'Client certificate is revoked',
    clause: 'TS 33.310 6.1.3c',
    oauth: 'invalid_client',
    challenge: '',
  },
  INSUFFICIENT_SCOPE: {
    status: 403,
    title: 'Token does not cover this operation',
    clause: 'TS 33.501 13.4.1.1.2',
    challenge: 'insufficient_scope',
  },
  POLICY_DENIED: {
    status: 403,
    title: 'Policy does not allow this operation',
    clause: 'TS 33.501 13.3.0',
    oauth: 'unauthorized_client',
  },

  // onboarding and registration
  EES_NOT_ENTITLED: { status: 403, title: 'Token does not entitle this EES', clause: 'TR 33.839 6.Y.2 step 4' },
  PROOF_OF_POSSESSION_FAILED: {
    status: 403,
    title: 'Possession of the private key is not proven',
    clause: 'RFC 2986 4.2',
  },
  CERTIFICATION_REQUEST_MALFORMED: {
    status: 400,
    title: 'Certification request is not well formed',
    clause: 'RFC 2986 4',
  },
  PUBLIC_KEY_NOT_ACCEPTED: { status: 400, title: 'Public key is not acceptable', clause: 'TS 33.310 6.1.3c' },
  PUBLIC_KEY_IN_USE: { status: 409, title: 'Public key belongs to another registration', clause: 'THREATS ON-04' },
  EES_ALREADY_REGISTERED: { status: 409, title: 'This EES is registered already', clause: 'TS 29.558 8.1' },
  REGISTRATION_NOT_FOUND: { status: 404, title: 'No such registration', clause: 'TS 29.558 8.1' },
  MODIFICATION_NOT_ALLOWED: { status: 403, title: 'This member cannot be changed', clause: 'TS 29.500 5.2.7.2' },
  AUTHORITY_STAGE: { status: 409, title: 'Not at this stage of the roll-over', clause: 'RFC 4210 4.4' },

  // the subscriber and its authentication
  AUTHENTICATION_REJECTED: {
    status: 403,
    title: 'The subscriber cannot be authenticated',
    clause: 'TS 29.503 6.3.7.3',
  },
  CONTEXT_NOT_FOUND: { status: 404, title: 'No such authentication', clause: 'TS 29.509 6.1.7.3' },
  INVALID_HN_PUBLIC_KEY_IDENTIFIER: {
    status: 403,
    title: 'Home network public key identifier is not valid',
    clause: 'TS 29.503 6.3.7.3',
  },
  INVALID_SCHEME_OUTPUT: { status: 403, title: 'Scheme output of the SUCI is not valid', clause: 'TS 29.503 6.3.7.3' },
  SERVING_NETWORK_NOT_AUTHORIZED: {
    status: 403,
    title: 'The caller does not speak for this serving network',
    clause: 'TS 33.501 6.1.2',
  },
  SUBSCRIBER_EXISTS: { status: 409, title: 'The subscriber exists', clause: 'ours' },
  UNSUPPORTED_PROTECTION_SCHEME: {
    status: 501,
    title: 'Protection scheme is not supported',
    clause: 'TS 29.503 6.3.7.3',
  },
  USER_NOT_FOUND: { status: 404, title: 'No such subscriber', clause: 'TS 29.503 6.3.7.3' },

  // the entitlement configuration server
  ENTITLEMENT_VERSION_UNSUPPORTED: {
    status: 406,
    title: 'Version of service entitlement is not supported',
    clause: 'GSMA TS.43 2.12',
  },
  EAP_EXCHANGE_INVALID: {
    status: 401,
    title: 'EAP packet answers no open challenge',
    clause: 'GSMA TS.43 2.8.1',
    challenge: '',
  },
  TEMPORARY_TOKEN_INVALID: {
    status: 401,
    title: 'Temporary token is not valid',
    clause: 'GSMA TS.43 2.8.6',
    challenge: 'invalid_token',
  },
  NOT_ENTITLED: { status: 403, title: 'The subscription does not entitle to this', clause: 'TR 33.739 6.25.2' },
  EEC_ID_IN_USE: { status: 409, title: 'The EEC ID is that of another subscriber', clause: 'TS 23.558 7.2.2' },
  SIGNING_KEY_NOT_ACCEPTED: { status: 409, title: 'The certificate is not for the key', clause: 'ours' },
  AUTHENTICATION_REQUIRED: { status: 511, title: 'Full authentication is required', clause: 'GSMA TS.43 2.8' },

  // the key of the edge
  ECS_NOT_AUTHORIZED: { status: 403, title: 'The caller gets no key of the edge', clause: 'TR 33.839 6.x.2.1 step 5' },
  EEC_MISMATCH: { status: 403, title: 'Request names another EEC than the credential', clause: 'TS 33.558 6.2' },
  KEDGE_NOT_FOUND: { status: 404, title: 'No Kedge under this Kedge ID', clause: 'TR 33.839 6.x.2.1 step 6' },

  // the services of an EES
  EAS_MISMATCH: { status: 403, title: 'Request names another EAS than the credential', clause: 'THREATS RS-03' },
  EEC_CONTEXT_MOVING: { status: 409, title: 'The context of the EEC is being relocated', clause: 'TS 23.558 8.9.2' },
  EEC_CONTEXT_NOT_FOUND: { status: 404, title: 'No such EEC context', clause: 'TS 23.558 8.9.2' },
  EES_MISMATCH: { status: 403, title: 'Request names another EES than the credential', clause: 'THREATS RS-02' },
  NOTIFICATION_URI_NOT_ACCEPTED: {
    status: 400,
    title: 'Notifications cannot be sent to this address',
    clause: 'THREATS HT-06',
  },
  SUBSCRIPTION_NOT_FOUND: { status: 404, title: 'No such subscription', clause: 'TS 29.500 5.2.7.2' },

  // the token endpoint
  UNSUPPORTED_GRANT_TYPE: {
    status: 400,
    title: 'Grant type is not supported',
    clause: 'RFC 6749 5.2',
    oauth: 'unsupported_grant_type',
  },
  SCOPE_NOT_GRANTED: { status: 400, title: 'Scope is not granted', clause: 'RFC 6749 5.2', oauth: 'invalid_scope' },
  CLIENT_MISMATCH: {
    status: 401,
    title: 'Request names another client than the certificate',
    clause: 'TS 33.501 13.4.1.1.2',
    oauth: 'invalid_client',
  },
  FORWARDING_INVALID: {
    status: 400,
    title: 'Forwarded request is not valid here',
    clause: 'TS 33.501 13.4.1.1.3',
    oauth: 'invalid_grant',
  },
  FORWARDING_LOOP: {
    status: 400,
    title: 'Request has been forwarded too often',
    clause: 'TS 33.501 13.4.1.1.3',
    oauth: 'invalid_request',
  },
  PEER_ANSWER_NOT_ACCEPTED: {
    status: 502,
    title: 'Another ECS answered something else',
    clause: 'THREATS FW-06',
    oauth: 'server_error',
  },
  PEER_NOT_AVAILABLE: {
    status: 503,
    title: 'Another ECS is not available now',
    clause: 'THREATS FW-08',
    oauth: 'temporarily_unavailable',
  },
  PEER_NOT_FOUND: { status: 404, title: 'No such ECS among the peers', clause: 'ours' },
  TRUST_BUNDLE_INVALID: { status: 502, title: 'Trust bundle of another ECS is not valid', clause: 'ours' },
  SIGNING_KEY_NOT_FOUND: { status: 404, title: 'No such signing key', clause: 'TS 33.501 14.3.3' },

  // our side
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests', clause: 'RFC 6585 4' },
  SYSTEM_FAILURE: { status: 500, title: 'System failure', clause: 'TS 29.500 5.2.7.2' },
  NF_CONGESTION: {
    status: 503,
    title: 'Not available now',
    clause: 'TS 29.500 5.2.7.2',
    oauth: 'temporarily_unavailable',
  },
  QUOTA_EXCEEDED: { status: 507, title: 'No room for more', clause: 'THREATS HT-11' },
} as const satisfies Record<string, ErrorRow>

interface ErrorRow {
  readonly status: number
  readonly title: string
  readonly clause: string
  readonly oauth?: string
  readonly challenge?: '' | 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof'
}

export type ApplicationError = keyof typeof APPLICATION_ERRORS

/** The table's row, with its optional members visible whatever the code. */
export function errorRow(code: ApplicationError): ErrorRow {
  return APPLICATION_ERRORS[code]
}

/** Whether a `cause` that came over the wire is one of ours. */
export function isApplicationError(cause: string | undefined): cause is ApplicationError {
  return cause !== undefined && Object.hasOwn(APPLICATION_ERRORS, cause)
}
