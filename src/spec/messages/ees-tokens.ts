import { type Static, Type } from 'typebox'
import { EasDiscoverySubscription } from './eas-discovery.ts'
import { listOf, matching } from './forms.ts'
import { ECSServProvResp, ECSServProvSubscription } from './service-provisioning.ts'

/** Ours in Eecs_ServiceProvisioning, beside what TS 24.558 has, and only for who asks with the feature bits. */

/**
 * A token for one EES (TS 33.558 6.2), bound to the EEC's key (RFC 9449): the members of RFC 6749 5.1, in the style of
 * 3GPP.
 */
export const EesToken = Type.Object({
  eesId: Type.String(),
  /** FQDN of the EES */
  audience: Type.String(),
  accessToken: Type.String(),
  tokenType: Type.Literal('DPoP'),
  /** seconds */
  expiresIn: Type.Integer({ minimum: 1 }),
  scope: Type.String(),
})
export type EesToken = Static<typeof EesToken>

export const ECSServProvRespWithTokens = Type.Object({
  ...ECSServProvResp.properties,
  eesTokens: Type.Optional(listOf(EesToken)),
})
export type ECSServProvRespWithTokens = Static<typeof ECSServProvRespWithTokens>

/** What the subscriber wants to see in each callback, as `Authorization: Bearer`: 128 bits at least (THREATS HT-07). */
export const NotificationSecret = matching(/^[A-Za-z0-9_-]{22,128}$/)

export const ServProvSubscriptionWithSecret = Type.Object({
  ...ECSServProvSubscription.properties,
  notificationSecret: Type.Optional(NotificationSecret),
})
export type ServProvSubscriptionWithSecret = Static<typeof ServProvSubscriptionWithSecret>

/** The same in Eees_EASDiscovery. */
export const EasDiscoverySubscriptionWithSecret = Type.Object({
  ...EasDiscoverySubscription.properties,
  notificationSecret: Type.Optional(NotificationSecret),
})
export type EasDiscoverySubscriptionWithSecret = Static<typeof EasDiscoverySubscriptionWithSecret>
