import { writePem } from '../../certificates/pem.ts'
import type { Route } from '../../http/route.ts'
import { compileByTurns } from '../../http/schema.ts'
import type { OwnAuthorities } from '../../spec/messages/partners.ts'
import { authorizationServerPorts } from '../adapters/authorization-server.ts'
import type { EcsContext } from '../adapters/context.ts'
import type { LiveFederation } from '../adapters/federation.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { commit } from '../adapters/registration-store.ts'
import { DISCOVERY_ANSWERS, discoverElsewhere } from '../federation/discover-elsewhere.ts'
import { forwardRequest } from '../federation/forward-request.ts'
import { receiveForwarding } from '../federation/receive-request.ts'
import type { EcsPeers } from '../peers.ts'
import type { ProvisioningPorts } from '../provisioning/provision-service.ts'
import type { AuthorizationServer } from '../routes/authorization-server-routes.ts'
import { federationRoutes, trustBundleRoute } from '../routes/federation-routes.ts'

export interface FederationSide {
  /** that asks other ECSs for what it has not */
  readonly authorizationServer: AuthorizationServer
  /** for the `mtls` listener */
  readonly routes: readonly Route<EcsPeers>[]
  /** for the listeners that anybody comes to */
  readonly trustBundle: Route<EcsPeers>
}

/** Tokens and target EESs across ECSs (P4): what goes out for our EESs, and what comes in for those of others. */
export function federationSide(
  ecs: OpenEcs & EcsContext,
  federation: LiveFederation,
  { findEess }: ProvisioningPorts,
): FederationSide {
  const tokens = authorizationServerPorts(ecs, ecs.urls())
  const ports = federation.receiving(tokens)
  const discovering = federation.discovering()
  if (federation.peers().length > 0) compileByTurns(DISCOVERY_ANSWERS)
  return {
    authorizationServer: { ...tokens, forward: (request) => forwardRequest(ports, request) },
    routes: federationRoutes({
      fqdn: ecs.configuration.fqdn,
      receive: (from, forwarding) => receiveForwarding(ports, from, forwarding),
      hasEes: async (fqdn) => (await tokens.findEes({ fqdn })) !== undefined,
      policy: ecs.currentPolicy,
      findEess,
      discoverElsewhere: (caller, wanted) => discoverElsewhere(discovering, caller, wanted),
      mtlsRoot: ecs.urls().mtlsRoot,
      now: ports.now,
      vouchedForAnother: ports.vouchedForAnother,
      async recordAnswer(answer) {
        await commit(ecs.store, ecs.clock.now(), [], { event: 'discovery-answered', ...answer })
      },
      trustBundle: federation.trustBundle,
      peers: federation.peers,
      ownAuthorities: () => ownAuthorities(ecs),
    }),
    trustBundle: trustBundleRoute(federation),
  }
}

function ownAuthorities({ ca }: OpenEcs): OwnAuthorities {
  const issuers = ca.trusted().map(({ eesIssuer }) => writePem('CERTIFICATE', eesIssuer.certificate.der))
  return { roots: [...ca.roots()], issuers }
}
