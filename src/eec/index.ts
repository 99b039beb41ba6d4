/**
 * `edgeward/eec`: what a maker of device applications puts into an EEC. Authentication at an ECS, with a key of the UE, a
 * certificate or a token of the operator's entitlement server; service provisioning; then registration and discovery at the
 * EESs; subscriptions at both, and what comes of them.
 */
export { type Message, PeerUnavailable, type Resolve, type Response } from '../http/client.ts'
export { AnswerNotAccepted, RefusedByServer } from '../http/response.ts'
export type { Arrow, Progress } from '../ports/progress.ts'
export type { EcsMethod, EesMethod } from '../spec/authentication-methods.ts'
export type { DiscoveredEas, EasDiscoveryResp } from '../spec/messages/eas-discovery.ts'
export type { EECRegistration, EECRegistrationPatch } from '../spec/messages/eec-registration.ts'
export type { ECSServProvReq, ECSServProvResp, EESInfo } from '../spec/messages/service-provisioning.ts'
export { Refusal } from '../spec/refusal.ts'
export { peerCertificates } from '../tls/connection.ts'
export { authenticate, type EecOptions, type EntitlementServer } from './adapters/open-eec.ts'
export type { Ecs } from './authentication/authenticated-connection.ts'
export { type EecCredential, readCredential } from './credential.ts'
export type { DiscoveryWishes, EecRegistered, RegistrationWishes } from './ees/ees-messages.ts'
export type { Ees, EesSession } from './ees/ees-session.ts'
export type { EesOptions } from './ees/open-ees.ts'
export { AuthenticationStepFailed, NotUsable } from './errors.ts'
export { acceptNotification, type NotificationExpectation, type ReceivedNotification } from './notification.ts'
export type { ProvisioningOptions, ProvisioningWishes } from './provisioning/service-provisioning.ts'
export type { EcsSession } from './session.ts'
export type { Subscribed, Subscriptions, SubscriptionWishes } from './subscriptions.ts'
