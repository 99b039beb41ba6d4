import { createSecretKey, type KeyObject } from 'node:crypto'
import { provisioningRequest } from '../../src/eec/provisioning/service-provisioning.ts'
import { openPeer, type Peer, type Response } from '../../src/http/client.ts'
import { deriveKecs } from '../../src/keys/kedge.ts'
import type { Kedge } from '../../src/keys/key.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { systemTimers, type Timers } from '../../src/ports/timers.ts'
import { formatPskIdentity, type KedgeId } from '../../src/spec/kedge-id.ts'
import type { ECSServProvReq } from '../../src/spec/messages/service-provisioning.ts'
import { type EecId, parseEecId } from '../../src/spec/subscriber-identifiers.ts'
import { clientTls } from '../../src/tls/client.ts'
import { pskClientTls, requirePsk } from '../../src/tls/psk-client.ts'
import { parsed } from '../keys/octets.ts'
import { type AKeyService, aKedge } from './a-key-service.ts'
import type { RunningEcs } from './running-ecs.ts'

export const eecIdOf = (text: string): EecId => parsed(parseEecId(text))

/** An EEC on a UE of some network, as an ECS sees it. */
export interface AnEec {
  readonly eecId: EecId
  readonly kedgeId: KedgeId
  readonly kedge: Kedge
  readonly identity: string
  readonly key: KeyObject
}

interface Who {
  readonly eecId?: string
  readonly kedgeId?: KedgeId
  readonly kedge?: Kedge
  readonly gpsi?: string
  /** milliseconds since 1970 */
  readonly expiresAt?: number
  readonly keyProfile?: 'bound' | 'literal'
  /** of the subscriber */
  readonly eecIds?: readonly string[]
}

/** A subscriber of this network, with one EEC on its UE. */
export function anEec({ fqdn }: RunningEcs, network: AKeyService, who: Who = {}): AnEec {
  const { kedgeId = network.newKedgeId(), kedge = aKedge(), gpsi, expiresAt = Date.now() + 3_600_000 } = who
  const { keyProfile = 'bound', eecIds } = who
  const eecId = eecIdOf(who.eecId ?? 'eec-1')
  network.subscribers.set(kedgeId, { kedge, expiresAt, ...(gpsi !== undefined && { gpsi }), ...(eecIds && { eecIds }) })
  const isBound = keyProfile === 'bound'
  const identity = isBound ? formatPskIdentity({ eecIdTag: eecIdTag(eecId), kedgeId }) : kedgeId
  const key = createSecretKey((isBound ? deriveKecs(kedge, fqdn, eecId) : kedge).export())
  return { eecId, kedgeId, kedge, identity, key }
}

/** An authentication request, as anybody could write it. */
interface Asked {
  readonly eecId: unknown
  readonly kedgeId?: unknown
  readonly aKId?: unknown
}

/** Step 4, from some address of this machine. */
export async function ask(ecs: RunningEcs, body: Asked, localAddress = '127.0.0.1'): Promise<Response> {
  const { port } = new URL(ecs.serving.listeners.server)
  const tls = { ...clientTls([ecs.opened.ca.root()]), localAddress }
  const peer = openPeer(`https://${ecs.fqdn}:${port}`, tls, new Map([[ecs.fqdn, '127.0.0.1']]))
  try {
    return await askOver(peer, body)
  } finally {
    peer.close()
  }
}

export const askOver = (peer: Peer, { eecId, kedgeId, aKId }: Asked) =>
  peer.request({
    method: 'POST',
    path: '/eecs-authentication/v1/requests',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ eecId, kedgeId, aKId }),
  })

/** Step 7: a connection that opens with the first request. */
export function byPsk(ecs: RunningEcs, { identity, key }: Pick<AnEec, 'identity' | 'key'>): Peer {
  const { port } = new URL(ecs.serving.listeners.psk)
  const resolve = new Map([[ecs.fqdn, '127.0.0.1']])
  return openPeer(`https://${ecs.fqdn}:${port}`, pskClientTls({ identity, key }), resolve, requirePsk)
}

export const provision = (peer: Peer, eecId: EecId, wishes: Omit<ECSServProvReq, 'eecId'> = {}): Promise<Response> =>
  peer.request(provisioningRequest(eecId, wishes))

/** Steps 4 to 7, and the connection that comes of them. */
export async function authenticated(ecs: RunningEcs, eec: AnEec): Promise<Peer> {
  const { status, body } = await ask(ecs, eec)
  if (status !== 201) throw new Error(`the ECS answered ${status} ${body.toString()}`)
  const peer = byPsk(ecs, eec)
  await peer.socket()
  return peer
}

/** What is done regularly is done at once. */
export const hurried: Timers = {
  after: systemTimers.after,
  every: (milliseconds, action) => systemTimers.every(Math.min(milliseconds, 20), action),
}
