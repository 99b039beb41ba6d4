import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { openAusf } from '../../src/ausf/adapters/open-ausf.ts'
import { serveAusf } from '../../src/ausf/server/serve-ausf.ts'
import { initCore } from '../../src/bin/core/init-core.ts'
import { trustEcs } from '../../src/bin/core/trust-ecs.ts'
import type { IssuerRole } from '../../src/certificates/profile.ts'
import { type Message, openPeer, type Peer } from '../../src/http/client.ts'
import { buildAuts, concealedSqn, verifyAutn } from '../../src/keys/aka.ts'
import { attributeOf, type EapMethodPacket, readEapPacket } from '../../src/keys/eap.ts'
import { deriveAkaPrimeKeys, deriveCkIkPrime, kausfOfEmsk } from '../../src/keys/eap-aka-prime.ts'
import { authenticationReject, challengeResponse, synchronizationFailure } from '../../src/keys/eap-packets.ts'
import { deriveKausf, deriveResStar } from '../../src/keys/five-g-aka.ts'
import { deriveKedge, deriveKedgeId, EDGE_FUNCTION_CODES } from '../../src/keys/kedge.ts'
import { type Kausf, takeKey } from '../../src/keys/key.ts'
import { openNfFolder } from '../../src/nf/adapters/folder.ts'
import type { PeerEntry } from '../../src/nf/configuration.ts'
import type { NfEnvironment, ServingNf } from '../../src/nf/server/serve-nf.ts'
import { SEAF, type SeafConfiguration } from '../../src/nf/serving-network.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { NAUSF_UE_AUTHENTICATION as NAUSF, pathOf } from '../../src/spec/core-operations.ts'
import type { KedgeRequest, KedgeResponse } from '../../src/spec/messages/kedge-request.ts'
import type {
  ConfirmationDataResponse,
  EapSession,
  UEAuthenticationCtx,
} from '../../src/spec/messages/ue-authentication.ts'
import {
  type RoutingIndicator,
  type ServingNetworkName,
  type Supi,
  withoutTypePrefix,
} from '../../src/spec/subscriber-identifiers.ts'
import { clientTls } from '../../src/tls/client.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'
import { openUdm } from '../../src/udm/adapters/open-udm.ts'
import { type ServingUdm, serveUdm } from '../../src/udm/server/serve-udm.ts'
import { anotherDomain, certified, environment, fqdn } from '../nf/a-network.ts'

export const SUPI = 'imsi-001010000000001' as Supi
export const SERVING_NETWORK = '5G:mnc001.mcc001.3gppnetwork.org' as ServingNetworkName
export const ECS1 = fqdn('ecs.edge.example.com')
export const HOME = { mcc: '001', mnc: '01' }

export interface Answer<Body> {
  readonly status: number
  readonly body: Body & { readonly cause?: string }
  /** as it came */
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** A caller of the AUSF. */
export interface Caller {
  readonly peer: Peer
  call<Body>(method: Message['method'], path: string, body?: object): Promise<Answer<Body>>
  keyRequest(request: Partial<KedgeRequest>): Promise<Answer<KedgeResponse>>
}

/** A real UDM and a real AUSF in this process, made by `edgeward core init`. */
export interface RunningCore {
  readonly folder: string
  readonly udm: ServingUdm
  readonly ausf: ServingNf
  /** the SEAF of the core, on a connection of its own */
  seafAgain(): Promise<Caller>
  readonly seaf: Caller
  /** milliseconds that the clock of the AUSF is ahead of ours */
  advance(milliseconds: number): void
  caller(credential: ServerCredential): Caller
  /** an ECS that the AUSF trusts, with a connection */
  trustedEcs(name?: string, via?: 'ausf' | 'nef'): Promise<Caller & { readonly domain: EcsDomain }>
  /** the NEF of the core */
  nef(): Promise<Caller>
  /** the UDM of the core, as a client */
  udmCaller(): Promise<Caller>
  changeConfiguration(name: 'ausf' | 'udm', change: (configuration: Record<string, object>) => object): Promise<void>
  changePeers(change: (peers: readonly PeerEntry[]) => readonly object[]): Promise<void>
  stopUdm(): Promise<void>
  startUdm(): Promise<void>
  restartAusf(): Promise<void>
  /** for good: a process takes its place */
  stopAusf(): Promise<void>
  close(): Promise<void>
}

export type EcsDomain = Awaited<ReturnType<typeof anotherDomain<IssuerRole>>>

/** MILENAGE set 1 of TS 35.208, which is also the subscriber of the vectors in `test/vectors/keys`. */
export const SET_1 = {
  supi: SUPI,
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
  amf: 'b9b9',
  // The next one is ff9bb4d0b607, that of the set.
  sqn: 'ff9bb4d0b5e6',
  edge: true,
}

interface CoreOptions {
  /** of the AUSF */
  readonly ausf?: Partial<NfEnvironment>
  readonly udm?: Partial<NfEnvironment>
  readonly subscribers?: readonly (typeof SET_1 & { authMethod?: string; eecIds?: readonly string[] })[]
}

export async function runCore({ ausf: change = {}, udm: udmChange = {}, subscribers = [SET_1] }: CoreOptions = {}) {
  const folder = join(await mkdtemp(join(tmpdir(), 'edgeward-')), 'core')
  const making = { clock: systemClock, random: systemRandom }
  await initCore(folder, { homeNetwork: HOME, routingIndicator: '0', address: '127.0.0.1' }, making)
  let ahead = 0
  let stopped = false
  const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead }
  const start = async () => serveAusf(await openAusf(join(folder, 'ausf'), environment({ clock, ...change })))
  const startUdm = async () => serveUdm(await openUdm(join(folder, 'udm'), environment(udmChange)))
  let [udm, ausf] = [await startUdm(), await start()]
  await udm.operator.add(subscribers)
  const open = new Set<Peer>()
  const root = await readFile(join(folder, 'ca', 'root.crt'), 'utf8')

