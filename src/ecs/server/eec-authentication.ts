import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { refuseUnless } from '../../spec/refusal.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { provenPskIdentity, pskServerTls } from '../../tls/psk-server.ts'
import type { EcsContext } from '../adapters/context.ts'
import { keyServices } from '../adapters/key-service.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import type { PskAuthenticationPorts } from '../authentication/by-psk.ts'
import { PskKeys } from '../authentication/psk-keys.ts'
import type { EecPeer } from '../provisioning/provision-service.ts'

/** How EECs authenticate with a key of their network (P5): the keys held now, and the listener that takes them. */
export interface EecAuthentication extends PskAuthenticationPorts {
  readonly tls: SecureServerOptions
  /** @throws Refusal CREDENTIAL_MISSING for a connection that has not proven a key that is good now */
  peerOf(socket: TLSSocket): EecPeer
  /** Forgets keys that have ended. @returns whether connections may have lost theirs */
  sweep(): boolean
}

export async function eecAuthentication(
  ecs: OpenEcs & EcsContext,
  pskEndpoint: string,
  credential: () => ServerCredential,
): Promise<EecAuthentication> {
  const { configuration, clock, random, folder } = ecs
  const { keyProfile, keyServices: configured } = configuration.authentication
  const keys = new PskKeys(clock.now)
  const resolve = new Map(Object.entries(configuration.resolve))
  const services = await keyServices(configured, { folder, keyProfile, resolve, credential, now: clock.now })
  const isGoodNow = (identity: string) => keys.find(identity) !== undefined
  return {
    pskEndpoint,
    keyProfile,
    now: clock.now,
    keyService: (realm) => services.get(realm),
    mayAuthenticate: () => true,
    hold: (key) => keys.hold(key),
    tls: pskServerTls({ keyOf: (identity) => keys.find(identity)?.key, dummySecret: random.octets(32) }),
    peerOf(socket) {
      const key = keys.find(provenPskIdentity(socket, isGoodNow))
      refuseUnless(key !== undefined, 'CREDENTIAL_MISSING', 'the pre-shared key has ended')
      return { eecId: key.eecId, gpsi: key.gpsi }
    },
    sweep: () => keys.sweep().length > 0,
  }
}
