import { writeCertificationRequest } from '../../certificates/certification-request.ts'
import { writePem } from '../../certificates/pem.ts'
import type { Message, Response } from '../../http/client.ts'
import { isOriginOf, isUrlOf } from '../../http/origin.ts'
import { acceptIf, readJson, requireStatus } from '../../http/response.ts'
import { encodeBase64url } from '../../octets/base64url.ts'
import type { Signer } from '../../ports/signer.ts'
import { parseRegistrationId } from '../../spec/identifiers.ts'
import type { EESRegistration } from '../../spec/messages/ees-registration.ts'
import {
  type AuthInfo,
  type EESRegistrationReq,
  EESRegistrationResp,
  type OnboardingResult,
} from '../../spec/messages/onboarding-information.ts'
import { EDGEWARD_ONBOARDING, featuresOf } from '../../spec/supported-features.ts'
import { checkIssuedCertificate } from '../registration/issued-certificate.ts'
import type { RegistrationRecord } from '../registration/record.ts'
import type { GrantedToken } from '../registration/token-exchange.ts'
import type { OnboardingBundle } from './bundle.ts'

const REGISTRATIONS = '/eecs-eesregistration/v1/registrations'

/** What the EES says of itself, and the key that it wants certified. */
export interface Onboarding {
  readonly bundle: OnboardingBundle
  readonly registration: EESRegistration
  /** of the new key */
  readonly signer: Signer
}

/**
 * The first Eecs_EESRegistration of an EES (TS 29.558 9.1.2.3.1) with its onboarding information: TR 33.839 6.Y.2 step 3.
 *
 * @param channelBinding - of the very connection that the message will go on, so that its proof of possession is worth
 *   nothing on another (RFC 7030 3.5, THREATS ON-03)
 */
export async function onboardingRequest(
  { bundle, registration, signer }: Onboarding,
  channelBinding: Uint8Array,
): Promise<Message> {
  const csr = await writeCertificationRequest({
    fqdn: bundle.fqdn,
    signer,
    challengePassword: encodeBase64url(channelBinding),
  })
  const body: EESRegistrationReq = {
    ...registration,
    suppFeat: featuresOf([EDGEWARD_ONBOARDING]),
    onboardingInformation: { csr: writePem('CERTIFICATE REQUEST', csr) },
  }
  return {
    method: 'POST',
    path: REGISTRATIONS,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bundle.onboardingToken}` },
    body: JSON.stringify(body),
  }
}

/** What the EES has after step 5. */
export interface Onboarded {
  readonly record: RegistrationRecord
  /** PEM, the certificate of the EES first */
  readonly certificateChain: string
  /** for the first requests; an ECS that authorizes by policy alone gives none */
  readonly accessToken?: GrantedToken
}

/**
 * TR 33.839 6.Y.2 step 5, before anything of it is kept: the registration is of this EES, the certificate is for its
 * key and its name and comes from the root of the bundle, and every address is the ECS's own.
 *
 * @param now - milliseconds since 1970
 * @throws RefusedByServer, AnswerNotAccepted
 */
export function processOnboardingResponse(
  response: Response,
  { bundle, signer }: Pick<Onboarding, 'bundle' | 'signer'>,
  now: number,
): Onboarded {
  requireStatus(response, 201)
  const { onboardingInformation, ...registration } = readJson(response, EESRegistrationResp)
  acceptIf(onboardingInformation, 'the ECS has registered the EES, but not onboarded it')
  acceptIf(registration.eesProf.eesId === bundle.eesId, 'the registration is of another EES')
  const registrationId = checkRegistrationId(onboardingInformation, response, bundle)
  checkAddresses(onboardingInformation.authInfo, bundle)
  const { eesCertificate, authInfo } = onboardingInformation
  const publicKey = signer.publicKey
  checkIssuedCertificate(eesCertificate, { root: bundle.root, publicKey, fqdn: bundle.fqdn, registrationId }, now)

  const { etag } = response.headers
  return {
    record: {
      ecs: bundle.ecs,
      eesId: bundle.eesId,
      fqdn: bundle.fqdn,
      registrationId,
      registration,
      ...(etag !== undefined && { etag }),
      authInfo,
    },
    certificateChain: eesCertificate,
    ...accessTokenOf(onboardingInformation),
  }
}

/** Body, Location and (later) certificate name one registration. */
function checkRegistrationId({ registrationId }: OnboardingResult, { headers }: Response, { ecs }: OnboardingBundle) {
  const id = parseRegistrationId(registrationId)
  acceptIf(id, 'registrationId is not a version 4 UUID')
  const location = headers.location ?? ''
  const base = `${ecs.apiRoot}${REGISTRATIONS}`
  const named = URL.canParse(location, base) && new URL(location, base)
  acceptIf(
    named && isUrlOf(named.href, ecs.fqdn) && named.pathname === `${REGISTRATIONS}/${id}`,
    'Location names another registration',
  )
  return id
}

/** Where the EES will send its tokens and whom it will believe is no other server than the one it was told to trust. */
function checkAddresses(authInfo: AuthInfo, { ecs }: OnboardingBundle): void {
  const { apiRoot, issuer, jwksUri, estUrl, crlUrl, tokenEndpoint } = authInfo
  acceptIf(isOriginOf(apiRoot, ecs.fqdn), 'authInfo.apiRoot is not an origin of the ECS')
  acceptIf(issuer === ecs.fqdn || isUrlOf(issuer, ecs.fqdn), 'authInfo.issuer is not the ECS')
  for (const [name, url] of Object.entries({ jwksUri, estUrl, crlUrl, tokenEndpoint })) {
    acceptIf(url === undefined || isUrlOf(url, ecs.fqdn), `authInfo.${name} is not a URL of the ECS`)
  }
  // On any other listener the ECS could not see whose token is asked for, or whose certificate is renewed.
  for (const [name, url] of Object.entries({ estUrl, tokenEndpoint })) {
    const sameOrigin = url === undefined || new URL(url).origin === new URL(apiRoot).origin
    acceptIf(sameOrigin, `authInfo.${name} is not on the listener for mutual TLS`)
  }
}

function accessTokenOf({ accessToken, expiresIn, authInfo }: OnboardingResult): Pick<Onboarded, 'accessToken'> {
  if (accessToken === undefined || expiresIn === undefined || authInfo.scope === undefined) return {}
  return { accessToken: { accessToken, scope: authInfo.scope, expiresIn } }
}
