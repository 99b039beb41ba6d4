import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { Type } from 'typebox'
import { parse, stringify } from 'yaml'
import { writePem } from '../../src/certificates/pem.ts'
import type { EcsEnvironment } from '../../src/ecs/adapters/open-ecs.ts'
import { freePorts } from '../../src/http/free-ports.ts'
import { createListener } from '../../src/http/listener.ts'
import { createLog } from '../../src/http/log.ts'
import { type Answer, noContent, ok, routesOf } from '../../src/http/route.ts'
import { deriveKaf } from '../../src/keys/akma.ts'
import { deriveKecs } from '../../src/keys/kedge.ts'
import type { Kakma, Kedge } from '../../src/keys/key.ts'
import { NAANF_AKMA } from '../../src/spec/core-operations.ts'
import type { KedgeId } from '../../src/spec/kedge-id.ts'
import { parseKedgeId } from '../../src/spec/kedge-id.ts'
import { AkmaAfKeyRequest } from '../../src/spec/messages/akma.ts'
import type { KedgeResponse } from '../../src/spec/messages/kedge-request.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { mutualTls } from '../../src/tls/profile.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { key, parsed } from '../keys/octets.ts'
import { anNf, certified } from '../nf/a-network.ts'
import { type RunningEcs, runEcs } from './running-ecs.ts'

/** What an ECS asked, and by which name of its certificate. */
export interface Question {
  readonly path: string
  readonly body: { readonly kedgeId: KedgeId; readonly eecId: EecId; readonly afId?: string }
  readonly ecs: string
}

export interface Subscriber {
  readonly kedge: Kedge
  readonly gpsi?: string
  readonly expiresAt: number
  /** the only ones that get its key, as AUSFs have it that know whose an EEC ID is */
  readonly eecIds?: readonly string[]
}

export type AKeyService = Awaited<ReturnType<typeof aKeyService>>

const route = routesOf<{ ecs: string }>()
const KeyQuestion = Type.Object({ kedgeId: Type.String(), eecId: Type.String(), afId: Type.Optional(Type.String()) })

/** The name in the certificate that the ECS showed. */
function nameOf(socket: TLSSocket): string {
  const names = socket.getPeerX509Certificate()?.subjectAltName?.split(', ') ?? []
  return names.find((name) => name.startsWith('DNS:'))?.slice(4) ?? ''
}

/**
 * Stands where the AUSF or the NEF of a network is: D-21, D-24. It answers the keys of its subscribers, and what it is
 * told to.
 *
 * @param authorities - PEM of those that issue to ECSs
 */
export async function aKeyService(via: 'ausf' | 'nef', mnc: string, authorities: readonly string[]) {
  const realm = `mnc${mnc}.mcc001`
  const name = fqdn(`${via}.5gc.${realm}.3gppnetwork.org`)
  const domain = await aDomain({ domain: `5gc.${realm}.3gppnetwork.org`, rootCurve: 'P-256' })
  const { credential } = await certified(domain.issuers.nf, anNf(name, via.toUpperCase()))
  const asked: Question[] = []
  const subscribers = new Map<string, Subscriber>()
  const oddities = new Map<string, (honest: KedgeResponse | undefined) => Promise<Answer>>()
  const [port = 0] = await freePorts('127.0.0.1', 1)
  const state: { keyScope: KedgeResponse['keyScope'] } = { keyScope: 'ECS' }

  const honestAnswer = ({ body: { kedgeId, eecId }, ecs }: Question): KedgeResponse | undefined => {
    const subscriber = subscribers.get(kedgeId)
    if (subscriber === undefined || subscriber.eecIds?.includes(eecId) === false) return undefined
    const { kedge, gpsi, expiresAt } = subscriber
    const delivered = state.keyScope === 'ECS' ? deriveKecs(kedge, fqdn(ecs), eecId) : kedge
    const answer = {
      kedge: delivered.export().toString('hex'),
      kedgeId,
      keyScope: state.keyScope,
      ...(gpsi && { gpsi }),
    }
    return { ...answer, expiry: new Date(expiresAt).toISOString() }
  }
  const keyRequest = (path: string) =>
    route({
      operation: { id: path, api: 'test', method: 'POST', path, clause: 'D-21' },
      credential: 'ecs',
      content: { mediaType: 'application/json', schema: KeyQuestion },
      async handle({ body, peer }) {
        const question = { path, body: { ...body } as Question['body'], ecs: peer }
        asked.push(question)
        const honest = honestAnswer(question)
        const odd = oddities.get(body.kedgeId) ?? oddities.get('*')
        if (odd !== undefined) return odd(honest)
        if (honest === undefined) throw new Refusal('KEDGE_NOT_FOUND', 'there is no key under this Kedge ID')
        return ok(honest)
      },
    })
  const akmaKeys = new Map<string, { readonly kakma: Kakma; readonly expiresAt: number }>()
  const askedOfAkma: { readonly aKId: string; readonly afId: string; readonly ecs: string }[] = []
  const applicationKey = route({
    operation: NAANF_AKMA,
    credential: 'ecs',
    content: { mediaType: 'application/json', schema: AkmaAfKeyRequest },
    async handle({ body: { aKId, afId }, peer }) {
      askedOfAkma.push({ aKId, afId, ecs: peer })
      const found = akmaKeys.get(aKId)
      if (found === undefined) return noContent()
      const kaf = deriveKaf(found.kakma, fqdn(peer)).export().toString('hex')
      return ok({ kaf, expiry: new Date(found.expiresAt).toISOString() })
    },
  })
  const listen = async () => {
    const listener = createListener<{ ecs: string }>({
      name: via,
      tls: mutualTls(credential, authorities),
      routes: [
        keyRequest('/nausf-auth/v1/ue-authentications/key-request'),
        keyRequest('/3gpp-edge-key/v1/retrieve'),
        applicationKey,
      ],
      authenticators: { ecs: async ({ socket }) => nameOf(socket) },
      hosts: [name],
      log: createLog('test', 'silent'),
    })
    await listener.listen('127.0.0.1', port)
    return listener
  }
  let listener: Awaited<ReturnType<typeof listen>> | undefined = await listen()
  return {
    realm,
    via,
    name,
    root: writePem('CERTIFICATE', domain.root.certificate.der),
    get port() {
      return port
    },
    /** in order */
    asked,
    /** by Kedge ID */
    subscribers,
    /** by A-KID */
    akmaKeys,
    askedOfAkma,
    /** what is answered about a Kedge ID instead, about every one with `*` */
    oddities,
    set keyScope(scope: KedgeResponse['keyScope']) {
      state.keyScope = scope
    },
    /** A Kedge ID of this network that nobody has yet. */
    newKedgeId: (kid = randomBytes(16).toString('hex')) =>
      parsed(parseKedgeId(`rid0.kid${kid}@edge.5gc.${realm}.3gppnetwork.org`)),
    async stop() {
      await listener?.close()
      listener = undefined
    },
    async start() {
      listener ??= await listen()
    },
  }
}

