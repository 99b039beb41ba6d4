import type { Http2SecureServer, SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { createAlarms } from '../../nf/alarms.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import { sourceOf } from '../../nf/source.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { type PskFront, standBeforeHandshakes } from '../../tls/psk-front.ts'
import { pskServer } from '../../tls/psk-server.ts'
import type { EcsContext } from '../adapters/context.ts'
import { keyServices } from '../adapters/key-service.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import type { PskAuthenticationPorts } from '../authentication/by-psk.ts'
import { confirmKeys } from '../authentication/confirm-keys.ts'
import { fetchKey } from '../authentication/fetch-key.ts'
import { eecOfIdentity, methodOf, parseIdentity } from '../authentication/key-id.ts'
import { KnownEecs } from '../authentication/known-eecs.ts'
import { type HeldKey, PskKeys } from '../authentication/psk-keys.ts'
import type { AuthenticatedEec } from '../provisioning/provision-service.ts'

/** How EECs authenticate with a key of their network (P5): the keys held now, and the listener that takes them. */
export interface EecAuthentication extends PskAuthenticationPorts {
  readonly tls: SecureServerOptions
  /** Stands before the handshakes of the listener. */
  prepare(server: Http2SecureServer): void
  /** @throws Refusal CREDENTIAL_MISSING for a connection that has not proven a key that is good now */
  provenKey(socket: TLSSocket): HeldKey
  /** The same of a request: it counts as a use of the key. */
  peerOf(socket: TLSSocket): AuthenticatedEec
  /** Forgets keys that have ended. @returns whether connections may have lost theirs */
  sweep(): boolean
  /** Asks for keys that have perhaps been replaced. */
  confirmKeys(): Promise<void>
}

export async function eecAuthentication(
  ecs: OpenEcs & EcsContext,
  pskEndpoint: string,
  credential: () => ServerCredential,
): Promise<EecAuthentication> {
  const { configuration, clock, random } = ecs
  const { fqdn } = configuration
  const { keyProfile, unwrapKey, keyServices: configured, fetchOnHandshake } = configuration.authentication
  const resolve = new Map(Object.entries(configuration.resolve))
  const keyService = await keyServices(configured, { ...ecs, fqdn, keyProfile, unwrapKey, resolve, credential })
  const keys = new PskKeys(clock.now)
  const known = new KnownEecs(eecOfIdentity)
  const psk = pskServer<HeldKey>({
    keyOf(text) {
      const identity = parseIdentity(keyProfile, text)
      return identity && keys.find(identity)
    },
    isGoodNow: (key) => keys.isGood(key),
    dummySecret: random.octets(32),
  })
  const ports: PskAuthenticationPorts = {
    pskEndpoint,
    keyProfile,
    now: clock.now,
    mayAsk: limitSources(ecs, 'requests'),
    keyService,
    mayAuthenticate: () => true,
    hold: (key) => keys.hold(key),
    find: (identity) => keys.find(identity),
    forget: (identity) => keys.forget(identity),
  }
  const confirmation = {
    ...ports,
    inDoubt: () => keys.inDoubt(),
    confirm: (identity: string) => keys.confirm(identity),
  }
  const fetching = { ...ports, eecIdOf: known.eecIdOf.bind(known) }
  const mayBegin = limitSources(ecs, 'handshakes')
  const front: PskFront = {
    mayBegin: (address) => mayBegin(sourceOf(address)),
    ...(fetchOnHandshake && { fetchKey: (identity, address) => fetchKey(fetching, identity, sourceOf(address)) }),
  }
  return {
    ...ports,
    tls: psk.tls,
    prepare: (server) => standBeforeHandshakes(server, front),
    provenKey: psk.provenKey,
    peerOf(socket) {
      const key = psk.provenKey(socket)
      keys.use(key)
      known.remember(key)
      return { method: methodOf(key.keyId), networkKey: key.keyId, eecIds: key.eecIds, gpsi: key.gpsi }
    },
    sweep: () => keys.sweep(),
    confirmKeys: () => confirmKeys(confirmation),
  }
}

function limitSources({ clock, log, configuration }: OpenEcs, of: 'requests' | 'handshakes') {
  const allow = rateLimit(configuration.authentication[of], clock.monotonic)
  const alarms = createAlarms(log)
  return (source: string) => {
    const isAllowed = allow(source)
    if (!isAllowed) alarms.raise('rate-limit', source)
    return isAllowed
  }
}
