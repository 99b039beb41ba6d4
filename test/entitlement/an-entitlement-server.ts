import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { editPeers } from '../../src/bin/core/edit-peers.ts'
import { initCore } from '../../src/bin/core/init-core.ts'
import { openEntitlement } from '../../src/entitlement/adapters/open-entitlement.ts'
import { type ServingEntitlement, serveEntitlement } from '../../src/entitlement/server/serve-entitlement.ts'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { buildAuts, verifyAutn } from '../../src/keys/aka.ts'
import { attributeOf, type EapMethodPacket, readEapPacket } from '../../src/keys/eap.ts'
import { deriveAkaKeys } from '../../src/keys/eap-aka.ts'
import { authenticationReject, challengeResponse, synchronizationFailure } from '../../src/keys/eap-packets.ts'
import { takeKey } from '../../src/keys/key.ts'
import { certifyKey, createCoreAuthority, openCoreAuthority } from '../../src/nf/adapters/core-authority.ts'
import type { NfEnvironment } from '../../src/nf/server/serve-nf.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import { EAP_RELAY, INTROSPECTION_SCOPE } from '../../src/spec/entitlement-operations.ts'
import type { RegistrationId } from '../../src/spec/identifiers.ts'
import type { EntitlementDocument } from '../../src/spec/messages/entitlement.ts'
import type { Supi } from '../../src/spec/subscriber-identifiers.ts'
import { clientTls } from '../../src/tls/client.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { openUdm } from '../../src/udm/adapters/open-udm.ts'
import { type ServingUdm, serveUdm } from '../../src/udm/server/serve-udm.ts'
import { anNf, anotherDomain, certified, environment, fqdn } from '../nf/a-network.ts'

export const SUPI = 'imsi-001010000000001' as Supi
export const OTHER_SUPI = 'imsi-001010000000002' as Supi
export const ENT = fqdn('aes.mnc001.mcc001.pub.3gppnetwork.org')
export const ECS = fqdn('ecs.edge.example.com')
export const HOME = { mcc: '001', mnc: '01' }
export const naiOf = (supi: string) => `0${supi.slice('imsi-'.length)}@nai.epc.mnc001.mcc001.3gppnetwork.org`

/** MILENAGE set 1 of TS 35.208. */
export const SET_1 = {
  supi: SUPI as string,
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
  amf: 'b9b9',
  sqn: '000000000000',
}

export interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly body: EntitlementDocument & { readonly cause?: string; readonly 'eap-relay-packet'?: string }
  /** of the session, as the next request sends it */
  readonly cookie: string
}

