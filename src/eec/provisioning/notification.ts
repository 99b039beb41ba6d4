import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { bearerToken } from '../../http/bearer-token.ts'
import { parseJsonContent } from '../../http/content.ts'
import { isOfSchema } from '../../http/schema.ts'
import { sameOctets, sha256 } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { ServProvNotification } from '../../spec/messages/service-provisioning.ts'
import { refuseUnless } from '../../spec/refusal.ts'

/** A callback as it came in. */
export interface ReceivedNotification {
  /** DER, the sender's own first: what the TLS connection was authenticated with; none if it was not */
  readonly certificates: readonly Buffer[]
  /** the header */
  readonly authorization: string | undefined
  readonly content: Uint8Array
}

export interface NotificationExpectation {
  /** the ECS that was subscribed at */
  readonly ecs: Fqdn
  readonly anchors: readonly Certificate[]
  /** `notificationSecret` of the subscription */
  readonly secret: string
  /** milliseconds since 1970 */
  readonly now: number
}

/**
 * TS 24.558 5.3.2.5, at the receiver: what the ECS tells, if it is the ECS, and if it tells it to this very subscriber
 * (THREATS HT-07). Nothing of the content is read before both are known.
 *
 * @throws Refusal CREDENTIAL_MISSING, CERTIFICATE_NOT_ACCEPTED or TOKEN_INVALID, to be answered with 401;
 *   INVALID_MSG_FORMAT or MANDATORY_IE_INCORRECT
 */
export function acceptNotification(
  { certificates, authorization, content }: ReceivedNotification,
  { ecs, anchors, secret, now }: NotificationExpectation,
): ServProvNotification {
  const [leaf, ...intermediates] = certificates.map((der) => readCertificate(der))
  refuseUnless(leaf, 'CREDENTIAL_MISSING', 'a client certificate is required')
  const isOfEcs = leaf.subjectAltNames.dnsNames.includes(ecs)
  refuseUnless(isOfEcs, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate is not of the ECS')
  checkChain({ leaf, intermediates, anchors, role: 'ecs', now })
  const shown = bearerToken(authorization)
  // Of equal length whatever is shown, so that the comparison takes the same time.
  refuseUnless(sameOctets(sha256(shown), sha256(secret)), 'TOKEN_INVALID', 'the secret is of another subscription')
  const notification = parseJsonContent(content)
  const isOne = isOfSchema(ServProvNotification, notification)
  refuseUnless(isOne, 'MANDATORY_IE_INCORRECT', 'the content is not a notification of service provisioning')
  return notification
}
