import { issueFirstToken } from '../adapters/authorization-server.ts'
import type { EcsContext } from '../adapters/context.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import type { EcsUrls } from '../urls.ts'
import { knownPorts, type Ports } from './ports.ts'

/** What an ECS needs to be worked on while nobody is connected to it. */
export async function withoutListeners(opened: OpenEcs): Promise<OpenEcs & EcsContext> {
  return withContext(opened, urlsOf(opened, await knownPorts(opened)), {
    cutOff: async () => {},
    changing: (_, change) => change(),
    peersChanged: async () => {},
    peerStanding: () => undefined,
    authoritiesChanged: async () => {},
  })
}

type Effects = Pick<EcsContext, 'cutOff' | 'changing' | 'peersChanged' | 'peerStanding' | 'authoritiesChanged'>

/** The ECS with what it does to its connections when something changes. */
export function withContext(opened: OpenEcs, urls: EcsUrls, effects: Effects): OpenEcs & EcsContext {
  return {
    ...opened,
    urls: () => urls,
    issueFirstToken: (registration, thumbprint) => issueFirstToken(opened, urls, registration, thumbprint),
    ...effects,
  }
}

/** As clients see them: of a forwarder where one stands before the listeners. */
export function urlsOf({ configuration }: OpenEcs, ports: Ports): EcsUrls {
  const {
    fqdn,
    apiRoot = `https://${fqdn}:${ports.server}`,
    mtlsRoot = `https://${fqdn}:${ports.mtls}`,
  } = configuration
  return { apiRoot, mtlsRoot, crl: `${apiRoot}/crl/ees-issuer.crl` }
}
