import { sha256Base64url } from '../../octets/digest.ts'
import type { ServProvSubscriptionWithSecret } from '../../spec/messages/ees-tokens.ts'
import type {
  ECSServProvSubscription,
  ECSServProvSubscriptionPatch,
  EDNConfigInfo,
} from '../../spec/messages/service-provisioning.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { type EecPeer, type ProvisioningPorts, refuseOthers, toEdnConfigInfo } from './provision-service.ts'
import { wishesOf } from './service-wishes.ts'

/** An EEC that wants to be told when what it would be provisioned with changes. */
export interface Subscription {
  readonly subscriptionId: string
  readonly eecId: EecId
  /** as the subscriber sees it, `expTime` included */
  readonly message: ECSServProvSubscription
  /** counts what the subscriber changed */
  readonly version: number
  /** {@link digestOf} what the subscriber knows */
  readonly told: string
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

export interface SubscriptionPorts extends ProvisioningPorts {
  now(): number
  newSubscriptionId(): string
  /** milliseconds that a subscription lasts at most unless it is updated */
  readonly subscriptionLifetime: number
  /** @throws Refusal NOTIFICATION_URI_NOT_ACCEPTED */
  checkNotificationUri(uri: string): void
  /**
   * Durable.
   *
   * @param secret - what each notification must show
   * @throws Refusal TOO_MANY_REQUESTS if the EEC has too many, QUOTA_EXCEEDED if all EECs have
   */
  addSubscription(subscription: Subscription, secret: string): Promise<void>
  findSubscription(subscriptionId: string): Promise<Subscription | undefined>
  /**
   * Durable.
   *
   * @param secret - as it was, if undefined
   * @throws Refusal PRECONDITION_FAILED if it changed or ended since it was read
   */
  replaceSubscription(next: Subscription, secret: string | undefined): Promise<void>
  /**
   * Durable.
   *
   * @throws Refusal SUBSCRIPTION_NOT_FOUND if it is gone already
   */
  removeSubscription(subscriptionId: string): Promise<void>
  /** Something changed while a subscription was stored: somebody has to be told. */
  missed(): void
}

/** What tells two answers apart, for somebody who has one of them. */
export function digestOf(ednCnfgInfo: readonly EDNConfigInfo[]): string {
  return sha256Base64url(JSON.stringify(ednCnfgInfo))
}

/** Eecs_ServiceProvisioning, POST: TS 24.558 5.3.2.2. What holds now the EEC asks for; it is told what changes after. */
export async function subscribe(
  ecs: SubscriptionPorts,
  peer: EecPeer,
  sent: ServProvSubscriptionWithSecret,
): Promise<Subscription> {
  const eecId = refuseOthers(peer, sent)
  const { notificationSecret } = sent
  refuseMissing(notificationSecret, 'notificationSecret')
  const draft = { subscriptionId: ecs.newSubscriptionId(), eecId, version: 1, told: '' }
  const subscription = withContent(ecs, draft, sent)
  await ecs.addSubscription(subscription, notificationSecret)
  return withNothingMissed(ecs, subscription)
}

/** PUT: TS 24.558 5.3.2.3. The secret stays unless there is another. */
export async function replaceSubscription(
  ecs: SubscriptionPorts,
  peer: EecPeer,
  subscriptionId: string | undefined,
  sent: ServProvSubscriptionWithSecret,
): Promise<Subscription> {
  const own = await ownSubscription(ecs, peer, subscriptionId)
  refuseUnless(refuseOthers(peer, sent) === own.eecId, 'EEC_MISMATCH', 'the subscription is of another EEC')
  const next = withContent(ecs, { ...own, version: own.version + 1 }, sent)
  await ecs.replaceSubscription(next, sent.notificationSecret)
  return withNothingMissed(ecs, next)
}

/** PATCH: TS 24.558 5.3.2.3, a merge patch (RFC 7396) of members that are each replaced whole. */
export async function modifySubscription(
  ecs: SubscriptionPorts,
  peer: EecPeer,
  subscriptionId: string | undefined,
  patch: ECSServProvSubscriptionPatch,
): Promise<Subscription> {
  const own = await ownSubscription(ecs, peer, subscriptionId)
  const next = withContent(ecs, { ...own, version: own.version + 1 }, { ...own.message, ...patch })
  await ecs.replaceSubscription(next, undefined)
  return withNothingMissed(ecs, next)
}

/** DELETE: TS 24.558 5.3.2.4. */
export async function unsubscribe(
  ecs: SubscriptionPorts,
  peer: EecPeer,
  subscriptionId: string | undefined,
): Promise<void> {
  const own = await ownSubscription(ecs, peer, subscriptionId)
  await ecs.removeSubscription(own.subscriptionId)
}

/** Somebody else's and none at all answer alike (THREATS HT-12). */
async function ownSubscription(
  ecs: SubscriptionPorts,
  peer: EecPeer,
  subscriptionId: string | undefined,
): Promise<Subscription> {
  const found = subscriptionId === undefined ? undefined : await ecs.findSubscription(subscriptionId)
  const isOwn = found !== undefined && peer.eecIds.has(found.eecId) && found.expiresAt > ecs.now()
  refuseUnless(isOwn, 'SUBSCRIPTION_NOT_FOUND', 'the caller has no such subscription')
  return found
}

function withContent(
  ecs: SubscriptionPorts,
  subscription: Omit<Subscription, 'message' | 'expiresAt'>,
  sent: ServProvSubscriptionWithSecret,
): Subscription {
  const { notificationSecret: _, suppFeat, ...message } = sent
  const { notificationDestination, expTime } = message
  refuseMissing(notificationDestination, 'notificationDestination')
  ecs.checkNotificationUri(notificationDestination)
  const now = ecs.now()
  const asked = expTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(expTime)
  // RFC 3339 has times that no clock here shows, as leap seconds: they are no number.
  if (!(asked > now))
    throw new Refusal('OPTIONAL_IE_INCORRECT', 'the expiration time is not one to come', paramOf('expTime'))
  const expiresAt = Math.min(asked, now + ecs.subscriptionLifetime)
  return {
    ...subscription,
    told: currentDigest(ecs, message),
    // None of the features of TS 24.558 6.2.7 is supported.
    message: {
      ...message,
      expTime: new Date(expiresAt).toISOString(),
      ...(suppFeat !== undefined && { suppFeat: '0' }),
    },
    expiresAt,
  }
}

const currentDigest = (ecs: ProvisioningPorts, message: ECSServProvSubscription) =>
  digestOf(toEdnConfigInfo(ecs.findEess(wishesOf(message))))

/** A change that came before the subscription was stored, and after it was looked at, passed it by. */
function withNothingMissed(ecs: SubscriptionPorts, subscription: Subscription): Subscription {
  if (currentDigest(ecs, subscription.message) !== subscription.told) ecs.missed()
  return subscription
}

function refuseMissing(value: string | undefined, name: string): asserts value is string {
  if (value !== undefined) return
  throw new Refusal('MANDATORY_IE_MISSING', 'a member that notifications need is missing', paramOf(name))
}

const paramOf = (name: string) => ({ invalidParams: [{ param: `/${name}` }] })