export const aKedge = (): Kedge => key('Kedge', randomBytes(32).toString('hex'))

interface Options extends Partial<EcsEnvironment> {
  readonly keyProfile?: 'bound' | 'literal'
  readonly requests?: { readonly perSecond: number; readonly burst: number }
  readonly handshakes?: { readonly perSecond: number; readonly burst: number }
  readonly fetchOnHandshake?: boolean
  /** whether the network of the AUSF is also asked for KAF */
  readonly akma?: boolean
}

const UNLIMITED = { perSecond: 100_000, burst: 100_000 }

/** A real ECS that asks the AUSF of one network and the NEF of another; both stand here. */
export async function runEcsWithKeyServices(name: string, options: Options = {}) {
  const { keyProfile = 'bound', fetchOnHandshake = false, akma = false, ...others } = options
  const { requests = UNLIMITED, handshakes = UNLIMITED, ...environment } = others
  const ecs = await runEcs(name, environment)
  const { root, ecsIssuer } = ecs.opened.ca.present()
  const authorities = [root, ecsIssuer.certificate].map(({ der }) => writePem('CERTIFICATE', der))
  const [ausf, nef] = await Promise.all([
    aKeyService('ausf', '001', authorities),
    aKeyService('nef', '002', authorities),
  ])
  ausf.keyScope = nef.keyScope = keyProfile === 'bound' ? 'ECS' : 'UE'
  await ecs.restart(() =>
    configure(ecs, [{ ...ausf, akma }, nef], { keyProfile, requests, handshakes, fetchOnHandshake }),
  )
  return {
    ecs,
    ausf,
    nef,
    async close() {
      await ecs.close()
      await Promise.all([ausf.stop(), nef.stop()])
    },
  }
}

async function configure(
  { folder }: RunningEcs,
  services: readonly (Pick<AKeyService, 'realm' | 'via' | 'name' | 'port' | 'root'> & { akma?: boolean })[],
  authentication: object,
): Promise<void> {
  const file = join(folder, 'ecs.yaml')
  const written = parse(await readFile(file, 'utf8')) as object
  const keyServices = []
  for (const { realm, via, name, port, root, akma } of services) {
    await writeFile(join(folder, `${via}.crt`), root)
    const service = { realm, via, apiRoot: `https://${name}:${port}`, root: `${via}.crt`, ...(akma && { akma }) }
    keyServices.push({ ...service, ...(via === 'nef' && { afId: 'af-of-this-ecs' }) })
  }
  const resolve = Object.fromEntries(services.map(({ name }) => [name, '127.0.0.1']))
  await writeFile(file, stringify({ ...written, resolve, authentication: { ...authentication, keyServices } }))
}
