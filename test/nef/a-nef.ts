import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { parse, stringify } from 'yaml'
import { AUSF, type AusfConfiguration } from '../../src/ausf/configuration.ts'
import { initCore } from '../../src/bin/core/init-core.ts'
import { type TrustedEcs, trustEcs } from '../../src/bin/core/trust-ecs.ts'
import { readCertificate } from '../../src/certificates/certificate.ts'
import type { IssuerRole } from '../../src/certificates/profile.ts'
import { type Message, openPeer } from '../../src/http/client.ts'
import { openNef } from '../../src/nef/adapters/open-nef.ts'
import { serveNef } from '../../src/nef/server/serve-nef.ts'
import { openNfFolder } from '../../src/nf/adapters/folder.ts'
import type { NfEnvironment, ServingNf } from '../../src/nf/server/serve-nf.ts'
import { SEAF, type SeafConfiguration } from '../../src/nf/serving-network.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { EDGE_KEY_RETRIEVAL } from '../../src/spec/core-operations.ts'
import type { EdgeKeyData } from '../../src/spec/messages/edge-key-retrieval.ts'
import { clientTls } from '../../src/tls/client.ts'
import { mutualTls, type ServerCredential } from '../../src/tls/profile.ts'
import { anotherDomain, certified, environment, fqdn } from '../nf/a-network.ts'

export const ECS1 = 'ecs1.outside.example'
export const ECS2 = 'ecs2.elsewhere.example'
export const EEC = 'eec-1'
export const REALM = 'edge.5gc.mnc001.mcc001.3gppnetwork.org'
export const KEDGE_ID = `rid0.kid1a25d87e5ae4194bd5fb7238cdd5f989@${REALM}`
export const KEY = '83d8c991ffd798a9b02731860f249d4c00c9612f6a9745500c8889ca8976d8ee'

export const newKedgeId = () => `rid0.kid${systemRandom.octets(16).toString('hex')}@${REALM}`

/** What a good AUSF answers. */
export const delivered = (change: object = {}) => ({
  kedge: KEY,
  kedgeId: KEDGE_ID,
  keyScope: 'ECS',
  expiry: new Date(Date.now() + 3_600_000).toISOString(),
  ...change,
})

/** A request as the AUSF got it. */
export interface Asked {
  /** of the certificate of the caller */
  readonly caller: string
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Record<string, string>
  /** as it came */
  readonly text: string
}

type Says = (stream: ServerHttp2Stream, asked: Asked) => void

