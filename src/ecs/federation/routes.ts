import type { IncomingHttpHeaders } from 'node:http'
import { Type } from 'typebox'
import { writePem } from '../../certificates/pem.ts'
import { ok, type Route, routesOf } from '../../http/route.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { parseFqdn } from '../../spec/identifiers.ts'
import { type OwnAuthorities, PARTNERS_PATH, type Partner } from '../../spec/messages/partners.ts'
import { EcsInfoDiscoveryReqForEes, ServProvReqForEes } from '../../spec/messages/requesting-ees.ts'
import type { Operation } from '../../spec/operation.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { Forwarding } from '../../tokens/forwarding-assertion.ts'
import type { TokenResponse } from '../authorization-server/issue-token.ts'
import type { EcsPeers } from '../peers.ts'
import { type AnsweringPorts, type AskingEcs, describeItsEess, describeItself } from './answer-discovery.ts'
import { type DiscoveryPorts, discoverTargetEes } from './discover-target-ees.ts'
import type { TrustedPeer } from './trusted-peer.ts'

export const FEDERATION = {
  forward: operation('ForwardTokenRequest', 'POST', 'eecs-token-forwarding', '/eecs-token-forwarding/v1/token'),
  resolve: operation('ResolveEes', 'POST', 'eecs-ees-lookup', '/eecs-ees-lookup/v1/resolve'),
  trustBundle: operation('GetTrustBundle', 'GET', 'federation', '/.well-known/edge-federation/trust-bundle'),
  partners: operation('GetPartners', 'GET', 'federation', PARTNERS_PATH),
} as const

function operation(id: string, method: Operation['method'], api: string, path: string): Operation {
  return { id, api, method, path, clause: 'TS 33.501 13.4.1.1.3' }
}

/** A chain as it travels: each link is at most 8 KiB, and no ECS takes more than four. */
const ForwardingMessage = Type.Object({
  assertion: Type.String({ minLength: 1, maxLength: 8_192 }),
  hops: Type.Array(Type.String({ minLength: 1, maxLength: 8_192 }), { maxItems: 8 }),
})

const ResolveRequest = Type.Object({ fqdn: Type.String() })
export const ResolveAnswer = Type.Object({
  ecs: Type.String(),
  /** seconds that the answer may be kept */
  lifeTime: Type.Integer({ minimum: 0 }),
})

export interface Federation extends DiscoveryPorts, AnsweringPorts {
  readonly fqdn: Fqdn
  receive(from: Fqdn, forwarding: Forwarding): Promise<TokenResponse>
  /** whether an EES of this name is registered here now */
  hasEes(fqdn: Fqdn): Promise<boolean>
  /** compact JWS */
  trustBundle(): Promise<string>
  ownAuthorities(): OwnAuthorities
}

/** EDGE-10 for token requests, on the `mtls` listener: for other ECSs and for nobody else (THREATS FW-04); and what EESs are told of others. */
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
      handle: async ({ peer, headers, body }) => ok(await describeItself(ecs, askingEcs(peer.fqdn, headers), body)),
    }),
    route({
      operation: OPERATIONS.ServProvRetReq,
      credential: 'ecs',
      content: { mediaType: json, schema: ServProvReqForEes },
      handle: async ({ peer, headers, body }) => ok(await describeItsEess(ecs, askingEcs(peer.fqdn, headers), body)),
    }),
    route({
      operation: FEDERATION.partners,
      credential: 'certificate',
      handle: async () => ok({ partners: ecs.peers().map(toPartner), own: ecs.ownAuthorities() }),
    }),
  ]
}

/** TS 29.500 5.2.3.3: other kinds of correlation than ours are for others. */
const CORRELATION = '3gpp-sbi-correlation-info'
const OUR_CORRELATION = /^edgeward-([\w-]{22})$/

export const correlationHeader = (correlation: string) => ({ [CORRELATION]: `edgeward-${correlation}` })

function askingEcs(fqdn: Fqdn, headers: IncomingHttpHeaders): AskingEcs {
  const [, correlation] = OUR_CORRELATION.exec(String(headers[CORRELATION] ?? '')) ?? []
  return { fqdn, correlation }
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
