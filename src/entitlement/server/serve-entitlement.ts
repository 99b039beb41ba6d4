import { createListener } from '../../http/listener.ts'
import { nfClient } from '../../nf/adapters/nf-client.ts'
import { createAlarms } from '../../nf/alarms.ts'
import type { PeerEntry } from '../../nf/configuration.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import { explain, localUrl, type ServingNf, serveNf } from '../../nf/server/serve-nf.ts'
import { operatorListener } from '../../nf/server/serve-operator.ts'
import { regularly } from '../../nf/server/upkeep.ts'
import { INTROSPECTION_SCOPE } from '../../spec/entitlement-operations.ts'
import { serverTls } from '../../tls/profile.ts'
import { entitlementCommands } from '../adapters/commands.ts'
import { exchangeTable } from '../adapters/exchange-table.ts'
import type { OpenEntitlement } from '../adapters/open-entitlement.ts'
import { devicePorts, type EntitlementParts, introspectionPorts, issuerOf } from '../adapters/ports.ts'
import { removeExpiredTokens } from '../adapters/token-store.ts'
import { EntitlementPeer } from '../configuration.ts'
import type { EntitlementCommands } from '../operator/commands.ts'
import type { DevicePeers, VerifierPeers } from '../peers.ts'
import { deviceRoutes } from '../routes/device-routes.ts'
import { operatorRoutes } from '../routes/operator-routes.ts'
import { publicRoutes } from '../routes/public-routes.ts'
import { verifierRoutes } from '../routes/verifier-routes.ts'
import { endingKey, publishedKeys } from '../signing/signing-keys.ts'
import type { Asked } from '../ts43/answer-device.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND

export interface ServingEntitlement extends ServingNf {
  readonly listeners: { readonly server: string; readonly mtls: string; readonly admin: string }
  /** the operator's commands, without a connection */
  readonly operator: EntitlementCommands
}

/** @throws ConfigurationError, Error with code EADDRINUSE or EACCES */
export async function serveEntitlement(ent: OpenEntitlement): Promise<ServingEntitlement> {
  const { listen } = ent.configuration
  const parts = partsOf(ent)
  const operator = entitlementCommands(ent)
  const server = deviceListener(ent, parts)
  const admin = await operatorListener(ent, ent, operatorRoutes(operator))
  const serving = await serveNf<VerifierPeers, PeerEntry>(ent, ent, EntitlementPeer, () => ({
    routes: verifierRoutes(introspectionPorts(ent)),
    authenticators: (callers) => ({ verifier: callers.authorized(INTROSPECTION_SCOPE) }),
  }))
  await admin.listen(listen.address, listen.admin)
  await server.listen(listen.address, listen.server)
  const stop = upkeep(ent, parts)
  return {
    ...serving,
    listeners: {
      ...serving.listeners,
      server: localUrl(listen.address, listen.server),
      admin: localUrl(listen.address, listen.admin),
    },
    operator,
    async close() {
      stop()
      await Promise.all([server.close(), serving.close(), admin.close()])
      parts.udm.close()
      await ent.close()
    },
  }
}

function partsOf({ configuration, clock, random, timers, root, credential }: OpenEntitlement): EntitlementParts {
  const resolve = new Map(Object.entries(configuration.resolve))
  const lifetime = configuration.authentication.lifetime * SECOND
  return {
    exchanges: exchangeTable<Asked>({ random, monotonic: clock.monotonic, lifetime }),
    udm: nfClient({ origin: configuration.udm, root, credential: credential.current, resolve, timers }),
  }
}

/** For devices, and for anybody who verifies a token. HTTP/1.1 is answered too, as TS.43 clients speak it (D-35). */
function deviceListener(ent: OpenEntitlement, parts: EntitlementParts) {
  const { configuration, clock, credential, log, keyRing } = ent
  const { fqdn, listen, requests } = configuration
  const mayAsk = rateLimit(requests, clock.monotonic)
  const listener = createListener<DevicePeers>({
    name: 'server',
    tls: serverTls(credential.current()),
    routes: [
      ...deviceRoutes({ ...devicePorts(ent, parts), mayAsk }),
      ...publicRoutes({
        issuer: issuerOf(ent),
        serverRoot: `https://${fqdn}:${listen.server}`,
        mtlsRoot: `https://${fqdn}:${listen.mtls}`,
        publishedKeys: () => publishedKeys(keyRing.all(), clock.now()),
      }),
    ],
    authenticators: { public: async () => undefined },
    hosts: [fqdn],
    explain,
    log,
  })
  credential.onRenewal(() => listener.setSecureContext(serverTls(credential.current())))
  return listener
}

/** @returns how to stop it */
function upkeep(ent: OpenEntitlement, { exchanges }: EntitlementParts): () => void {
  const watch = watchSigningKey(ent)
  // Whoever restarts a server each night would never hear of it.
  watch()
  const stops = [
    regularly(ent, 10 * SECOND, 'unanswered challenges', async () => exchanges.prune()),
    regularly(ent, 60 * SECOND, 'expired tokens', () => removeExpiredTokens(ent, ent.clock.now())),
    regularly(ent, 60 * SECOND, 'retired signing keys', () => ent.keyRing.retire()),
    regularly(ent, HOUR, 'end of the signing key', async () => watch()),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** Its certificate comes from the operator, and without one no token is issued. */
function watchSigningKey({ keyRing, clock, log }: OpenEntitlement): () => void {
  const alarms = createAlarms(log)
  return () => {
    const ending = endingKey(keyRing.all(), clock.now())
    if (ending === undefined) return
    const until = new Date(ending.chain[0].notAfter).toISOString()
    alarms.raise('signing-key-ends', `${ending.kid}, good until ${until}`)
  }
}
