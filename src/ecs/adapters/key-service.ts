import { createPrivateKey, createSecretKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Resolve } from '../../http/client.ts'
import type { Log } from '../../http/log.ts'
import { isOfSchema } from '../../http/schema.ts'
import { type NfAnswer, nfClient } from '../../nf/adapters/nf-client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Timers } from '../../ports/timers.ts'
import { EDGE_KEY_RETRIEVAL, NAANF_AKMA, NAUSF_UE_AUTHENTICATION } from '../../spec/core-operations.ts'
import { parseKedgeId } from '../../spec/kedge-id.ts'
import { AkmaAfKeyData } from '../../spec/messages/akma.ts'
import { EdgeKeyData } from '../../spec/messages/edge-key-retrieval.ts'
import type { KeyProfile } from '../../spec/messages/eec-authentication.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { parseGpsi } from '../../spec/subscriber-identifiers.ts'
import { readPrivateFile } from '../../store/private-file.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { decryptJwe } from '../../tokens/jwe.ts'
import type { DeliveredKey, KeyService } from '../authentication/by-psk.ts'
import { type KeyId, type KeyQuestion, methodOf, realmOf } from '../authentication/key-id.ts'
import { guardedKeyService } from '../authentication/key-requests.ts'
import type { KeyServiceConfiguration } from '../configuration.ts'
import { ConfigurationError } from './open-folder.ts'

/** D-21 at the AUSF, D-24 at the NEF: the same question, and the same answer. */
const PATHS = { ausf: NAUSF_UE_AUTHENTICATION.KeyRequest.path, nef: EDGE_KEY_RETRIEVAL.path } as const

/** A clear word about this key. What is said otherwise, of our certificate say, is none (THREATS KE-13). */
const NO_SUCH_KEY = [400, 403, 404]

/** No network lets a key be good for longer (D-22), in milliseconds. */
const LONGEST_LIFE = 86_400_000

export interface KeyServiceEnvironment {
  /** of this ECS, as in its certificate */
  readonly fqdn: string
  readonly folder: string
  readonly keyProfile: KeyProfile
  /** file of the private key that keys are encrypted to */
  readonly unwrapKey?: string | undefined
  readonly resolve: Resolve
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** the certificate of this ECS, as it is now: the name in it is the name that the key is bound to */
  credential(): ServerCredential
}

/** @returns which key service is asked for a key */
export async function keyServices(
  configured: readonly KeyServiceConfiguration[],
  environment: KeyServiceEnvironment,
): Promise<(keyId: KeyId) => KeyService | undefined> {
  const services = new Map<string, KeyService>()
  const inFolder = (file: string) => (isAbsolute(file) ? file : join(environment.folder, file))
  const { unwrapKey: keyFile } = environment
  const unwrapKey = keyFile === undefined ? undefined : await readUnwrapKey(inFolder(keyFile))
  for (const service of configured) {
    if (service.akma === true && service.via !== 'ausf')
      throw new ConfigurationError('akma is for key services via ausf')
    const root = await readFile(inFolder(service.root), 'utf8')
    const ask = keyServiceOver(service, { root, unwrapKey }, environment)
    const guarded = guardedKeyService(ask, environment.clock.monotonic)
    services.set(`TLS_KEDGE ${service.realm}`, guarded)
    if (service.akma === true) services.set(`TLS_AKMA ${service.realm}`, guarded)
  }
  return (keyId) => services.get(`${methodOf(keyId)} ${realmOf(keyId)}`)
}

