import type { Notifier } from '../../http/notifier.ts'
import { fqdnOf } from '../../http/origin.ts'
import { eecIdTag } from '../../octets/eec-id-tag.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import type { EECContext } from '../../spec/messages/eec-context-relocation.ts'
import {
  outcomeOf,
  processPullResponse,
  processPushResponse,
  pullRequest,
  pushRequest,
  RELOCATION_SCOPE,
} from '../context-relocation/context-exchange.ts'
import type { ContextPorts } from '../context-relocation/receive-context.ts'
import type { PushOutcome, RelocationPorts } from '../context-relocation/relocate-context.ts'
import type { SubscriptionPorts } from '../eas-discovery/subscriptions.ts'
import type { EasRegistrationPorts } from '../eas-registration/register-eas.ts'
import type { EecRegistrationPorts } from '../eec-registration/register-eec.ts'
import type { EasStore } from './eas-store.ts'
import type { EecStore } from './eec-store.ts'
import type { ServicesOptions } from './open-services.ts'
import type { SubscriptionStore } from './subscription-store.ts'

const SHARED = { now: systemClock.now, newId: systemRandom.uuid }

export function eecRegistrationPorts(options: ServicesOptions, eecs: EecStore): EecRegistrationPorts {
  return {
    ...SHARED,
    longest: options.configuration.lifetimes.eec * 1000,
    findByEecId: eecs.findByEecId,
    findByRegistrationId: eecs.findByRegistrationId,
    insert: (registration) => eecs.insert(registration),
    update: (next) => eecs.update(next),
    remove: (registration) => eecs.remove(registration),
    fetchContext: (...asked) => fetchContext(options, ...asked),
  }
}

export function easRegistrationPorts({ configuration }: ServicesOptions, eass: EasStore): EasRegistrationPorts {
  return {
    ...SHARED,
    longest: configuration.lifetimes.eas * 1000,
    findByEasId: eass.findByEasId,
    findByRegistrationId: eass.findByRegistrationId,
    keep: (registration) => eass.keep(registration),
    remove: (registration) => eass.remove(registration),
  }
}

export function subscriptionPorts(
  { configuration }: ServicesOptions,
  subscriptions: SubscriptionStore,
  notifier: Notifier,
): SubscriptionPorts {
  return {
    ...SHARED,
    longest: configuration.lifetimes.subscription * 1000,
    checkUri: notifier.check,
    find: (subscriptionId) => subscriptions.find(subscriptionId),
    insert: (subscription, secret) => subscriptions.insert(subscription, secret),
    update: (next, secret) => subscriptions.update(next, secret),
    remove: (subscription) => subscriptions.remove(subscription),
  }
}

export function contextPorts(
  { configuration }: ServicesOptions,
  eecs: EecStore,
  subscriptions: SubscriptionStore,
): ContextPorts {
  return {
    ...SHARED,
    longest: configuration.lifetimes.eec * 1000,
    eecInToken: configuration.relocation.eecInToken,
    findByEecId: eecs.findByEecId,
    findByContextId: eecs.findByContextId,
    findReceived: (source, contextId) => eecs.findReceived(source, contextId),
    insert: (registration, received) => eecs.insert(registration, received),
    update: (next, received) => eecs.update(next, received),
    subscriptionsOf: (eecId) => subscriptions.ofEec(eecId),
  }
}

export function relocationPorts(
  options: ServicesOptions,
  eecs: EecStore,
  subscriptions: SubscriptionStore,
): RelocationPorts {
  return {
    findByEecId: eecs.findByEecId,
    moving: () => eecs.moving(),
    update: (next) => eecs.update(next),
    forget: (moved, target) => eecs.forget(moved, target),
    subscriptionsOf: (eecId) => subscriptions.ofEec(eecId),
    push: (...asked) => push(options, ...asked),
  }
}

async function push(
  { registration }: ServicesOptions,
  origin: string,
  context: EECContext,
  isRepeated: boolean,
): Promise<PushOutcome> {
  const { eecId } = context
  const target = fqdnOf(origin)
  let sent = false
  try {
    // By itself first: without a token nothing has left.
    await registration.token({ scope: RELOCATION_SCOPE, eecId, ...(target !== undefined && { target }) })
    sent = true
    const message = pushRequest(registration.record.fqdn, context)
    const response = await registration.request(origin, message, { scope: RELOCATION_SCOPE, eecId })
    return { is: 'acknowledged', answer: processPushResponse(response) }
  } catch (error) {
    return outcomeOf(error, { isRepeated, sent })
  }
}

/** Without it the EEC is registered all the same: it says everything that it knows itself. */
async function fetchContext(
  { configuration, registration, log }: ServicesOptions,
  srcEesId: string,
  contextId: string,
  eecId: string,
): Promise<EECContext | undefined> {
  const { sources } = configuration.relocation
  const origin = Object.hasOwn(sources, srcEesId) ? sources[srcEesId] : undefined
  if (origin === undefined) return undefined
  try {
    const message = pullRequest(registration.record.fqdn, contextId)
    const response = await registration.request(origin, message, { scope: RELOCATION_SCOPE, eecId })
    return processPullResponse(response, eecId)
  } catch (error) {
    log.warn({ eec: eecIdTag(eecId), reason: String(error) }, 'the context could not be fetched')
    return undefined
  }
}