/** An answer with a status. */
export const says =
  (status: number, body: unknown): Says =>
  (stream) => {
    stream.respond({ ':status': status, 'content-type': 'application/json' })
    stream.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** What an AUSF says that has exactly this key. */
export const honest: Says = (stream, asked) => {
  if (asked.body['kedgeId'] === KEDGE_ID) says(200, delivered())(stream, asked)
  else says(404, { status: 404, cause: 'KEDGE_NOT_FOUND' })(stream, asked)
}

/** An AUSF that says what it is told to, on the port and with the certificate of the AUSF of the core. */
export async function aScriptedAusf(core: string) {
  const { credential, root, configuration } = await openNfFolder<AusfConfiguration>(join(core, 'ausf'), AUSF, undefined)
  const sessions = new Set<ServerHttp2Session>()
  const asked: Asked[] = []
  const ausf = { asked, answer: honest, port: configuration.listen.mtls, start, stop }

  let server = create()
  function create() {
    return createSecureServer(mutualTls(credential.current(), [root]))
      .on('session', (session) => sessions.add(session))
      .on('stream', async (stream, headers) => {
        stream.on('error', () => {})
        let text = ''
        for await (const part of stream.setEncoding('utf8') as AsyncIterable<string>) text += part
        const socket = stream.session?.socket as TLSSocket | undefined
        const { raw } = socket?.getPeerCertificate() ?? {}
        const [caller = ''] = raw === undefined ? [] : readCertificate(raw).subjectAltNames.dnsNames
        const request = { caller, path: String(headers[':path']), headers, body: JSON.parse(text), text }
        asked.push(request)
        ausf.answer(stream, request)
      })
  }
  async function start(): Promise<void> {
    server = create()
    await new Promise<void>((done) => server.listen(configuration.listen.mtls, '127.0.0.1', done))
  }
  async function stop(): Promise<void> {
    for (const session of sessions) session.destroy()
    sessions.clear()
    await new Promise((done) => server.close(done))
  }
  await start()
  return ausf
}

export interface Answer {
  readonly status: number
  readonly body: EdgeKeyData & { readonly cause?: string; readonly detail?: string }
  /** as it came */
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** Somebody with a connection to the NEF. */
export interface Caller {
  call(method: Message['method'], path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  retrieve(change?: object, headers?: Record<string, string>): Promise<Answer>
}

/** A NEF in this process, on a folder that `edgeward core init` has made. */
export async function startNef(core: string, change: Partial<NfEnvironment> = {}) {
  let ahead = 0
  const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead }
  const start = async () => serveNef(await openNef(join(core, 'nef'), environment({ clock, ...change })))
  let serving: ServingNf = await start()
  const root = await readFile(join(core, 'ca', 'root.crt'), 'utf8')
  const open = new Set<{ close(): void }>()
  const caller = (credential?: ServerCredential, afId?: string): Caller => {
    const { fqdn: name, listeners } = serving
    const opened = connect({ fqdn: name, port: Number(new URL(listeners.mtls).port), root }, credential, afId)
    open.add(opened)
    return opened
  }
  return {
    get serving() {
      return serving
    },
    /** milliseconds that its clock is ahead of ours */
    advance(milliseconds: number) {
      ahead += milliseconds
    },
    caller,
    async trustedEcs(name = ECS1, given: Partial<TrustedEcs> = {}) {
      const ecs = await trusted(core, name, given)
      await serving.reload()
      return { ...caller(ecs.credential, given.afId ?? name), ...ecs }
    },
    async changePeers(edit: (peer: Record<string, unknown>) => object) {
      const file = join(core, 'nef', 'peers.yaml')
      const peers = parse(await readFile(file, 'utf8')) as Record<string, unknown>[]
      await writeFile(file, stringify(peers.map(edit), { aliasDuplicateObjects: false }))
      await serving.reload()
    },
    async configure(members: object) {
      await serving.close()
      const file = join(core, 'nef', 'nef.yaml')
      await writeFile(file, stringify({ ...parse(await readFile(file, 'utf8')), ...members }))
      serving = await start()
    },
    async close() {
      for (const each of open) each.close()
      await serving.close()
    },
  }
}

/** An ECS outside the domain that the core trusts, with its credential. */
export async function trusted(core: string, name: string, given: Partial<TrustedEcs> = {}) {
  const roles: IssuerRole[] = ['ecs-issuer', 'ees-issuer', 'operator-issuer']
  const domain = await anotherDomain(name.split('.').slice(1).join('.'), ...roles)
  await trustEcs(core, { fqdn: fqdn(name), authorities: domain.authorities, via: 'nef', ...given })
  const { credential } = await certified(domain.issuers['ecs-issuer'], { role: 'ecs', fqdn: fqdn(name) })
  return { credential, domain }
}

/** @param afId - that requests name unless they say otherwise */
export function connect(
  { fqdn: name, port, root }: { readonly fqdn: string; readonly port: number; readonly root: string },
  credential?: ServerCredential,
  afId = '',
): Caller & { close(): void } {
  const peer = openPeer(`https://${name}:${port}`, clientTls([root], credential), new Map([[name, '127.0.0.1']]))
  const call: Caller['call'] = async (method, path, body, headers = {}) => {
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await peer.request({ method, path, headers: { ...type, ...headers }, ...content })
    const text = answer.body.toString('utf8')
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text), text, headers: answer.headers }
  }
  const { method, path } = EDGE_KEY_RETRIEVAL
  return {
    call,
    retrieve: (change = {}, headers = {}) =>
      call(method, path, { afId, kedgeId: KEDGE_ID, eecId: EEC, ...change }, headers),
    close: () => peer.close(),
  }
}

/** A NEF whose AUSF says what it is told to. */
export async function aNef(change: Partial<NfEnvironment> = {}) {
  const core = await makeCore()
  const ausf = await aScriptedAusf(core)
  const nef = await startNef(core, change)
  return {
    core,
    ausf,
    nef,
    async close() {
      await nef.close()
      await ausf.stop()
      await rm(join(core, '..'), { recursive: true, force: true })
    },
  }
}

export type ANef = Awaited<ReturnType<typeof aNef>>

export async function makeCore(): Promise<string> {
  const core = join(await mkdtemp(join(tmpdir(), 'edgeward-')), 'core')
  const home = { homeNetwork: { mcc: '001', mnc: '01' }, routingIndicator: '0', address: '127.0.0.1' }
  await initCore(core, home, { clock: systemClock, random: systemRandom })
  return core
}

/** What a network function of the core shows. */
export async function credentialOf(core: string, name: 'amf' | 'udm' | 'ausf'): Promise<ServerCredential> {
  const kind = name === 'amf' ? SEAF : { ...SEAF, name, schema: {} }
  return (await openNfFolder<SeafConfiguration>(join(core, name), kind, undefined)).credential.current()
}
