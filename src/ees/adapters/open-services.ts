import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Resolve } from '../../http/client.ts'
import type { Log } from '../../http/log.ts'
import { createNotifier } from '../../http/notifier.ts'
import { readDataKey, writeDataKey } from '../../nf/adapters/own-keys.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import { systemTimers } from '../../ports/timers.ts'
import { openStore } from '../../store/open-store.ts'
import { createKeyFile, type SealingSecret } from '../../store/sealed-file.ts'
import { clientTls } from '../../tls/client.ts'
import type { EesConfiguration } from '../configuration.ts'
import type { ContextPorts } from '../context-relocation/receive-context.ts'
import { relocateContext, resumeRelocations } from '../context-relocation/relocate-context.ts'
import type { DiscoveryPorts } from '../eas-discovery/discover-eas.ts'
import { notificationOf, type SubscriptionPorts } from '../eas-discovery/subscriptions.ts'
import type { EasRegistrationPorts } from '../eas-registration/register-eas.ts'
import type { EecRegistrationPorts } from '../eec-registration/register-eec.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import type { Registration } from '../registration/registration.ts'
import { EES_MIGRATIONS } from '../tables.ts'
import { type EasChange, EasStore } from './eas-store.ts'
import { EecStore } from './eec-store.ts'
import { readPems } from './read-configuration.ts'
import {
  contextPorts,
  easRegistrationPorts,
  eecRegistrationPorts,
  relocationPorts,
  subscriptionPorts,
} from './service-ports.ts'
import { SubscriptionStore } from './subscription-store.ts'

export const EES_STORE = 'ees.db'

export interface ServicesOptions {
  /** of the EES: its store is there */
  readonly folder: string
  readonly configuration: EesConfiguration
  readonly registration: Registration
  readonly log: Log
  /** where receivers of notifications are reached when DNS shall not be asked */
  readonly resolve?: Resolve | undefined
  /** seals what the store keeps of secrets, instead of a key file */
  readonly passphrase?: string | undefined
}

/** What the services of an EES work on. The EES need not serve for its operator to work on it. */
export interface EesServices {
  readonly eecRegistration: EecRegistrationPorts
  readonly easRegistration: EasRegistrationPorts
  readonly discovery: DiscoveryPorts
  readonly subscriptions: SubscriptionPorts
  readonly contexts: ContextPorts
  readonly operator: OperatorCommands
  /** Forgets what has ended. */
  sweep(): Promise<void>
  /** Goes on with contexts that are on their way. */
  resume(): Promise<void>
  close(): Promise<void>
}

/** Subscriptions that are looked at before others get their turn. */
const PAGE = 500

/** @throws CannotOpenStore `locked` while another process serves from the folder; NotUsable */
export async function openServices(options: ServicesOptions): Promise<EesServices> {
  const { folder, configuration, log } = options
  const { quotas } = configuration
  const notifier = await notifierOf(options)
  const dataKey = await ownDataKey(folder, options.passphrase)
  const store = await openStore({ file: join(folder, EES_STORE), migrations: EES_MIGRATIONS })
  const { now } = systemClock
  const eecs = new EecStore(store, now, quotas.eecs)
  const subscriptions = new SubscriptionStore({
    store,
    now,
    most: quotas.subscriptions,
    mostOfOneEec: quotas.subscriptionsOfOneEec,
    dataKey,
  })
  const notify = notifySubscribers(subscriptions, notifier, log)
  const eass = await EasStore.open({ store, now, most: quotas.eass, changed: notify })
  const pushing = relocationPorts(options, eecs, subscriptions)
  const relocate = oncePerContext((eecId, target) => relocateContext(pushing, eecId, target))
  return {
    eecRegistration: eecRegistrationPorts(options, eecs),
    easRegistration: easRegistrationPorts(options, eass),
    discovery: { liveEass: () => eass.live() },
    subscriptions: subscriptionPorts(options, subscriptions, notifier),
    contexts: contextPorts(options, eecs, subscriptions),
    operator: { listEecs: (after, limit) => eecs.list(after, limit), relocate },
    async sweep() {
      await eecs.sweep()
      await eass.sweep()
      await subscriptions.sweep()
    },
    resume: () =>
      resumeRelocations({ moving: () => eecs.moving(), relocate }, (error) =>
        log.warn({ reason: String(error) }, 'a context is still on its way'),
      ),
    async close() {
      notifier.close()
      await store.close()
    },
  }
}

type Relocate = OperatorCommands['relocate']

/** Who asks for what is under way gets the answer to that. */
function oncePerContext(relocate: Relocate): Relocate {
  const underWay = new Map<string, ReturnType<Relocate>>()
  return (eecId, target) => {
    const name = `${target} ${eecId}`
    const known = underWay.get(name)
    if (known !== undefined) return known
    const relocation = relocate(eecId, target).finally(() => underWay.delete(name))
    underWay.set(name, relocation)
    return relocation
  }
}

async function notifierOf({ folder, configuration, registration, log, resolve }: ServicesOptions) {
  const { hosts, networks, roots } = configuration.notifications
  const trusted = await readPems(folder, roots)
  return createNotifier({
    targets: { hosts, networks },
    tls: () => clientTls([registration.root, ...trusted], registration.credential),
    timers: systemTimers,
    ...(resolve && { resolve }),
    failed: (error) => log.warn({ reason: String(error) }, 'a notification could not be delivered'),
  })
}

/** Seals the secrets of subscribers. Made at the first start, and itself sealed. */
async function ownDataKey(folder: string, passphrase: string | undefined) {
  const secret: SealingSecret = passphrase === undefined ? { keyFile: join(folder, 'sealing.key') } : { passphrase }
  const file = join(folder, 'notification.key')
  if ('keyFile' in secret && !existsSync(secret.keyFile)) await createKeyFile(secret.keyFile)
  if (!existsSync(file)) await writeDataKey(file, secret, systemRandom)
  return readDataKey(file, secret)
}

/** Page by page, after the answer to the EAS: a subscriber more is nobody's delay. */
function notifySubscribers(
  subscriptions: SubscriptionStore,
  notifier: Pick<ReturnType<typeof createNotifier>, 'send'>,
  log: Log,
): (change: EasChange) => void {
  const notifyAll = async (change: EasChange) => {
    for (let after = ''; ; ) {
      const page = await subscriptions.page(after, PAGE)
      for (const { subscription, secret } of page) {
        const notification = notificationOf(subscription, change, systemClock.now())
        const { notificationDestination: uri } = subscription.content
        if (notification === undefined || uri === undefined) continue
        void notifier.send(uri, notification, { authorization: `Bearer ${secret()}` })
      }
      if (page.length < PAGE) return
      after = page.at(-1)?.subscription.subscriptionId ?? ''
    }
  }
  return (change) =>
    void notifyAll(change).catch((error: unknown) => log.error({ err: error }, 'subscribers could not be notified'))
}