  const caller = (credential: ServerCredential): Caller => {
    const name = ausf.fqdn
    const { port } = new URL(ausf.listeners.mtls)
    const peer = openPeer(`https://${name}:${port}`, clientTls([root], credential), new Map([[name, '127.0.0.1']]))
    open.add(peer)
    return callerOver(peer)
  }
  const nfCredential = async (name: 'amf' | 'nef' | 'udm') => {
    const kind = name === 'amf' ? SEAF : { ...SEAF, name, schema: {} }
    return (await openNfFolder<SeafConfiguration>(join(folder, name), kind, undefined)).credential.current()
  }
  const core: RunningCore = {
    folder,
    get udm() {
      return udm
    },
    get ausf() {
      return ausf
    },
    seaf: caller(await nfCredential('amf')),
    seafAgain: async () => caller(await nfCredential('amf')),
    advance(milliseconds) {
      ahead += milliseconds
    },
    caller,
    async trustedEcs(name = ECS1, via = 'ausf') {
      const roles: IssuerRole[] = ['ecs-issuer', 'ees-issuer', 'operator-issuer']
      const domain = await anotherDomain(name.split('.').slice(1).join('.'), ...roles)
      await trustEcs(folder, { fqdn: fqdn(name), authorities: domain.authorities, via })
      await ausf.reload()
      const { credential } = await certified(domain.issuers['ecs-issuer'], { role: 'ecs', fqdn: fqdn(name) })
      return { ...caller(credential), domain }
    },
    nef: async () => caller(await nfCredential('nef')),
    udmCaller: async () => caller(await nfCredential('udm')),
    async changeConfiguration(name, edit) {
      const file = join(folder, name, `${name}.yaml`)
      const written = parse(await readFile(file, 'utf8')) as Record<string, object>
      await writeFile(file, stringify({ ...written, ...edit(written) }))
    },
    async changePeers(edit) {
      const file = join(folder, 'ausf', 'peers.yaml')
      await writeFile(
        file,
        stringify(edit(parse(await readFile(file, 'utf8')) as PeerEntry[]), { aliasDuplicateObjects: false }),
      )
      await ausf.reload()
    },
    stopUdm: () => udm.close(),
    async startUdm() {
      udm = await startUdm()
    },
    async restartAusf() {
      await ausf.close()
      ausf = await start()
    },
    async stopAusf() {
      await ausf.close()
      stopped = true
    },
    async close() {
      for (const peer of open) peer.close()
      if (!stopped) await ausf.close()
      await udm.close().catch(() => {})
      await rm(join(folder, '..'), { recursive: true, force: true })
    },
  }
  return core
}

function callerOver(peer: Peer): Caller {
  const call: Caller['call'] = async (method, path, body) => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await peer.request({ method, path, headers: { 'content-type': 'application/json' }, ...content })
    const text = answer.body.toString('utf8')
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text), text, headers: answer.headers }
  }
  return { peer, call, keyRequest: (request) => call(NAUSF.KeyRequest.method, NAUSF.KeyRequest.path, request) }
}

