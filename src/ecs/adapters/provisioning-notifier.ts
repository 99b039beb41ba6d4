import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { LookUp } from '../../http/notification-target.ts'
import { createNotifier, type Notifier } from '../../http/notifier.ts'
import { clientTls } from '../../tls/client.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { Notifications } from '../provisioning/notifications.ts'
import type { ProvisioningPorts } from '../provisioning/provision-service.ts'
import type { SubscriptionPorts } from '../provisioning/subscriptions.ts'
import type { OpenEcs } from './open-ecs.ts'
import { subscriptionStore } from './subscription-store.ts'

/** Subscriptions of EECs, and the notifications that they ask for. */
export interface ProvisioningNotifier {
  readonly subscriptions: SubscriptionPorts
  readonly notifications: Notifications
  /** Forgets what has expired, and tries again what was not delivered. */
  keep(): Promise<void>
  close(): Promise<void>
}

/**
 * @param credential - the certificate of this ECS as it is now: it is shown to every receiver (THREATS HT-07)
 * @param lookUp - asks DNS unless given
 */
export async function openProvisioningNotifier(
  ecs: OpenEcs,
  provisioning: ProvisioningPorts,
  credential: () => ServerCredential,
  lookUp?: LookUp,
): Promise<ProvisioningNotifier> {
  const { store, clock, timers, random, log, configuration, dataKey } = ecs
  const { subscriptions: total, subscriptionsPerEec: perEec, subscriptionLifetime } = configuration.provisioning
  const kept = await subscriptionStore({ store, clock, random, dataKey, quota: { perEec, total } })
  const notifier = await openNotifier(ecs, credential, lookUp)
  const notifications = new Notifications({
    ...kept,
    ...provisioning,
    now: clock.now,
    monotonic: clock.monotonic,
    pause: () => new Promise((goOn) => timers.after(0, goOn)),
    async notify({ subscriptionId, message }, notification) {
      const secret = await kept.secretOf(subscriptionId)
      // Whoever has left meanwhile has nothing to be told.
      if (secret === undefined || message.notificationDestination === undefined) return true
      return notifier.send(message.notificationDestination, notification, { authorization: `Bearer ${secret}` })
    },
    failed: (error) => log.error({ err: error }, 'a round of notifications failed; it is made again'),
  })
  return {
    subscriptions: {
      ...kept,
      ...provisioning,
      now: clock.now,
      newSubscriptionId: () => random.uuid(),
      subscriptionLifetime: subscriptionLifetime * 1000,
      checkNotificationUri: notifier.check,
      missed: () => notifications.resume(),
    },
    notifications,
    async keep() {
      await kept.forgetExpired()
      notifications.retry()
    },
    async close() {
      notifier.close()
      await notifications.close()
    },
  }
}

async function openNotifier(
  { configuration, folder, ca, timers, log }: OpenEcs,
  credential: () => ServerCredential,
  lookUp: LookUp | undefined,
): Promise<Notifier> {
  const { notificationHosts: hosts, notificationNetworks: networks, notificationRoots } = configuration.provisioning
  const inFolder = (file: string) => (isAbsolute(file) ? file : join(folder, file))
  const roots = await Promise.all(notificationRoots.map((file) => readFile(inFolder(file), 'utf8')))
  return createNotifier({
    targets: { hosts, networks },
    tls: () => clientTls(roots.length > 0 ? roots : ca.roots(), credential()),
    timers,
    resolve: new Map(Object.entries(configuration.resolve)),
    ...(lookUp && { lookUp }),
    failed: (error) => log.warn({ err: error }, 'a notification is not delivered'),
  })
}
