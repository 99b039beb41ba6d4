/**
 * `edgeward/eec`: what a maker of device applications puts into an EEC. Authentication at an ECS with the key of the UE,
 * and service provisioning on the connection that comes of it.
 */
export { type Message, PeerUnavailable, type Resolve, type Response } from '../http/client.ts'
export { AnswerNotAccepted, RefusedByServer } from '../http/response.ts'
export type { Arrow, Progress } from '../ports/progress.ts'
export type { ECSServProvReq, ECSServProvResp, EESInfo } from '../spec/messages/service-provisioning.ts'
export { authenticate, type EecOptions } from './adapters/open-eec.ts'
export type { Ecs } from './authentication/by-kedge.ts'
export { type EecCredential, readCredential } from './credential.ts'
export { AuthenticationStepFailed, NotUsable } from './errors.ts'
export type { ProvisioningWishes } from './provisioning/service-provisioning.ts'
export type { EcsSession } from './session.ts'
