import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { Type } from 'typebox'
import { openPeer, type Peer, PeerUnavailable, type Resolve } from '../../http/client.ts'
import { isOfSchema } from '../../http/schema.ts'
import { parseKedgeId } from '../../spec/kedge-id.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type Gpsi, parseGpsi } from '../../spec/subscriber-identifiers.ts'
import { clientTls } from '../../tls/client.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import type { DeliveredKey, KeyService } from '../authentication/by-psk.ts'
import { guardedKeyService } from '../authentication/key-requests.ts'
import type { KeyServiceConfiguration } from '../configuration.ts'

/** D-21 at the AUSF, D-24 at the NEF: the same question, and the same answer. */
const PATHS = {
  ausf: '/nausf-auth/v1/ue-authentications/key-request',
  nef: '/3gpp-edge-key/v1/retrieve',
} as const

const EdgeKeyAnswer = Type.Object({
  kedge: Type.String({ pattern: '^[0-9A-Fa-f]{64}$' }),
  kedgeId: Type.String(),
  keyScope: Type.Enum(['ECS', 'UE']),
  expiry: Type.String({ format: 'date-time' }),
  gpsi: Type.Optional(Type.String()),
})

export interface KeyServiceEnvironment {
  readonly folder: string
  readonly keyProfile: 'bound' | 'literal'
  readonly resolve: Resolve
  /** the certificate of this ECS, as it is now: the name in it is the name that the key is bound to */
  credential(): ServerCredential
  now(): number
}

/** The key services of this ECS by the realm of the home network. */
export async function keyServices(
  configured: readonly KeyServiceConfiguration[],
  environment: KeyServiceEnvironment,
): Promise<ReadonlyMap<string, KeyService>> {
  const services = new Map<string, KeyService>()
  for (const service of configured) {
    const file = isAbsolute(service.root) ? service.root : join(environment.folder, service.root)
    const ask = keyServiceOver(service, await readFile(file, 'utf8'), environment)
    services.set(service.realm, guardedKeyService(ask, environment.now))
  }
  return services
}

/** Mutual TLS with the certificate of the ECS; a renewed one opens a new connection. */
function keyServiceOver(
  { via, apiRoot, afId }: KeyServiceConfiguration,
  root: string,
  environment: KeyServiceEnvironment,
): KeyService {
  let open: { peer: Peer; credential: ServerCredential } | undefined
  const peer = () => {
    const credential = environment.credential()
    if (open?.credential !== credential) {
      open?.peer.close()
      open = { credential, peer: openPeer(apiRoot, clientTls([root], credential), environment.resolve) }
    }
    return open.peer
  }
  return {
    async requestKey({ kedgeId, eecId }) {
      const body = JSON.stringify({ ...(via === 'nef' && { afId }), kedgeId, eecId })
      const headers = { 'content-type': 'application/json' }
      const asked = peer().request({ method: 'POST', path: PATHS[via], headers, body })
      const { status, body: answer } = await asked.catch((error: unknown) => {
        throw notAvailable(error)
      })
      // Whatever the reason of a refusal is, the EEC learns one thing: there is no key for it here.
      if (status >= 400 && status < 500 && status !== 429) return undefined
      refuseUnless(status === 200, 'NF_CONGESTION', 'the key service does not answer now')
      return toKey(answer, environment.keyProfile)
    },
  }
}

function notAvailable(error: unknown): unknown {
  return error instanceof PeerUnavailable
    ? new Refusal('NF_CONGESTION', 'the key service cannot be reached', { cause: error })
    : error
}

/** What is not exactly a key for our profile is nothing (THREATS KE-13). */
function toKey(octets: Buffer, keyProfile: 'bound' | 'literal'): DeliveredKey {
  const answer = parse(octets)
  refuseUnless(isOfSchema(EdgeKeyAnswer, answer), 'NF_CONGESTION', 'the key service answered something else than a key')
  const kedgeId = parseKedgeId(answer.kedgeId)
  const scoped = answer.keyScope === (keyProfile === 'bound' ? 'ECS' : 'UE')
  refuseUnless(kedgeId !== undefined && scoped, 'NF_CONGESTION', 'the key service answered a key of another kind')
  const gpsi: Gpsi | undefined = answer.gpsi === undefined ? undefined : parseGpsi(answer.gpsi)
  return {
    key: Buffer.from(answer.kedge, 'hex'),
    kedgeId,
    expiresAt: Date.parse(answer.expiry),
    ...(gpsi !== undefined && { gpsi }),
  }
}

function parse(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'))
  } catch {
    return undefined
  }
}
