import { checkEecId, checkUeId, type EecIdentity } from '../../eec-authentication/eec-identity.ts'
import type {
  EasDiscoveryNotification,
  EasDiscoverySubscription,
  EasDiscoverySubscriptionPatch,
} from '../../spec/messages/eas-discovery.ts'
import type { EasDiscoverySubscriptionWithSecret } from '../../spec/messages/ees-tokens.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { EasRegistration } from '../eas-registration/registration.ts'
import { endOf } from '../eec-registration/registration.ts'
import { fits, toDiscovered } from './discover-eas.ts'

/** One EEC that wants to hear of EASs. Times are milliseconds since 1970. */
export interface Subscription {
  readonly subscriptionId: string
  readonly eecId: string
  readonly content: EasDiscoverySubscription
  readonly expiresAt: number
}

export interface SubscriptionPorts {
  now(): number
  /** milliseconds */
  readonly longest: number
  newId(): string
  /** @throws Refusal NOTIFICATION_URI_NOT_ACCEPTED for an address that must not be called (THREATS HT-06) */
  checkUri(uri: string): void
  find(subscriptionId: string): Promise<Subscription | undefined>
  /**
   * @param secret - what each notification must show (THREATS HT-07)
   * @throws Refusal QUOTA_EXCEEDED, TOO_MANY_REQUESTS
   */
  insert(subscription: Subscription, secret: string): Promise<void>
  /** @param secret - as it was, if undefined */
  update(subscription: Subscription, secret?: string): Promise<void>
  remove(subscription: Subscription): Promise<void>
}

/** Eees_EASDiscovery, POST of a subscription: TS 23.558 8.5.2.3. */
export async function subscribe(
  ees: SubscriptionPorts,
  peer: EecIdentity,
  { notificationSecret, ...message }: EasDiscoverySubscriptionWithSecret,
): Promise<Subscription> {
  const subscription = { ...toSubscription(ees, peer, message), subscriptionId: ees.newId() }
  refuseMissing(notificationSecret, 'notificationSecret')
  await ees.insert(subscription, notificationSecret)
  return subscription
}

/** Eees_EASDiscovery, PUT of a subscription. The secret stays unless there is another. */
export async function replaceSubscription(
  ees: SubscriptionPorts,
  peer: EecIdentity,
  subscriptionId: string | undefined,
  { notificationSecret, ...message }: EasDiscoverySubscriptionWithSecret,
): Promise<Subscription> {
  const known = await ownSubscription(ees, peer, subscriptionId)
  const next = { ...toSubscription(ees, peer, message), subscriptionId: known.subscriptionId }
  await ees.update(next, notificationSecret)
  return next
}

/** Eees_EASDiscovery, PATCH of a subscription. */
export async function modifySubscription(
  ees: SubscriptionPorts,
  peer: EecIdentity,
  subscriptionId: string | undefined,
  patch: EasDiscoverySubscriptionPatch,
): Promise<Subscription> {
  const known = await ownSubscription(ees, peer, subscriptionId)
  const { expTime = new Date(known.expiresAt).toISOString(), ...changes } = patch
  const next = {
    ...toSubscription(ees, peer, { ...known.content, ...changes, expTime }),
    subscriptionId: known.subscriptionId,
  }
  await ees.update(next)
  return next
}

export async function unsubscribe(
  ees: SubscriptionPorts,
  peer: EecIdentity,
  subscriptionId: string | undefined,
): Promise<void> {
  await ees.remove(await ownSubscription(ees, peer, subscriptionId))
}

/** Somebody else's and none at all answer alike (THREATS RS-01, HT-12). */
async function ownSubscription(ees: SubscriptionPorts, peer: EecIdentity, subscriptionId = ''): Promise<Subscription> {
  const subscription = await ees.find(subscriptionId)
  const isOwn = subscription?.eecId === peer.eecId
  refuseUnless(subscription !== undefined && isOwn, 'SUBSCRIPTION_NOT_FOUND', 'the caller has no such subscription')
  return subscription
}

/** @throws Refusal EEC_MISMATCH if an EEC or a UE in it is another's (THREATS RS-01) */
function toSubscription(
  ees: SubscriptionPorts,
  peer: EecIdentity,
  message: EasDiscoverySubscription,
): Omit<Subscription, 'subscriptionId'> {
  checkEecId(peer, message.eecId)
  checkUeId(peer, message.ueId)
  for (const { eecId } of message.easDynInfoFilter?.dynInfoFilter ?? []) checkEecId(peer, eecId)
  const { notificationDestination, expTime } = message
  refuseMissing(notificationDestination, 'notificationDestination')
  ees.checkUri(notificationDestination)
  return {
    eecId: message.eecId,
    content: keptOf(message),
    expiresAt: endOf(expTime, ees.now(), ees.longest),
  }
}

function refuseMissing(value: string | undefined, name: string): asserts value is string {
  if (value !== undefined) return
  const invalidParams = [{ param: `/${name}` }]
  throw new Refusal('MANDATORY_IE_MISSING', 'a member that notifications need is missing', { invalidParams })
}

/** Test notifications and WebSockets are features that we do not have: they are not kept, and not echoed. */
function keptOf(message: EasDiscoverySubscription): EasDiscoverySubscription {
  const { expTime: _end, requestTestNotification: _test, websockNotifConfig: _websocket, suppFeat, ...kept } = message
  return { ...kept, ...(suppFeat !== undefined && { suppFeat: '0' }) }
}

export function toMessage({ content, expiresAt }: Subscription): EasDiscoverySubscription {
  return { ...content, expTime: new Date(expiresAt).toISOString() }
}

/**
 * What a subscriber is told of an EAS that came, changed or went; of one that went, the time at which it did.
 *
 * @returns undefined if it is none that the subscriber looks for, or no event that it wants to hear of
 */
export function notificationOf(
  { subscriptionId, content }: Subscription,
  { before, after }: { readonly before?: EasRegistration; readonly after?: EasRegistration },
  now: number,
): EasDiscoveryNotification | undefined {
  const { easEventType } = content
  const [had, has] = [before, after].map((each) => each !== undefined && fits(each.easProf, content))
  if (!had && !has) return undefined
  const isDynamic = had === has
  if (easEventType !== (isDynamic ? 'EAS_DYNAMIC_INFO_CHANGE' : 'EAS_AVAILABILITY_CHANGE')) return undefined
  const shown = has ? after : before && { ...before, expiresAt: now }
  return shown && { subId: subscriptionId, eventType: easEventType, discoveredEas: [toDiscovered(shown)] }
}