/** A device's end of the listener for devices. */
export interface Device {
  readonly peer: Peer
  get(query: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Told>
  post(body: object, headers?: Readonly<Record<string, string>>): Promise<Told>
  relay(eapPacket: string, cookie: string, headers?: Readonly<Record<string, string>>): Promise<Told>
  /** the header `DPoP` of a POST by this key; `ahead` in milliseconds, as the clock of the server is */
  proof(signer?: Signer, ahead?: number): Promise<{ readonly dpop: string }>
}

/** A real UDM and a real entitlement server in this process, made by `edgeward core init`. */
export interface RunningEntitlement {
  readonly folder: string
  readonly udm: ServingUdm
  readonly server: ServingEntitlement
  readonly device: Device
  /** another connection */
  anotherDevice(): Device
  /** an ECS, or an EES, that may ask about tokens */
  verifier(name?: string, type?: 'ECS' | 'EES'): Promise<Verifier & { readonly credential: ServerCredential }>
  /** milliseconds that the clock of the server is ahead of ours */
  advance(milliseconds: number): void
  /** every row of its store that a request can add, change or take away */
  kept(): Promise<object>
  /** A new signing key, certified by the authority of the core unless something else is said. */
  rotate(change?: Rotation): Promise<{ readonly kid: string }>
  restart(): Promise<void>
  stopUdm(): Promise<void>
  close(): Promise<void>
}

export interface Verifier {
  introspect(token: string): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>
  validate(request: object): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>
  readonly peer: Peer
}

interface Rotation {
  readonly replacesAll?: boolean
  /** in the place of the one that the server has made */
  readonly key?: KeyObject
  readonly fqdn?: string
  /** certified by another authority */
  readonly foreign?: boolean
}

interface Options {
  readonly environment?: Partial<NfEnvironment>
  readonly udm?: Partial<NfEnvironment>
  readonly configuration?: object
  readonly subscribers?: readonly (typeof SET_1)[]
}

export async function runEntitlement({
  environment: change = {},
  udm: udmChange = {},
  configuration = {},
  subscribers = [SET_1, { ...SET_1, supi: OTHER_SUPI }],
}: Options = {}): Promise<RunningEntitlement> {
  const folder = join(await mkdtemp(join(tmpdir(), 'edgeward-')), 'core')
  const making = { clock: systemClock, random: systemRandom }
  await initCore(folder, { homeNetwork: HOME, routingIndicator: '0', address: '127.0.0.1' }, making)
  const home = join(folder, 'entitlement')
  const file = join(home, 'entitlement.yaml')
  await writeFile(file, stringify({ ...(parse(await readFile(file, 'utf8')) as object), ...configuration }))
  let ahead = 0
  const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead }
  let opened = await openEntitlement(home, environment({ clock, ...change }))
  const start = async () => {
    opened = await openEntitlement(home, environment({ clock, ...change }))
    return serveEntitlement(opened)
  }
  const udm = await serveUdm(await openUdm(join(folder, 'udm'), environment(udmChange)))
  await udm.operator.add(subscribers)
  let server = await serveEntitlement(opened)
  const root = await readFile(join(folder, 'ca', 'root.crt'), 'utf8')
  const open = new Set<Peer>()
  const resolve = new Map([[ENT, '127.0.0.1']])
  const connect = (listener: 'server' | 'mtls', credential?: Parameters<typeof clientTls>[1]) => {
    const { port } = new URL(server.listeners[listener])
    const peer = openPeer(`https://${ENT}:${port}`, clientTls([root], credential), resolve)
    open.add(peer)
    return peer
  }
  const anotherDevice = () => deviceOver(connect('server'))
  let device = anotherDevice()
  return {
    folder,
    udm,
    get server() {
      return server
    },
    get device() {
      return device
    },
    anotherDevice,
    async verifier(name = ECS, type = 'ECS') {
      const domain = await anotherDomain(name.split('.').slice(1).join('.'), 'ecs-issuer', 'ees-issuer')
      const entry = { fqdn: name, nfType: type, root: `${name}.crt`, scopes: [INTROSPECTION_SCOPE] }
      await writeFile(join(home, entry.root), domain.authorities)
      await editPeers(home, (list) => [...list, entry])
      await server.reload()
      const registrationId = systemRandom.uuid() as RegistrationId
      const { credential } = await (type === 'ECS'
        ? certified(domain.issuers['ecs-issuer'], { role: 'ecs', fqdn: fqdn(name) })
        : certified(domain.issuers['ees-issuer'], { role: 'ees', fqdn: fqdn(name), registrationId }))
      return { ...verifierOver(connect('mtls', credential)), credential }
    },
    async kept() {
      const tables = ['entitlement', 'operator_token', 'authentication_token', 'temporary_token', 'ledger']
      const read = (table: string) => opened.store.read({ sql: `select * from ${table} order by 1`, parameters: [] })
      return Promise.all(tables.map(read))
    },
    advance(milliseconds) {
      ahead += milliseconds
    },
    async rotate({ replacesAll = false, key, fqdn: name = ENT, foreign = false } = {}) {
      const { operator } = server
      const made = Buffer.from((await operator.newSigningKey()).publicKey, 'base64')
      const publicKey = key ?? createPublicKey({ key: made, format: 'der', type: 'spki' })
      const authority = foreign
        ? await createCoreAuthority(join(folder, 'foreign'), fqdn('core.example'), making)
        : await openCoreAuthority(join(folder, 'ca'), undefined)
      const subject = { ...anNf(name, 'ENT'), fqdn: fqdn(name) }
      return operator.installSigningKey({ chain: await certifyKey(subject, publicKey, authority, making), replacesAll })
    },
    async restart() {
      await server.close()
      server = await start()
      device = anotherDevice()
    },
    stopUdm: () => udm.close(),
    async close() {
      for (const peer of open) peer.close()
      await server.close()
      await udm.close().catch(() => {})
      await rm(join(folder, '..'), { recursive: true, force: true })
    },
  }
}

export const anEecKey = () => signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const defaultKey = anEecKey()
const USER_AGENT = 'PRD-TS43 term-Edgeward/Test client-IMS-Entitlement/1 OS-Linux/1'