/** Mutual TLS with the certificate of the ECS; a renewed one opens a new connection. */
function keyServiceOver(
  { realm, via, apiRoot, afId }: KeyServiceConfiguration,
  { root, unwrapKey }: { readonly root: string; readonly unwrapKey: KeyObject | undefined },
  { fqdn, keyProfile, resolve, clock, timers, log, credential }: KeyServiceEnvironment,
): KeyService {
  const client = nfClient({ origin: apiRoot, root, credential, resolve, timers })
  return {
    async requestKey(question) {
      const isAkma = methodOf(question.keyId) === 'TLS_AKMA'
      const answer = await (isAkma
        ? client.ask('POST', NAANF_AKMA.path, { afId: fqdn, aKId: question.keyId })
        : client.ask('POST', PATHS[via], edgeKeyQuestion(question, via === 'nef' ? afId : undefined)))
      // Whatever the reason of a refusal is, the EEC learns one thing: there is no key for it here. So the same is
      // written for each of them: a line more takes longer (THREATS NG-06).
      if (answer.status !== 200) log.info({ realm, status: answer.status }, 'no key delivered')
      // TS 29.535 has 204 for it, and the key request has not.
      if (NO_SUCH_KEY.includes(answer.status) || (isAkma && answer.status === 204)) return undefined
      const latest = clock.now() + LONGEST_LIFE
      return isAkma ? toApplicationKey(answer, question, latest) : toKey(answer, { via, unwrapKey, keyProfile, latest })
    },
  }
}

function edgeKeyQuestion({ keyId, eecId }: KeyQuestion, afId: string | undefined): object {
  return { ...(afId !== undefined && { afId }), kedgeId: keyId, eecId }
}

interface Expected {
  readonly via: 'ausf' | 'nef'
  readonly unwrapKey: KeyObject | undefined
  readonly keyProfile: KeyProfile
  readonly latest: number
}

/** What is not exactly a key for our profile is nothing (THREATS KE-13). */
function toKey({ status, body }: NfAnswer, { keyProfile, latest, ...expected }: Expected): DeliveredKey {
  refuseUnless(status === 200, 'NF_CONGESTION', 'the key service does not answer now')
  refuseUnless(isOfSchema(EdgeKeyData, body), 'NF_CONGESTION', 'the key service answered something else than a key')
  const kedgeId = parseKedgeId(body.kedgeId)
  const scoped = body.keyScope === (keyProfile === 'bound' ? 'ECS' : 'UE')
  const gpsi = body.gpsi === undefined ? undefined : parseGpsi(body.gpsi)
  const isOurs = scoped && (body.gpsi === undefined || gpsi !== undefined)
  if (kedgeId === undefined || !isOurs)
    throw new Refusal('NF_CONGESTION', 'the key service answered a key of another kind')
  const octets = octetsOf(body, expected)
  refuseUnless(octets !== undefined, 'NF_CONGESTION', 'the key service answered a key that is not for this ECS')
  const key = createSecretKey(octets)
  octets.fill(0)
  return { key, keyId: kedgeId, gpsi, expiresAt: Math.min(Date.parse(body.expiry), latest) }
}

/** The answer does not name the key: it is the one that was asked for. */
function toApplicationKey({ status, body }: NfAnswer, { keyId }: KeyQuestion, latest: number): DeliveredKey {
  refuseUnless(status === 200, 'NF_CONGESTION', 'the key service does not answer now')
  const isKey = isOfSchema(AkmaAfKeyData, body) && /^[0-9A-Fa-f]{64}$/.test(body.kaf)
  refuseUnless(isKey, 'NF_CONGESTION', 'the key service answered something else than a key')
  const octets = Buffer.from(body.kaf, 'hex')
  const key = createSecretKey(octets)
  octets.fill(0)
  const gpsi = body.gpsi === undefined ? undefined : parseGpsi(body.gpsi)
  return { key, keyId, gpsi, expiresAt: Math.min(Date.parse(body.expiry), latest) }
}

/** With a key to encrypt to, one that the NEF could have read is not taken: it may be known to others (THREATS KE-09). */
function octetsOf({ kedge, kedgeJwe }: EdgeKeyData, { via, unwrapKey }: Pick<Expected, 'via' | 'unwrapKey'>) {
  if (kedge === undefined) return unwrapKey && decryptJwe(kedgeJwe, unwrapKey)
  return via === 'nef' && unwrapKey !== undefined ? undefined : Buffer.from(kedge, 'hex')
}

async function readUnwrapKey(file: string): Promise<KeyObject> {
  const pem = await readPrivateFile(file)
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch (cause) {
    throw new ConfigurationError(`${file} holds no private key in PEM`, { cause })
  } finally {
    pem.fill(0)
  }
  throw new ConfigurationError(`${file} holds no key on P-256`)
}
