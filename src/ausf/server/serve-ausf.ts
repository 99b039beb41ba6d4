import { nfClient } from '../../nf/adapters/nf-client.ts'
import { type ServingNf, serveNf } from '../../nf/server/serve-nf.ts'
import { regularly } from '../../nf/server/upkeep.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import { kakmaStore, kedgeStore } from '../adapters/anchor-key-store.ts'
import { contextTable } from '../adapters/context-table.ts'
import type { OpenAusf } from '../adapters/open-ausf.ts'
import { type AusfParts, applicationKeyPorts, authenticationPorts, keyRequestPorts } from '../adapters/ports.ts'
import { AusfPeerEntry } from '../configuration.ts'
import type { AusfPeers } from '../peers.ts'
import { applicationKeyRoute } from '../routes/application-key-route.ts'
import { keyRequestRoute } from '../routes/key-request-route.ts'
import { ueAuthenticationRoutes } from '../routes/ue-authentication-routes.ts'

const SECOND = 1_000

/** @throws ConfigurationError, Error with code EADDRINUSE or EACCES */
export async function serveAusf(ausf: OpenAusf): Promise<ServingNf> {
  const parts = partsOf(ausf)
  const { fqdn, listen } = ausf.configuration
  const serving = await serveNf<AusfPeers, AusfPeerEntry>(ausf, ausf, AusfPeerEntry, (shared) => ({
    routes: [
      ...ueAuthenticationRoutes(
        { ...authenticationPorts(ausf, parts), forget: (supi) => forgetKeys(parts, supi) },
        `https://${fqdn}:${listen.mtls}`,
      ),
      keyRequestRoute(keyRequestPorts(ausf, parts, shared)),
      applicationKeyRoute(applicationKeyPorts(ausf, parts, shared)),
    ],
    authenticators(callers) {
      const ofUe = callers.authorized('nausf-auth:ue-authentications')
      return {
        seaf: ofUe,
        udm: async (evidence) => {
          const peer = await ofUe(evidence)
          // A SEAF has the scope too, but it cannot make us forget other networks' subscribers.
          if (peer.entry.nfType === 'UDM') return peer
          shared.alarms.raise('caller-refused', peer.fqdn)
          throw new Refusal('POLICY_DENIED', 'the caller may not do this')
        },
        edgeKey: callers.authorized('nausf-auth:edge-key', 'ECS_NOT_AUTHORIZED'),
        akma: callers.authorized('naanf-akma:applicationkeyget', 'ECS_NOT_AUTHORIZED'),
      }
    },
  }))
  const stop = upkeep(ausf, parts)
  return {
    ...serving,
    async close() {
      stop()
      await serving.close()
      parts.udm.close()
      await ausf.close()
    },
  }
}

function partsOf(ausf: OpenAusf): AusfParts {
  const { configuration, clock, random, timers, root, credential, store, dataKey } = ausf
  const resolve = new Map(Object.entries(configuration.resolve))
  const anchors = { store, dataKey, random, homeNetwork: configuration.homeNetwork }
  return {
    contexts: contextTable({
      random,
      monotonic: clock.monotonic,
      lifetime: configuration.authentication.lifetime * SECOND,
    }),
    kedges: kedgeStore(anchors),
    kakmas: kakmaStore(anchors),
    udm: nfClient({ origin: configuration.udm, root, credential: credential.current, resolve, timers }),
  }
}

async function forgetKeys({ kedges, kakmas }: AusfParts, supi: Supi): Promise<void> {
  await kedges.remove(supi)
  await kakmas.remove(supi)
}

/** Keys go when they have ended, also those that nobody asks for. @returns how to stop it */
function upkeep(ausf: OpenAusf, { contexts, kedges, kakmas }: AusfParts): () => void {
  const stops = [
    regularly(ausf, 10 * SECOND, 'unanswered challenges', async () => contexts.prune()),
    regularly(ausf, 60 * SECOND, 'ended keys', async () => {
      await kedges.removeExpired(ausf.clock.now())
      await kakmas.removeExpired(ausf.clock.now())
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
