import { createSecretKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { Type } from 'typebox'
import type { Resolve } from '../../http/client.ts'
import type { Log } from '../../http/log.ts'
import { isOfSchema } from '../../http/schema.ts'
import { type NfAnswer, type NfClient, nfClient } from '../../nf/adapters/nf-client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Timers } from '../../ports/timers.ts'
import { NAUSF_UE_AUTHENTICATION } from '../../spec/core-operations.ts'
import { parseKedgeId } from '../../spec/kedge-id.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import { hexDigits } from '../../spec/messages/forms.ts'
import { KedgeResponse } from '../../spec/messages/kedge-request.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { parseGpsi } from '../../spec/subscriber-identifiers.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import type { DeliveredKey, KeyService } from '../authentication/by-psk.ts'
import { guardedKeyService } from '../authentication/key-requests.ts'
import type { KeyServiceConfiguration } from '../configuration.ts'

/** D-21 at the AUSF, D-24 at the NEF: the same question, and the same answer. */
const PATHS = { ausf: NAUSF_UE_AUTHENTICATION.KeyRequest.path, nef: '/3gpp-edge-key/v1/retrieve' } as const

const KeyAnswer = Type.Object({
  ...KedgeResponse.properties,
  kedge: hexDigits(64),
  gpsi: Type.Optional(Type.String()),
})

/** A clear word about this key. What is said otherwise, of our certificate say, is none (THREATS KE-13). */
const NO_SUCH_KEY = [400, 403, 404]

/** No network lets a key be good for longer (D-22), in milliseconds. */
const LONGEST_LIFE = 86_400_000

export interface KeyServiceEnvironment {
  readonly folder: string
  readonly keyProfile: KeyProfile
  readonly resolve: Resolve
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** the certificate of this ECS, as it is now: the name in it is the name that the key is bound to */
  credential(): ServerCredential
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
    services.set(service.realm, guardedKeyService(ask, environment.clock.monotonic))
  }
  return services
}

/** Mutual TLS with the certificate of the ECS; a renewed one opens a new connection. */
function keyServiceOver(
  { realm, via, apiRoot, afId }: KeyServiceConfiguration,
  root: string,
  { keyProfile, resolve, clock, timers, log, credential }: KeyServiceEnvironment,
): KeyService {
  let open: { client: NfClient; credential: ServerCredential } | undefined
  const client = () => {
    const own = credential()
    if (open?.credential !== own) {
      open?.client.close()
      open = { credential: own, client: nfClient({ origin: apiRoot, root, credential: own, resolve, timers }) }
    }
    return open.client
  }
  return {
    async requestKey({ kedgeId, eecId }) {
      const answer = await client().ask('POST', PATHS[via], { ...(via === 'nef' && { afId }), kedgeId, eecId })
      // Whatever the reason of a refusal is, the EEC learns one thing: there is no key for it here.
      if (answer.status !== 200 && answer.status !== 404) log.warn({ realm, status: answer.status }, 'no key delivered')
      if (NO_SUCH_KEY.includes(answer.status)) return undefined
      return toKey(answer, keyProfile, clock.now() + LONGEST_LIFE)
    },
  }
}

/** What is not exactly a key for our profile is nothing (THREATS KE-13). */
function toKey({ status, body }: NfAnswer, keyProfile: KeyProfile, latest: number): DeliveredKey {
  refuseUnless(status === 200, 'NF_CONGESTION', 'the key service does not answer now')
  refuseUnless(isOfSchema(KeyAnswer, body), 'NF_CONGESTION', 'the key service answered something else than a key')
  const kedgeId = parseKedgeId(body.kedgeId)
  const scoped = body.keyScope === (keyProfile === 'bound' ? 'ECS' : 'UE')
  const gpsi = body.gpsi === undefined ? undefined : parseGpsi(body.gpsi)
  const isOurs = scoped && (body.gpsi === undefined || gpsi !== undefined)
  if (kedgeId === undefined || !isOurs)
    throw new Refusal('NF_CONGESTION', 'the key service answered a key of another kind')
  const octets = Buffer.from(body.kedge, 'hex')
  const key = createSecretKey(octets)
  octets.fill(0)
  return { key, kedgeId, gpsi, expiresAt: Math.min(Date.parse(body.expiry), latest) }
}
