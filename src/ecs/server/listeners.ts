import type { SecureServerOptions } from 'node:http2'
import type { Certificate } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { eecSchemes } from '../../eec-authentication/schemes.ts'
import { createListener, type Listener } from '../../http/listener.ts'
import type { Route, Schemes } from '../../http/route.ts'
import { Refusal } from '../../spec/refusal.ts'
import { StoreUnavailable } from '../../store/errors.ts'
import { mutualTls, type ServerCredential, serverTls } from '../../tls/profile.ts'
import { keySetOf } from '../../tokens/key-set.ts'
import { authenticators } from '../adapters/authenticators.ts'
import { isTokenRevoked } from '../adapters/authorization-server.ts'
import { findCertificate } from '../adapters/certificate-store.ts'
import type { EcsContext } from '../adapters/context.ts'
import type { LiveFederation } from '../adapters/federation.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { operatorCommands, provisioningIssuer } from '../adapters/operator.ts'
import { certificationPorts, endingPorts, onboardingPorts, returnPorts, updatePorts } from '../adapters/registrar.ts'
import { offeredMethods } from '../authentication/offered-methods.ts'
import type { EcsPeers } from '../peers.ts'
import { authInfoOf } from '../routes/auth-info.ts'
import { authenticationRoute } from '../routes/authentication-routes.ts'
import { authorizationServerRoutes } from '../routes/authorization-server-routes.ts'
import { publicCertificateRoutes, reenrolmentRoute } from '../routes/certificate-routes.ts'
import { operatorRoutes } from '../routes/operator-routes.ts'
import { onboardingRoute, registrationRoutes } from '../routes/registration-routes.ts'
import type { EecAuthentication } from './eec-authentication.ts'
import type { EecListenerOptions } from './eec-listener.ts'
import { type EecSide, eecRoutes } from './eec-side.ts'
import { federationSide } from './federation-side.ts'
import type { ListenerName } from './ports.ts'
import type { RevocationLists } from './revocation-lists.ts'

type Ecs = OpenEcs & EcsContext

export interface ListenerParts {
  readonly lists: RevocationLists
  readonly eecs: EecAuthentication
  readonly eecSide: EecSide
  readonly federation: LiveFederation
  /** what all listeners with a certificate show */
  readonly credential: ServerCredential
}

/** Which routes each listener has, and which credential it takes: one each. */
export function ecsListeners(ecs: Ecs, parts: ListenerParts): Record<ListenerName, Listener> {
  const routes = ecsRoutes(ecs, parts)
  const tls = listenerTls(ecs, parts)
  const { fqdn } = ecs.configuration
  const { admit, ...checks } = authenticators(authenticationPorts(ecs, parts))
  const listener = (name: ListenerName) =>
    createListener<EcsPeers>({
      name,
      tls: tls[name],
      routes: routes[name],
      authenticators: checks,
      schemes: schemesOf(ecs),
      ...(name !== 'server' && { admit: admit[name] }),
      ...(name === 'psk' && { prepare: parts.eecs.prepare }),
      hosts: [fqdn],
      explain,
      log: ecs.log,
    })
  return { server: listener('server'), mtls: listener('mtls'), psk: listener('psk'), admin: listener('admin') }
}

/** The listener for EECs with certificates, where there is one. */
export function eecListenerOptions(ecs: Ecs, parts: ListenerParts): EecListenerOptions {
  const { admit: _, ...checks } = authenticators(authenticationPorts(ecs, parts))
  const { eec } = eecRoutes(ecs, ecs.urls(), { ...parts.eecSide, eecOf: parts.eecs.peerOf })
  const hosts = [ecs.configuration.fqdn]
  return { routes: eec, authenticators: checks, schemes: schemesOf(ecs), hosts, explain, log: ecs.log }
}

/** Whatever else an EEC has authenticated by, what it shows in the head of a request has to do with its key. */
function schemesOf({ configuration }: Ecs): Schemes<EcsPeers> {
  const keyAlone = eecSchemes([])
  const entitlement = eecSchemes(configuration.authentication.entitlementServers)
  return { entitlement, grant: keyAlone, psk: keyAlone, eecCertificate: keyAlone }
}

