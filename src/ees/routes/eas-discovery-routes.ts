import { created, noContent, ok, type Route, routesOf } from '../../http/route.ts'
import { isOfSchema } from '../../http/schema.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { EasDiscoveryReq, EasDiscoverySubscriptionPatch } from '../../spec/messages/eas-discovery.ts'
import { EasDiscoverySubscriptionWithSecret } from '../../spec/messages/ees-tokens.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { type DiscoveryPorts, discoverForEec, discoverForEes } from '../eas-discovery/discover-eas.ts'
import {
  modifySubscription,
  replaceSubscription,
  type SubscriptionPorts,
  subscribe,
  toMessage,
  unsubscribe,
} from '../eas-discovery/subscriptions.ts'
import type { EesPeers } from '../peers.ts'

const route = routesOf<EesPeers>()

/** On the `server` listener: Eees_EASDiscovery (TS 24.558) for EECs. */
export function eecDiscoveryRoutes(ees: DiscoveryPorts, subscriptions: SubscriptionPorts): Route<EesPeers>[] {
  return [
    route({
      operation: OPERATIONS.GetEASDiscInfo,
      credential: 'eec',
      content: { mediaType: 'application/json', schema: EasDiscoveryReq },
      async handle({ peer, body }) {
        return ok(discoverForEec(ees, peer, body))
      },
    }),
    route({
      operation: OPERATIONS.CreateEASDiscSub,
      credential: 'eec',
      content: { mediaType: 'application/json', schema: EasDiscoverySubscriptionWithSecret },
      async handle({ peer, body, path }) {
        const message = onlyKnownMembers(EasDiscoverySubscriptionWithSecret, body, isOfSchema)
        const subscription = await subscribe(subscriptions, peer, message)
        return created(`${path}/${subscription.subscriptionId}`, toMessage(subscription))
      },
    }),
    route({
      operation: OPERATIONS.UpdateIndEASDiscSub,
      credential: 'eec',
      content: { mediaType: 'application/json', schema: EasDiscoverySubscriptionWithSecret },
      async handle({ peer, body, params }) {
        const message = onlyKnownMembers(EasDiscoverySubscriptionWithSecret, body, isOfSchema)
        return ok(toMessage(await replaceSubscription(subscriptions, peer, params['subscriptionId'], message)))
      },
    }),
    route({
      operation: OPERATIONS.ModifyIndEASDiscSub,
      credential: 'eec',
      content: { mediaType: 'application/merge-patch+json', schema: EasDiscoverySubscriptionPatch },
      async handle({ peer, body, params }) {
        const patch = onlyKnownMembers(EasDiscoverySubscriptionPatch, body, isOfSchema)
        return ok(toMessage(await modifySubscription(subscriptions, peer, params['subscriptionId'], patch)))
      },
    }),
    route({
      operation: OPERATIONS.DeleteIndEASDiscSub,
      credential: 'eec',
      async handle({ peer, params }) {
        await unsubscribe(subscriptions, peer, params['subscriptionId'])
        return noContent()
      },
    }),
  ]
}

/** On the `mtls` listener: Eees_EASDiscovery for EESs (EDGE-9). */
export function eesDiscoveryRoute(ees: DiscoveryPorts): Route<EesPeers> {
  return route({
    operation: OPERATIONS.GetEASDiscInfo,
    credential: 'token',
    content: { mediaType: 'application/json', schema: EasDiscoveryReq },
    async handle({ peer, body }) {
      return ok(discoverForEes(ees, peer, body))
    },
  })
}