/** What a SEAF asks. */
export const authenticate = (seaf: Caller, change: object = {}) =>
  seaf.call<UEAuthenticationCtx>('POST', NAUSF.Authenticate.path, {
    supiOrSuci: SUPI,
    servingNetworkName: SERVING_NETWORK,
    ...change,
  })

export const authCtxIdOf = ({ headers }: Answer<unknown>) => String(headers['location']).split('/').at(-1) ?? ''

export const confirm = (seaf: Caller, authCtxId: string, resStar: string | null) =>
  seaf.call<ConfirmationDataResponse>('PUT', pathOf(NAUSF.Confirm5gAka, { authCtxId }), { resStar })

export const eapSession = (seaf: Caller, authCtxId: string, eapPayload: string | null) =>
  seaf.call<EapSession>('POST', pathOf(NAUSF.EapAuthMethod, { authCtxId }), { eapPayload })

const usim = (k = SET_1.k) => ({
  k: takeKey('K', Buffer.from(k, 'hex')),
  opc: takeKey('OPc', Buffer.from(SET_1.opc, 'hex')),
})

/** What the ME and the USIM make of a challenge: TS 33.501 6.1.3.2 steps 7 and 8. */
export function ueAnswer(rand: Buffer, autn: Buffer) {
  const verified = verifyAutn(usim(), rand, autn)
  if (verified === undefined) throw new Error('the challenge is not of the home network')
  const { ck, ik, res } = verified
  return {
    resStar: deriveResStar(ck, ik, SERVING_NETWORK, rand, res).toString('hex'),
    kausf: deriveKausf(ck, ik, SERVING_NETWORK, concealedSqn(autn)),
  }
}

/** @returns AUTS of the subscriber's USIM, or of another's */
export const autsOf = (rand: Buffer, sqnMs = 2 ** 47, k?: string) => buildAuts(usim(k), rand, sqnMs)

export function edgeKeysOf(kausf: Kausf, supi = SUPI) {
  const routingIndicator = '0' as RoutingIndicator
  return {
    kedge: deriveKedge(kausf, supi, EDGE_FUNCTION_CODES),
    kedgeId: deriveKedgeId(kausf, { supi, routingIndicator, homeNetwork: HOME }),
  }
}

/** A whole 5G AKA, as SEAF and UE run it. */
export async function authenticated(seaf: Caller, change: object = {}) {
  const started = await authenticate(seaf, change)
  if (started.status !== 201) throw new Error(started.text)
  const { rand, autn } = started.body['5gAuthData'] as { rand: string; autn: string }
  const { resStar, kausf } = ueAnswer(Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex'))
  const authCtxId = authCtxIdOf(started)
  const confirmed = await confirm(seaf, authCtxId, resStar)
  return { confirmed, authCtxId, resStar, kausf, ...edgeKeysOf(kausf, (change as { supiOrSuci?: Supi }).supiOrSuci) }
}

/** What a UE makes of an EAP-AKA' challenge. */
export function eapUe(payload: string, supi: string = SUPI) {
  const packet = readEapPacket(Buffer.from(payload, 'base64')) as EapMethodPacket
  const [rand, autn] = [attributeOf(packet, 'AT_RAND'), attributeOf(packet, 'AT_AUTN')]
  const verified = rand && autn && verifyAutn(usim(), rand, autn)
  if (verified === undefined || rand === undefined) throw new Error('the challenge is not of the home network')
  const { ckPrime, ikPrime } = deriveCkIkPrime(verified.ck, verified.ik, SERVING_NETWORK, concealedSqn(autn ?? rand))
  const keys = deriveAkaPrimeKeys(ckPrime, ikPrime, withoutTypePrefix(supi))
  const { identifier } = packet
  const b64 = (octets: Buffer) => octets.toString('base64')
  return {
    packet,
    kausf: kausfOfEmsk(keys.emsk),
    response: (res = verified.res, checkcode?: Buffer) => {
      return b64(challengeResponse("EAP-AKA'", { identifier, res, ...(checkcode && { checkcode }) }, keys.kAut))
    },
    reject: () => b64(authenticationReject("EAP-AKA'", identifier)),
    syncFailure: (sqnMs?: number) => b64(synchronizationFailure("EAP-AKA'", identifier, autsOf(rand, sqnMs))),
  }
}