export function listenerTls(
  ecs: Ecs,
  { eecs, credential, federation }: Pick<ListenerParts, 'eecs' | 'credential' | 'federation'>,
): Record<ListenerName, SecureServerOptions> {
  return {
    server: serverTls(credential),
    mtls: mutualTls(credential, [...clientAuthorities(ecs), ...federation.roots()]),
    psk: eecs.tls,
    admin: mutualTls(credential, [ecs.operatorIssuer, ecs.operatorRoot].map(pemOf)),
  }
}

/** DER: what signs now, what is trusted beside it, and how one root certifies the other (RFC 7030 4.1.3). */
function caCertificates({ ca }: OpenEcs): Buffer[] {
  const certificates = ca
    .trusted()
    .flatMap(({ eesIssuer, root, cross }) => [eesIssuer.certificate, root, ...(cross ? [cross] : [])])
  return certificates.map(({ der }) => der)
}

/** PEM of whom EESs may be certified by, with the roots above them. */
function clientAuthorities({ ca }: OpenEcs): string[] {
  return ca.trusted().flatMap(({ eesIssuer, root }) => [eesIssuer.certificate, root].map(pemOf))
}

const pemOf = ({ der }: Certificate) => writePem('CERTIFICATE', der)

export function ecsRoutes(
  ecs: Ecs,
  { lists, eecs, eecSide, federation }: Omit<ListenerParts, 'credential'>,
): Record<ListenerName, Route<EcsPeers>[]> {
  const { fqdn, certificates } = ecs.configuration
  const bindingRequired = certificates.channelBinding === 'required'
  const onboarding = {
    ...onboardingPorts(ecs),
    proof: { ecs: fqdn, bindingRequired },
    authInfo: authInfoOf(ecs.urls),
  }
  const shown = publicCertificateRoutes({
    caCertificates: () => caCertificates(ecs),
    revocationList: async (file) => (await lists.read(file)) ?? federation.revocationList(file),
  })
  const between = federationSide(ecs, federation, eecSide)
  const oauth = authorizationServerRoutes(between.authorizationServer)
  const forEecs = eecRoutes(ecs, ecs.urls(), { ...eecSide, eecOf: eecs.peerOf })
  const forAnybody = [...shown, between.trustBundle, ...oauth.filter(({ credential }) => credential === 'public')]
  return {
    server: [onboardingRoute(onboarding), authenticationRoute(eecs), ...forEecs.server, ...forAnybody],
    mtls: [
      ...registrationRoutes({ ...updatePorts(ecs), ...endingPorts(ecs), ...returnPorts(ecs) }),
      reenrolmentRoute(certificationPorts(ecs), bindingRequired),
      ...oauth.filter(({ credential }) => credential !== 'public'),
      ...between.routes,
      ...forAnybody,
    ],
    psk: forEecs.psk,
    admin: operatorRoutes(operatorCommands(ecs)),
  }
}

function authenticationPorts(ecs: Ecs, { eecs, eecSide, federation }: Omit<ListenerParts, 'credential'>) {
  const { store, clock, configuration, onboarding } = ecs
  const { fqdn, tokens } = configuration
  return {
    fqdn,
    eecOf: eecs.peerOf,
    offered: offeredMethods(configuration),
    entitlements: eecSide.entitlements,
    certifiedEecOf: eecSide.certificates?.eecOf,
    replays: eecSide.replays,
    mayGoOn: eecSide.mayGoOn,
    federation,
    issuer: ecs.urls().apiRoot,
    eesIssuers: () => ecs.ca.trusted().map(({ eesIssuer }) => eesIssuer.certificate),
    operatorIssuer: ecs.operatorIssuer,
    provisioning: new Map([[provisioningIssuer(fqdn), keySetOf([onboarding.publicKey])]]),
    onboardingLifetime: tokens.onboardingLifetime,
    onboardingSince: ecs.onboardingSince,
    accessLifetime: tokens.accessLifetime,
    now: clock.now,
    policy: ecs.currentPolicy,
    verificationKeys: ecs.verificationKeys,
    findCertificate: (serial: string) => findCertificate(store, serial),
    isTokenRevoked: (jti: string) => isTokenRevoked(ecs, jti),
  }
}

/** Without its store an ECS lets nobody in and acknowledges nothing (THREATS: fail closed). */
function explain(error: unknown): Refusal | undefined {
  if (!(error instanceof StoreUnavailable)) return undefined
  return new Refusal('NF_CONGESTION', 'the store is not available now', { cause: error })
}
