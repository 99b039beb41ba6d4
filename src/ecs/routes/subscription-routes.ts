import { created, noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { isOfSchema } from '../../http/schema.ts'
import type { EcsMethod } from '../../spec/authentication-methods.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { ServProvSubscriptionWithSecret } from '../../spec/messages/ees-tokens.ts'
import { ECSServProvSubscriptionPatch } from '../../spec/messages/service-provisioning.ts'
import type { EcsPeers } from '../peers.ts'
import {
  modifySubscription,
  replaceSubscription,
  type SubscriptionPorts,
  subscribe,
  unsubscribe,
} from '../provisioning/subscriptions.ts'
import { withMethods } from './eec-answer.ts'
import { type EecCredential, PROVISIONING } from './provisioning-routes.ts'

const route = routesOf<EcsPeers>()

export interface SubscriptionRoutePorts extends SubscriptionPorts {
  readonly offered: readonly EcsMethod[]
}

/** Eecs_ServiceProvisioning, subscriptions: EDGE-4, for an EEC that has authenticated in whatever way. */
export function subscriptionRoutes(ecs: SubscriptionRoutePorts, credential: EecCredential): Route<EcsPeers>[] {
  const whole = { mediaType: 'application/json', schema: ServProvSubscriptionWithSecret } as const
  return [
    route({
      operation: PROVISIONING.CreateServProvSub,
      credential,
      content: whole,
      async handle({ peer, body, path }) {
        const sent = onlyKnownMembers(ServProvSubscriptionWithSecret, body, isOfSchema)
        const { subscriptionId, message } = await subscribe(ecs, peer, sent)
        return withMethods(ecs.offered, peer, created(`${path}/${subscriptionId}`, message))
      },
    }),
    route({
      operation: PROVISIONING.UpdateIndServProvSub,
      credential,
      content: whole,
      async handle({ peer, body, params }) {
        const sent = onlyKnownMembers(ServProvSubscriptionWithSecret, body, isOfSchema)
        const { message } = await replaceSubscription(ecs, peer, params['subscriptionId'], sent)
        return withMethods(ecs.offered, peer, ok(message))
      },
    }),
    route({
      operation: PROVISIONING.ModifyIndServProvSub,
      credential,
      content: { mediaType: 'application/merge-patch+json', schema: ECSServProvSubscriptionPatch },
      async handle({ peer, body, params }) {
        const patch = onlyKnownMembers(ECSServProvSubscriptionPatch, body, isOfSchema)
        const { message } = await modifySubscription(ecs, peer, params['subscriptionId'], patch)
        return withMethods(ecs.offered, peer, ok(message))
      },
    }),
    route({
      operation: PROVISIONING.DeleteIndServProvSub,
      credential,
      async handle({ peer, params }) {
        await unsubscribe(ecs, peer, params['subscriptionId'])
        return withMethods(ecs.offered, peer, noContent())
      },
    }),
  ]
}
