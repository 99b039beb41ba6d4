import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import {
  type EntitlementVerifier,
  entitlementVerifier,
  RATE_OF_EEC,
} from '../../eec-authentication/adapters/entitlement-verifier.ts'
import { ReplayCache } from '../../eec-authentication/replay-cache.ts'
import type { Route } from '../../http/route.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import type { EcsContext } from '../adapters/context.ts'
import { verifyGrant } from '../adapters/eec-authenticators.ts'
import { eecTokenPorts } from '../adapters/eec-tokens.ts'
import { indexRegistrations } from '../adapters/live-registrations.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { openProvisioningNotifier, type ProvisioningNotifier } from '../adapters/provisioning-notifier.ts'
import { offeredMethods } from '../authentication/offered-methods.ts'
import { authMethodsOf, type EecPolicy } from '../authorization-server/eec-policy.ts'
import { issueEesTokens } from '../authorization-server/request-eec-token.ts'
import type { EcsPeers } from '../peers.ts'
import { describeEes } from '../provisioning/describe-ees.ts'
import type { AuthenticatedEec, ProvisioningPorts } from '../provisioning/provision-service.ts'
import type { IndexedRegistration } from '../provisioning/registration-index.ts'
import { eecGrantRoute, eecTokenRoute } from '../routes/eec-token-routes.ts'
import { type EecCredential, provisioningRoute } from '../routes/provisioning-routes.ts'
import { subscriptionRoutes } from '../routes/subscription-routes.ts'
import type { EcsUrls } from '../urls.ts'
import { type EecCertificates, readEecCertificates } from './eec-listener.ts'

/** What an ECS has for EECs beside the keys of their networks: EDGE-4 whole, and the entitlement tokens (P2). */
export interface EecSide {
  readonly entitlements: EntitlementVerifier | undefined
  readonly certificates: EecCertificates | undefined
  readonly replays: ReplayCache
  /** whether an EEC that its connection authenticates may bring one more proof now */
  readonly mayGoOn: (eecId: string) => boolean
  readonly eecPolicy: EecPolicy
  readonly findEess: ProvisioningPorts['findEess']
  readonly notifier: ProvisioningNotifier
  readonly changing: EcsContext['changing']
  close(): Promise<void>
}

export async function openEecSide(ecs: OpenEcs, credential: () => ServerCredential): Promise<EecSide> {
  const { configuration, clock, store } = ecs
  const eecPolicy = eecPolicyOf(ecs)
  const describe = (registration: IndexedRegistration) =>
    describeEes(registration, authMethodsOf(eecPolicy, registration.eesId))
  const { index, changed } = await indexRegistrations({ store, now: clock.now() }, describe, (change) => {
    notifier.notifications.changed(change)
  })
  const { mostEess } = configuration.provisioning
  const findEess: ProvisioningPorts['findEess'] = (wanted, accept) => index.find(wanted, clock.now(), mostEess, accept)
  const notifier = await openProvisioningNotifier(ecs, { findEess }, credential)
  const replays = new ReplayCache(clock.now())
  const { entitlementServers } = configuration.authentication
  const entitlements = entitlementServers.length === 0 ? undefined : await openVerifier(ecs, replays, credential)
  return {
    entitlements,
    certificates: await readEecCertificates(ecs),
    replays,
    mayGoOn: rateLimit(RATE_OF_EEC, clock.monotonic),
    eecPolicy,
    findEess,
    notifier,
    async changing(registrationId, change) {
      try {
        await change()
      } finally {
        await changed(registrationId)
      }
    },
    async close() {
      entitlements?.close()
      await notifier.close()
    },
  }
}

function eecPolicyOf({ configuration }: OpenEcs): EecPolicy {
  const { ees, services, ...policy } = configuration.eecPolicy
  return { ...policy, ees: new Map(Object.entries(ees)), services: new Set(services) }
}

async function openVerifier(
  { configuration, folder, clock, log }: OpenEcs,
  replays: ReplayCache,
  credential: () => ServerCredential,
): Promise<EntitlementVerifier> {
  const inFolder = (file: string) => (isAbsolute(file) ? file : join(folder, file))
  const ents = []
  for (const { anchors, ...ent } of configuration.authentication.entitlementServers) {
    ents.push({ ...ent, anchors: await Promise.all(anchors.map((file) => readFile(inFolder(file), 'utf8'))) })
  }
  return entitlementVerifier({
    fqdn: configuration.fqdn,
    ents,
    credential,
    resolve: new Map(Object.entries(configuration.resolve)),
    clock,
    replays,
    failed: (error) => log.warn({ err: error }, 'an entitlement configuration server could not be asked'),
  })
}

/** The routes for EECs that have authenticated, by the listener that their credential comes to. */
export function eecRoutes(
  ecs: OpenEcs,
  urls: EcsUrls,
  { eecOf, ...side }: EecSide & { eecOf(socket: TLSSocket): AuthenticatedEec },
): Readonly<Record<'server' | 'psk' | 'eec', Route<EcsPeers>[]>> {
  const { clock, configuration } = ecs
  const offered = offeredMethods(configuration)
  const tokens = { ...eecTokenPorts(ecs, urls, side.eecPolicy), offered }
  const provisioning = {
    offered,
    findEess: side.findEess,
    issueEesTokens: issueEesTokens.bind(undefined, tokens),
  }
  const authentication = { now: clock.now, eecOf, offered, ...side }
  const grants = { ...tokens, verifyGrant: verifyGrant.bind(undefined, authentication) }
  const subscriptions = { ...side.notifier.subscriptions, offered }
  const edge4 = (credential: EecCredential) => [
    provisioningRoute(provisioning, credential),
    ...subscriptionRoutes(subscriptions, credential),
  ]
  return {
    server: [...edge4('entitlement'), eecGrantRoute(grants)],
    psk: [...edge4('psk'), eecTokenRoute(tokens, 'psk')],
    eec: [...edge4('eecCertificate'), eecTokenRoute(tokens, 'eecCertificate')],
  }
}
