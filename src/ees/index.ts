/**
 * `edgeward/ees`: what a vendor puts into an EES. Onboarding from a bundle, a certificate that renews itself, tokens for
 * other EESs, and a guard before one's own services.
 */
export { type Message, PeerUnavailable, type Resolve, type Response } from '../http/client.ts'
export { AnswerNotAccepted, RefusedByServer } from '../http/response.ts'
export type { EESProfile, EESRegistration, EESRegistrationPatch } from '../spec/messages/ees-registration.ts'
export { Refusal } from '../spec/refusal.ts'
export { callerOf, guardFastify } from './adapters/guard-fastify.ts'
export { guardHttp2 } from './adapters/guard-http2.ts'
export { keepAlive } from './adapters/keep-alive.ts'
export { type EesGuard, type GuardOptions, openGuard } from './adapters/open-guard.ts'
export { onboard, openRegistration, type SdkOptions } from './adapters/open-registration.ts'
export { NotUsable } from './errors.ts'
export type { Caller } from './guard/guard.ts'
export { type OnboardingBundle, readBundle } from './onboarding/bundle.ts'
export type { OnboardingStore, Presentation } from './onboarding/onboard-ees.ts'
export type { KeepingObserver } from './registration/keep-registered.ts'
export type { EesCredential, RegistrationRecord, StoredRegistration } from './registration/record.ts'
export type { Registration } from './registration/registration.ts'
export type { GrantedToken } from './registration/token-exchange.ts'
export { type EesServerOptions, type ServingEes, serveEes } from './server/serve-ees.ts'