function deviceOver(peer: Peer): Device {
  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ) => {
    const message = { method, path, headers: { 'user-agent': USER_AGENT, ...headers } }
    const answer = await peer.request({ ...message, ...(body !== undefined && { body }) })
    const text = answer.body.toString('utf8')
    const [cookie = ''] = answer.headers['set-cookie']?.map((line) => line.split(';', 1)[0] ?? '') ?? []
    const isJson = String(answer.headers['content-type']).includes('json')
    return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : {}, cookie }
  }
  return {
    peer,
    get: (query, headers = {}) => ask('GET', `/?${new URLSearchParams({ ...query })}`, headers),
    post: (body, headers = {}) =>
      ask('POST', '/', { 'content-type': 'application/json', ...headers }, JSON.stringify(body)),
    relay: (eapPacket, cookie, headers = {}) =>
      ask(
        'POST',
        '/',
        { 'content-type': EAP_RELAY, cookie, ...headers },
        JSON.stringify({ 'eap-relay-packet': eapPacket }),
      ),
    async proof(signer = defaultKey, ahead = 0) {
      const by = { signer, now: systemClock.now() + ahead, jti: systemRandom.uuid() }
      return { dpop: await createDpopProof({ method: 'POST', uri: `${peer.origin}/` }, by) }
    },
  }
}

function verifierOver(peer: Peer): Verifier {
  const ask = async (path: string, mediaType: string, body: string) => {
    const answer = await peer.request({ method: 'POST', path, headers: { 'content-type': mediaType }, body })
    return { status: answer.status, body: JSON.parse(answer.body.toString('utf8')) }
  }
  return {
    peer,
    introspect: (token) =>
      ask('/oauth2/introspect', 'application/x-www-form-urlencoded', new URLSearchParams({ token }).toString()),
    validate: (request) => ask('/', 'application/json', JSON.stringify(request)),
  }
}

/** What every request says: TS.43 2.3. */
export const TERMINAL = {
  terminal_id: '013787006099944',
  terminal_vendor: 'Edgeward',
  terminal_model: 'Test',
  terminal_sw_version: '1',
  entitlement_version: '12.0',
  app: 'ap2015',
}

export const acquisition = (eecId = 'eec-1', audience: string = ECS) => ({
  operation: 'AcquireOperatorToken',
  client_id: eecId,
  scope: `edge:${audience}`,
})

/** What ME and USIM make of an EAP-AKA challenge: RFC 4187 3, 7. */
export function usimOf(payload: string, supi: string = SUPI) {
  const keys = { k: takeKey('K', Buffer.from(SET_1.k, 'hex')), opc: takeKey('OPc', Buffer.from(SET_1.opc, 'hex')) }
  const packet = readEapPacket(Buffer.from(payload, 'base64')) as EapMethodPacket
  const [rand, autn] = [attributeOf(packet, 'AT_RAND'), attributeOf(packet, 'AT_AUTN')]
  const verified = rand && autn && verifyAutn(keys, rand, autn)
  if (verified === undefined || rand === undefined) throw new Error('the challenge is not of the home network')
  const { kAut } = deriveAkaKeys(naiOf(supi), verified.ik, verified.ck)
  const { identifier } = packet
  const b64 = (octets: Buffer) => octets.toString('base64')
  return {
    identifier,
    sqn: verified.sqn,
    response: (res = verified.res, checkcode?: Buffer) =>
      b64(challengeResponse('EAP-AKA', { identifier, res, ...(checkcode && { checkcode }) }, kAut)),
    reject: () => b64(authenticationReject('EAP-AKA', identifier)),
    syncFailure: (sqnMs = 2 ** 40) => b64(synchronizationFailure('EAP-AKA', identifier, buildAuts(keys, rand, sqnMs))),
  }
}

/** A whole EAP-AKA with what is asked for in the beginning. */
export async function authenticate(
  device: Device,
  parameters: object = {},
  { supi = SUPI, headers = {} }: { supi?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Told> {
  const started = await device.post({ ...TERMINAL, EAP_ID: naiOf(supi), ...parameters }, headers)
  if (started.status !== 200) return started
  return device.relay(usimOf(started.body['eap-relay-packet'] ?? '', supi).response(), started.cookie)
}

/** @returns an operator token by EAP-AKA */
export async function operatorToken(
  device: Device,
  { eecId = 'eec-1', audience = ECS, supi = SUPI, signer, ahead = 0 }: Partial<Wanted> = {},
): Promise<string> {
  const headers = await device.proof(signer, ahead)
  const answer = await authenticate(device, acquisition(eecId, audience), { supi, headers })
  const token = answer.body.ap2015?.['OperatorToken']
  if (token === undefined) throw new Error(`${answer.status} ${answer.text}`)
  return token
}

interface Wanted {
  readonly eecId: string
  readonly audience: string
  readonly supi: string
  readonly signer: Signer
  readonly ahead: number
}
