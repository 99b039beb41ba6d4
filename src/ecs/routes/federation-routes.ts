import { writePem } from '../../certificates/pem.ts'
import { ok, type Route, routesOf } from '../../http/route.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import type { OwnAuthorities, Partner } from '../../spec/messages/partners.ts'
import { EcsInfoDiscoveryReqForEes, ServProvReqForEes } from '../../spec/messages/requesting-ees.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { Forwarding } from '../../tokens/forwarding-assertion.ts'
import type { TokenResponse } from '../authorization-server/issue-token.ts'
import { type AnsweringPorts, describeItsEess, describeItself } from '../federation/answer-discovery.ts'
import { type DiscoveryPorts, discoverTargetEes } from '../federation/discover-target-ees.ts'
import { correlationIn, FEDERATION, ForwardingMessage, ResolveRequest } from '../federation/operations.ts'
import type { TrustedPeer } from '../federation/trusted-peer.ts'
import type { EcsPeers } from '../peers.ts'

export interface Federation extends DiscoveryPorts, AnsweringPorts {
  readonly fqdn: Fqdn
  receive(from: Fqdn, forwarding: Forwarding): Promise<TokenResponse>
  /** whether an EES of this name is registered here now */
  hasEes(fqdn: Fqdn): Promise<boolean>
  /** compact JWS */
  trustBundle(): Promise<string>
  ownAuthorities(): OwnAuthorities
}

/** On the `mtls` listener: EDGE-10, for other ECSs and for nobody else (THREATS FW-04); and what EESs are told of others. */
export function federationRoutes(ecs: Federation): Route<EcsPeers>[] {
  const json = 'application/json'
  return [
    route({
      operation: FEDERATION.forward,
      credential: 'ecs',
      content: { mediaType: json, schema: ForwardingMessage },
      handle: async ({ peer, body }) => ok(await ecs.receive(peer.fqdn, body), { pragma: 'no-cache' }),
    }),
    route({
      operation: FEDERATION.resolve,
      credential: 'ecs',
      content: { mediaType: json, schema: ResolveRequest, limit: 1_024 },
      async handle({ body }) {
        const fqdn = parseFqdn(body.fqdn)
        refuseUnless(fqdn, 'MANDATORY_IE_INCORRECT', 'fqdn is not an FQDN')
        if (!(await ecs.hasEes(fqdn))) throw new Refusal('REGISTRATION_NOT_FOUND', 'there is no such EES here')
        return ok({ ecs: ecs.fqdn, lifeTime: 60 })
      },
    }),
    route({
      operation: OPERATIONS.GetEESProfiles,
      credential: 'certificate',
      handle: async ({ peer, query }) => ok({ ednCnfgInfo: await discoverTargetEes(ecs, peer, query) }),
    }),
    route({
      operation: OPERATIONS.GetECSDiscInfo,
      credential: 'ecs',
      content: { mediaType: json, schema: EcsInfoDiscoveryReqForEes },
      handle: async ({ peer, headers, body }) =>
        ok(await describeItself(ecs, { fqdn: peer.fqdn, correlation: correlationIn(headers) }, body)),
    }),
    route({
      operation: OPERATIONS.ServProvRetReq,
      credential: 'ecs',
      content: { mediaType: json, schema: ServProvReqForEes },
      handle: async ({ peer, headers, body }) =>
        ok(await describeItsEess(ecs, { fqdn: peer.fqdn, correlation: correlationIn(headers) }, body)),
    }),
    route({
      operation: FEDERATION.partners,
      credential: 'certificate',
      handle: async () => ok({ partners: ecs.peers().map(toPartner), own: ecs.ownAuthorities() }),
    }),
  ]
}

const route = routesOf<EcsPeers>()

/** On the listeners for anybody. */
export function trustBundleRoute(ecs: Pick<Federation, 'trustBundle'>): Route<EcsPeers> {
  return route({
    operation: FEDERATION.trustBundle,
    credential: 'public',
    handle: async () =>
      ok(await ecs.trustBundle(), { 'content-type': 'application/jose', 'cache-control': 'max-age=10' }),
  })
}

function toPartner({ fqdn, nameSpace, bundle }: TrustedPeer): Partner {
  const { roots, issuers, mtlsRoot } = bundle
  return { fqdn, nameSpace: [...nameSpace], mtlsRoot, roots: roots.map(pemOf), issuers: issuers.map(pemOf) }
}

const pemOf = ({ der }: { readonly der: Buffer }) => writePem('CERTIFICATE', der)
