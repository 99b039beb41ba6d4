import { presentedRequest } from '../../eec-authentication/presented-token.ts'
import type { Resolve } from '../../http/client.ts'
import { createListener, type Listener } from '../../http/listener.ts'
import type { Log } from '../../http/log.ts'
import { type Authenticators, ok, type Route, routesOf } from '../../http/route.ts'
import { explain, localUrl } from '../../nf/server/serve-nf.ts'
import { regularly } from '../../nf/server/upkeep.ts'
import { systemTimers } from '../../ports/timers.ts'
import type { Operation } from '../../spec/operation.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { type EasAuthorities, readEasAuthorities } from '../adapters/eas-authorities.ts'
import { keepAlive } from '../adapters/keep-alive.ts'
import { type EecGuard, openEecGuard } from '../adapters/open-eec-guard.ts'
import { type EesGuard, type GuardOptions, openGuard } from '../adapters/open-guard.ts'
import { type EesServices, openServices } from '../adapters/open-services.ts'
import { readEesConfiguration, readPems } from '../adapters/read-configuration.ts'
import type { EesConfiguration } from '../configuration.ts'
import { identifyEas } from '../guard/eas-guard.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import type { EesPeers } from '../peers.ts'
import type { Registration } from '../registration/registration.ts'
import { contextRelocationRoutes } from '../routes/context-relocation-routes.ts'
import { eecDiscoveryRoutes, eesDiscoveryRoute } from '../routes/eas-discovery-routes.ts'
import { easRegistrationRoutes } from '../routes/eas-registration-routes.ts'
import { eecRegistrationRoutes } from '../routes/eec-registration-routes.ts'
import { serveOperator } from './operator-socket.ts'

const route = routesOf<EesPeers>()

const WHO_AM_I: Operation = {
  id: 'WhoAmI',
  api: 'edgeward-whoami',
  method: 'GET',
  path: '/edgeward/v1/whoami',
  clause: 'TS 33.501 13.4.1.1.2 step 2',
}

/** Tells the caller what this EES has verified about it. */
const whoAmI: Route<EesPeers> = route({
  operation: WHO_AM_I,
  credential: 'token',
  async handle({ peer }) {
    return ok(peer.claims)
  },
})

export interface EesServerOptions
  extends Pick<GuardOptions, 'otherDomains' | 'checkRevocation' | 'revocationPeriod' | 'maxTokenLifetime'> {
  /** of the EES: `ees.yaml`, if it is there, and what the EES keeps */
  readonly folder: string
  /** in the place of what `ees.yaml` says */
  readonly address?: string | undefined
  /** of the listeners `mtls` and `server`, in the place of what `ees.yaml` says; 0 for any that is free */
  readonly port?: number | undefined
  readonly serverPort?: number | undefined
  /** where entitlement servers and receivers of notifications are reached when DNS shall not be asked */
  readonly resolve?: Resolve
  /** seals what the store keeps of secrets, instead of a key file */
  readonly passphrase?: string | undefined
  readonly log: Log
}

/** An EES that answers. */
export interface ServingEes {
  readonly fqdn: string
  /** `https://ADDRESS:PORT` of each listener, as it is reached on this machine */
  readonly listeners: { readonly server: string; readonly mtls: string }
  readonly operator: OperatorCommands
  /** Answers what is under way, then closes. The registration goes on. */
  close(): Promise<void>
}

/** Milliseconds between two looks at what has ended, and at contexts that are still on their way. */
const UPKEEP = { sweep: 10_000, resume: 30_000, easAuthority: 1_000 }

interface Parts {
  readonly configuration: EesConfiguration
  readonly guard: EesGuard
  readonly eecGuard: EecGuard
  readonly services: EesServices
  easAuthorities: EasAuthorities
}

/**
 * The reference EES: a listener for EECs (`server`), one for EASs and other EESs (`mtls`), and a registration that keeps
 * itself alive. A renewed certificate is shown to the next connection; those that are open stay open.
 *
 * @throws NotUsable; CannotOpenStore `locked` while another process serves from the folder
 */
