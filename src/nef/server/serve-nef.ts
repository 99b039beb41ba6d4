import { nfClient } from '../../nf/adapters/nf-client.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import { type ServingNf, serveNf } from '../../nf/server/serve-nf.ts'
import { keyRequests } from '../adapters/key-requests.ts'
import type { OpenNef } from '../adapters/open-nef.ts'
import { NefPeerEntry } from '../configuration.ts'
import { EDGE_KEY_SCOPE, type NefPeers } from '../peers.ts'
import { edgeKeyRoute } from '../routes/edge-key-routes.ts'

/** @throws ConfigurationError, Error with code EADDRINUSE or EACCES */
export async function serveNef(nef: OpenNef): Promise<ServingNf> {
  const { configuration, clock, timers, root, credential } = nef
  const resolve = new Map(Object.entries(configuration.resolve))
  const ausf = nfClient({ origin: configuration.ausf, root, credential: credential.current, resolve, timers })
  const serving = await serveNf<NefPeers, NefPeerEntry>(nef, nef, NefPeerEntry, ({ alarms, peers }) => ({
    routes: [
      edgeKeyRoute({
        allow: rateLimit(configuration.keyRequests, clock.monotonic),
        alarms,
        isListed: (name) => peers().entries.has(name),
        requestKey: keyRequests(ausf, clock, alarms),
      }),
    ],
    authenticators: (callers) => ({ ecs: callers.authorized(EDGE_KEY_SCOPE, 'ECS_NOT_AUTHORIZED') }),
  }))
  return {
    ...serving,
    async close() {
      await serving.close()
      ausf.close()
    },
  }
}
