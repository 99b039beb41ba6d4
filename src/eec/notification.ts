import type { Static } from 'typebox'
import { readCertificate, readCertificateList } from '../certificates/certificate.ts'
import { checkChain } from '../certificates/chain.ts'
import { bearerToken } from '../http/bearer-token.ts'
import { parseJsonContent } from '../http/content.ts'
import { isOfSchema } from '../http/schema.ts'
import { sameOctets, sha256 } from '../octets/digest.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { EasDiscoveryNotification } from '../spec/messages/eas-discovery.ts'
import { ServProvNotification } from '../spec/messages/service-provisioning.ts'
import { refuseUnless } from '../spec/refusal.ts'

/** What each kind of server tells: of EESs in Eecs_ServiceProvisioning, of EASs in Eees_EASDiscovery. */
const NOTIFICATIONS = { ecs: ServProvNotification, ees: EasDiscoveryNotification } as const

export type Notifier = keyof typeof NOTIFICATIONS
export type NotificationOf<Role extends Notifier> = Static<(typeof NOTIFICATIONS)[Role]>

/** A callback as it came in. */
export interface ReceivedNotification {
  /** DER, the sender's own first: what the TLS connection was authenticated with; none if it was not */
  readonly certificates: readonly Buffer[]
  /** the header */
  readonly authorization: string | undefined
  readonly content: Uint8Array
}

/** By what a subscriber knows the notifications of its subscription. */
export interface NotificationExpectation<Role extends Notifier = Notifier> {
  readonly role: Role
  /** the server that was subscribed at */
  readonly server: Fqdn
  /** PEM: the root of its certificate */
  readonly root: string
  /** `notificationSecret` of the subscription */
  readonly secret: string
}

/**
 * TS 24.558 5.3.2.5, TS 23.558 8.5.2.3, at the receiver: what the server tells, if it is the one that was subscribed at,
 * and if it tells it to this very subscriber (THREATS HT-07). Nothing of the content is read before both are known.
 *
 * @param now - milliseconds since 1970
 * @throws Refusal CREDENTIAL_MISSING, CERTIFICATE_NOT_ACCEPTED or TOKEN_INVALID, to be answered with 401;
 *   INVALID_MSG_FORMAT or MANDATORY_IE_INCORRECT
 */
export function acceptNotification<Role extends Notifier>(
  { certificates, authorization, content }: ReceivedNotification,
  { role, server, root, secret }: NotificationExpectation<Role>,
  now: number,
): NotificationOf<Role> {
  const [leaf, ...intermediates] = certificates.map((der) => readCertificate(der))
  refuseUnless(leaf, 'CREDENTIAL_MISSING', 'a client certificate is required')
  const isOfServer = leaf.subjectAltNames.dnsNames.includes(server)
  refuseUnless(isOfServer, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate is not of the server that was subscribed at')
  checkChain({ leaf, intermediates, anchors: readCertificateList(root), role, now })
  const shown = bearerToken(authorization)
  // Of equal length whatever is shown, so that the comparison takes the same time.
  refuseUnless(sameOctets(sha256(shown), sha256(secret)), 'TOKEN_INVALID', 'the secret is of another subscription')
  const notification = parseJsonContent(content)
  const isOne = isOfSchema(NOTIFICATIONS[role], notification)
  refuseUnless(isOne, 'MANDATORY_IE_INCORRECT', 'the content is not a notification of this kind')
  return notification
}
