import type { Message, Response } from '../http/client.ts'
import { acceptIf, readJson, requireStatus } from '../http/response.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { EasDiscoverySubscription, type EasDiscoverySubscriptionPatch } from '../spec/messages/eas-discovery.ts'
import { ECSServProvSubscription, type ECSServProvSubscriptionPatch } from '../spec/messages/service-provisioning.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import type { NotificationExpectation, Notifier } from './notification.ts'
import { resourceIdOf } from './resource-id.ts'

export interface SubscriptionMessage {
  readonly ecs: ECSServProvSubscription
  readonly ees: EasDiscoverySubscription
}

/** @throws AnswerNotAccepted */
type Read<Message> = (response: Response) => Message

const KINDS: {
  readonly [Role in Notifier]: { readonly path: string; readonly read: Read<SubscriptionMessage[Role]> }
} = {
  ecs: {
    path: '/eecs-serviceprovisioning/v1/subscriptions',
    read: (response) => readJson(response, ECSServProvSubscription),
  },
  ees: {
    path: '/eees-easdiscovery/v1/subscriptions',
    read: (response) => readJson(response, EasDiscoverySubscription),
  },
}

/** What an EEC says beside who it is; it is told at `notificationDestination`, an https URL. */
export type SubscriptionWishes<Role extends Notifier> = Omit<
  SubscriptionMessage[Role],
  'eecId' | 'notificationDestination'
> & {
  readonly notificationDestination: string
}

/** A merge patch (RFC 7396). */
export interface SubscriptionPatch {
  readonly ecs: ECSServProvSubscriptionPatch
  readonly ees: EasDiscoverySubscriptionPatch
}

export interface Subscribed<Role extends Notifier> {
  readonly subscriptionId: string
  /** as the server keeps it */
  readonly subscription: SubscriptionMessage[Role]
  /** for `acceptNotification`. It holds a secret, which nobody is told again */
  readonly expectation: NotificationExpectation<Role>
}

/** What a subscriber gives for its notifications to be known by (THREATS HT-07). */
export interface NotificationPorts {
  /** PEM: the root of the certificates of ECS and EESs */
  readonly root: string
  /** 128 random bits at least, of the characters of base64url */
  newSecret(): string
}

export interface SubscriptionPorts<Role extends Notifier> extends NotificationPorts {
  readonly eecId: EecId
  readonly role: Role
  readonly server: Fqdn
  /** on an authenticated connection */
  request(message: Message): Promise<Response>
}

/** The subscriptions of an EEC at one ECS (Eecs_ServiceProvisioning) or EES (Eees_EASDiscovery): TS 24.558. */
export class Subscriptions<Role extends Notifier> {
  readonly #ports: SubscriptionPorts<Role>

  constructor(ports: SubscriptionPorts<Role>) {
    this.#ports = ports
  }

  /** @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
  async create(wishes: SubscriptionWishes<Role>): Promise<Subscribed<Role>> {
    const { role, server, root, newSecret } = this.#ports
    const secret = newSecret()
    const response = await this.#send('POST', '', { ...wishes, notificationSecret: secret })
    requireStatus(response, 201)
    const subscription = this.#read(response, wishes)
    const subscriptionId = resourceIdOf(response, server, KINDS[role].path)
    return { subscriptionId, subscription, expectation: { role, server, root, secret } }
  }

  /**
   * Says everything anew but the secret, which stays.
   *
   * @returns undefined if the server does not say what it has now
   * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
   */
  async replace(
    subscriptionId: string,
    wishes: SubscriptionWishes<Role>,
  ): Promise<SubscriptionMessage[Role] | undefined> {
    return this.#updated(await this.#send('PUT', subscriptionId, wishes), wishes)
  }

  /** As {@link replace}, of what is said alone. */
  async modify(subscriptionId: string, patch: SubscriptionPatch[Role]): Promise<SubscriptionMessage[Role] | undefined> {
    return this.#updated(await this.#send('PATCH', subscriptionId, patch), {})
  }

  /** @throws PeerUnavailable, RefusedByServer */
  async remove(subscriptionId: string): Promise<void> {
    requireStatus(await this.#ports.request({ method: 'DELETE', path: this.#pathOf(subscriptionId) }), 204)
  }

  #send(method: 'POST' | 'PUT' | 'PATCH', subscriptionId: string, content: object): Promise<Response> {
    const isPatch = method === 'PATCH'
    const body = JSON.stringify(isPatch ? content : { ...content, eecId: this.#ports.eecId })
    const headers = { 'content-type': isPatch ? 'application/merge-patch+json' : 'application/json' }
    return this.#ports.request({ method, path: this.#pathOf(subscriptionId), headers, body })
  }

  #pathOf(subscriptionId: string): string {
    const { path } = KINDS[this.#ports.role]
    return subscriptionId === '' ? path : `${path}/${encodeURIComponent(subscriptionId)}`
  }

  #updated(response: Response, wishes: Partial<SubscriptionWishes<Role>>): SubscriptionMessage[Role] | undefined {
    requireStatus(response, 200, 204)
    return response.status === 204 ? undefined : this.#read(response, wishes)
  }

  /** Nobody else is told in the place of this EEC, and it is told where it wants to be. */
  #read(response: Response, { notificationDestination: asked }: { notificationDestination?: string }) {
    const subscription = KINDS[this.#ports.role].read(response)
    const { eecId, notificationDestination } = subscription
    acceptIf(eecId === this.#ports.eecId, 'the subscription is that of another EEC')
    const isThere = asked === undefined || notificationDestination === asked
    acceptIf(isThere, 'the notifications of the subscription go elsewhere')
    return subscription
  }
}
