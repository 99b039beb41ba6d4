import { type Static, Type } from 'typebox'
import { EESRegistration } from './ees-registration.ts'
import { closedEnum, matching } from './forms.ts'
import { DateTime } from './ts29571/basic-types.ts'

/**
 * What onboarding adds to Eecs_EESRegistration: ours (D-4), for TR 33.839 6.Y.2 steps 3 and 5. The first registration
 * of an EES carries `onboardingInformation` beside `eesProf`, both ways, if both sides support EDGEWARD_ONBOARDING.
 * The onboarding token is not in it: it travels as bearer token (D-2).
 */

const absent = Type.Optional(Type.Never())
const httpsUri = matching(/^https:\/\/[\x21-\x7e]{1,2040}$/)

/** Base64 of a P-256 or P-384 coordinate without padding: 32 or 48 octets. */
const coordinate = matching(/^([A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{64})$/)

/** A public signature key (RFC 7518 6.2.1). With `d` it would be a private one, which nobody sends. */
const PublicKeyJwk = Type.Object({
  kty: closedEnum(['EC']),
  crv: closedEnum(['P-256', 'P-384']),
  x: coordinate,
  y: coordinate,
  d: absent,
  use: Type.Optional(closedEnum(['sig'])),
  alg: Type.Optional(closedEnum(['ES256', 'ES384'])),
  kid: Type.Optional(Type.String()),
})

/** The key that the EES has made, with the proof that it holds the private half (D-3). */
export const OnboardingInformation = Type.Union([
  Type.Object({
    /** PKCS #10 (RFC 2986): PEM, or base64 of the DER; at most 16 KiB of DER */
    csr: Type.String({
      pattern:
        /^(-----BEGIN CERTIFICATE REQUEST-----\r?\n)?[A-Za-z0-9+/=\r\n]+(-----END CERTIFICATE REQUEST-----(\r?\n)?)?$/
          .source,
      maxLength: 24_576,
    }),
    publicKey: absent,
    proof: absent,
  }),
  Type.Object({
    csr: absent,
    publicKey: PublicKeyJwk,
    /** compact JWS by that key; only the profile `literal` does without */
    proof: Type.Optional(
      Type.String({ pattern: /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.source, maxLength: 8192 }),
    ),
  }),
])
export type OnboardingInformation = Static<typeof OnboardingInformation>

/**
 * Where the EES goes from here, and whom it believes. It came with one address, of a listener that asks for no
 * certificate, and with a root: with this it needs no other configuration, neither to renew its certificate
 * nor to check the tokens that clients show it.
 */
export const AuthInfo = Type.Object({
  /** where the APIs of EDGE-6 are, for a client with its certificate (TS 29.501 4.4.1) */
  apiRoot: httpsUri,
  /** the `iss` of every token that the EES accepts from clients, and the only one */
  issuer: Type.String({ minLength: 1, maxLength: 2048 }),
  /** the keys of that issuer (RFC 7517 5) */
  jwksUri: httpsUri,
  /** RFC 7030 3.2.2, without the operation: `/simplereenroll` follows */
  estUrl: httpsUri,
  /** also in the certificate, but needed before there is one to check */
  crlUrl: httpsUri,
  /** from when on the ECS renews the certificate: two thirds of its life (D-7) */
  renewAfter: DateTime,
  /** absent if this ECS authorizes by policy alone (D-10); then there is no token below either */
  tokenEndpoint: Type.Optional(httpsUri),
  /** what the EES may ask a token for, and what `accessToken` is good for */
  scope: Type.Optional(matching(/^([a-zA-Z0-9_:-]+)( [a-zA-Z0-9_:-]+)*$/)),
})
export type AuthInfo = Static<typeof AuthInfo>

const onboarded = {
  registrationId: Type.String({ format: 'uuid' }),
  /** PEM, the certificate of the EES first, the root left out */
  eesCertificate: Type.String({ minLength: 1, maxLength: 65_536 }),
  authInfo: AuthInfo,
}

/** What the ECS answers: step 5, "and may generate a token". */
export const OnboardingResult = Type.Union([
  Type.Object({
    ...onboarded,
    /** bound to the certificate (RFC 8705 3), for the first request after this one */
    accessToken: Type.String({ minLength: 1, maxLength: 8192 }),
    tokenType: closedEnum(['Bearer']),
    /** seconds */
    expiresIn: Type.Integer({ minimum: 1 }),
  }),
  Type.Object({ ...onboarded, accessToken: absent, tokenType: absent, expiresIn: absent }),
])
export type OnboardingResult = Static<typeof OnboardingResult>

/** Members that a request must not set (THREATS ON-13). */
export const MEMBERS_OF_THE_ECS = [...Object.keys(onboarded), 'accessToken', 'tokenType', 'expiresIn'] as const

export const EESRegistrationReq = Type.Object({
  ...EESRegistration.properties,
  onboardingInformation: Type.Optional(OnboardingInformation),
})
export type EESRegistrationReq = Static<typeof EESRegistrationReq>

export const EESRegistrationResp = Type.Object({
  ...EESRegistration.properties,
  onboardingInformation: Type.Optional(OnboardingResult),
})
export type EESRegistrationResp = Static<typeof EESRegistrationResp>