export async function serveEes(registration: Registration, options: EesServerOptions): Promise<ServingEes> {
  const opened = new AsyncDisposableStack()
  try {
    return await serve(registration, options, opened)
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** @param opened - what is to be closed, the last one first */
async function serve(
  registration: Registration,
  options: EesServerOptions,
  opened: AsyncDisposableStack,
): Promise<ServingEes> {
  const { folder, log } = options
  const { fqdn } = registration.record
  const parts = await openParts(registration, options, opened)
  const { configuration, services, guard, eecGuard } = parts
  const { server, mtls } = listenersOf(fqdn, parts, log)
  opened.defer(async () => void (await Promise.all([server.close(), mtls.close()])))
  const address = options.address ?? configuration.listen.address
  const ports = {
    server: await server.listen(address, options.serverPort ?? configuration.listen.server),
    mtls: await mtls.listen(address, options.port ?? configuration.listen.mtls),
  }
  const operatorSocket = await serveOperator(folder, services.operator, log)
  opened.defer(() => operatorSocket.close())
  const stop = [
    registration.onRenewed(() => {
      mtls.setSecureContext(guard.tls(parts.easAuthorities.pems))
      server.setSecureContext(eecGuard.tls())
    }),
    keep(registration, log),
    ...upkeep(parts, mtls, options),
  ]
  opened.defer(() => {
    for (const end of stop) end()
  })
  return {
    fqdn,
    listeners: { server: localUrl(address, ports.server), mtls: localUrl(address, ports.mtls) },
    operator: services.operator,
    close: () => opened.disposeAsync(),
  }
}

async function openParts(
  registration: Registration,
  options: EesServerOptions,
  opened: AsyncDisposableStack,
): Promise<Parts> {
  const { folder, log } = options
  const configuration = await readEesConfiguration(folder)
  const services = await openServices({ ...options, configuration, registration })
  opened.defer(() => services.close())
  const eecGuard = await eecGuardOf(registration, configuration, options)
  opened.defer(() => eecGuard.close())
  const guard = await openGuard(registration, {
    ...options,
    failed: (error) => log.warn({ reason: String(error) }, 'keys or revocation list could not be fetched'),
  })
  opened.defer(() => guard.close())
  return { configuration, services, eecGuard, guard, easAuthorities: await readEasAuthorities(folder, configuration) }
}

/** Which routes each listener has, and which credential each takes. */
function listenersOf(fqdn: string, parts: Parts, log: Log): { server: Listener; mtls: Listener } {
  const { guard, eecGuard, services } = parts
  const authenticators: Authenticators<EesPeers> = {
    eec: (evidence) => eecGuard.authorizeEec(presentedRequest(evidence), evidence.operation.api),
    token: ({ headers, socket, operation }) => guard.authorize(socket, headers.authorization, operation.api),
    eas: async ({ socket }) => identifyEas(parts.easAuthorities, peerCertificate(socket)),
  }
  const shared = { authenticators, schemes: { eec: eecGuard.schemes }, hosts: [fqdn], explain, log }
  const server = createListener<EesPeers>({
    ...shared,
    name: 'server',
    tls: eecGuard.tls(),
    routes: [
      ...eecRegistrationRoutes(services.eecRegistration),
      ...eecDiscoveryRoutes(services.discovery, services.subscriptions),
    ],
  })
  const mtls = createListener<EesPeers>({
    ...shared,
    name: 'mtls',
    tls: guard.tls(parts.easAuthorities.pems),
    routes: [
      whoAmI,
      ...easRegistrationRoutes(services.easRegistration),
      eesDiscoveryRoute(services.discovery),
      ...contextRelocationRoutes(services.contexts),
    ],
  })
  guard.onTrust(() => mtls.setSecureContext(guard.tls(parts.easAuthorities.pems)))
  guard.onRevocation(() => mtls.drop((socket) => guard.isRevoked(socket)))
  return { server, mtls }
}

async function eecGuardOf(
  registration: Registration,
  { eec }: EesConfiguration,
  { folder, resolve, maxTokenLifetime, log }: EesServerOptions,
): Promise<EecGuard> {
  const entitlementServers = await Promise.all(
    eec.entitlementServers.map(async (ent) => ({ ...ent, anchors: await readPems(folder, ent.anchors) })),
  )
  return openEecGuard(registration, {
    methods: eec.methods,
    entitlementServers,
    ...(resolve && { resolve }),
    ...(maxTokenLifetime !== undefined && { maxTokenLifetime }),
    failed: (error) => log.warn({ reason: String(error) }, 'an EEC could not be judged'),
  })
}

function upkeep(parts: Parts, mtls: Listener, { folder, log }: EesServerOptions): (() => void)[] {
  const { configuration, services } = parts
  const environment = { timers: systemTimers, log }
  const easAuthority = async () => {
    const authorities = await readEasAuthorities(folder, configuration)
    if (authorities.pems.join() === parts.easAuthorities.pems.join()) return
    parts.easAuthorities = authorities
    mtls.setSecureContext(parts.guard.tls(authorities.pems))
  }
  // What a crash has left on its way does not wait.
  services.resume().catch((error: unknown) => log.error({ err: error }, 'contexts on their way could not be read'))
  return [
    regularly(environment, UPKEEP.sweep, 'sweep', services.sweep),
    regularly(environment, UPKEEP.resume, 'relocations', services.resume),
    regularly(environment, UPKEEP.easAuthority, 'EAS authority', easAuthority),
  ]
}

function keep(registration: Registration, log: Log): () => void {
  return keepAlive(registration, {
    renewed: ({ expTime }) => log.info({ serial: registration.certificate.serial, expTime }, 'certificate renewed'),
    extended: ({ expTime }) => log.info({ expTime }, 'registration extended'),
    failed: (error, again) => log.warn({ reason: String(error), again }, 'registration could not be kept yet'),
    ended: () => log.error('the registration has ended: this EES has to be onboarded anew'),
  })
}
