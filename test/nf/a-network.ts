import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from 'typebox'
import type { Issuer } from '../../src/certificates/authority.ts'
import { createIssuer, createRoot } from '../../src/certificates/authority.ts'
import { issueCertificate } from '../../src/certificates/issue.ts'
import { writePem } from '../../src/certificates/pem.ts'
import type { IssuerRole } from '../../src/certificates/profile.ts'
import { drawSerial, type Subject, templateFor } from '../../src/certificates/template.ts'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { freePorts } from '../../src/http/free-ports.ts'
import { createLog } from '../../src/http/log.ts'
import { ok, routesOf } from '../../src/http/route.ts'
import {
  CORE_AUTHORITIES,
  type CoreAuthority,
  createCoreAuthority,
  createNfFolder,
} from '../../src/nf/adapters/core-authority.ts'
import { openNfFolder } from '../../src/nf/adapters/folder.ts'
import {
  type NfConfiguration,
  PEER_MEMBERS,
  type PeerEntry,
  peersText,
  SERVER_DEFAULTS,
  SERVER_MEMBERS,
} from '../../src/nf/configuration.ts'
import type { NfPeer } from '../../src/nf/peers.ts'
import { type NfEnvironment, type ServingNf, serveNf } from '../../src/nf/server/serve-nf.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import type { Fqdn, NfInstanceId } from '../../src/spec/identifiers.ts'
import type { Operation } from '../../src/spec/operation.ts'
import { clientTls } from '../../src/tls/client.ts'
import type { ServerCredential } from '../../src/tls/profile.ts'

export const fqdn = (name: string) => name as Fqdn
export const SERVER = fqdn('udm.core.example')

export const environment = (change: Partial<NfEnvironment> = {}): NfEnvironment => ({
  clock: systemClock,
  random: systemRandom,
  timers: systemTimers,
  log: createLog('nf', process.env['EDGEWARD_TEST_LOG'] ?? 'silent'),
  ...change,
})

const WHO: Operation = { id: 'Who', api: 'test', method: 'GET', path: '/who', clause: 'ours' }

interface TestPeers {
  reader: NfPeer
}

export interface Caller {
  readonly credential: ServerCredential
  readonly key: KeyObject
}

/** A network function with one route, `GET /who` under the scope `test:read`, in a domain of its own. */
export interface Network {
  readonly folder: string
  readonly nf: ServingNf
  readonly authority: CoreAuthority
  /** a certificate of this domain's authority for network functions */
  certified(subject: Subject & { role: 'nf' }): Promise<Caller>
  connect(credential?: ServerCredential): Peer
  writePeers(entries: readonly PeerEntry[]): Promise<void>
  close(): Promise<void>
}

export const READER: PeerEntry = {
  fqdn: 'ausf.core.example',
  nfType: 'AUSF',
  root: CORE_AUTHORITIES,
  scopes: ['test:read'],
}

export async function aNetwork(
  peers: readonly PeerEntry[] = [READER],
  own: object = {},
  prepare: (folder: string) => Promise<void> = async () => {},
): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-'))
  const making = { clock: systemClock, random: systemRandom }
  const authority = await createCoreAuthority(join(folder, 'ca'), fqdn('core.example'), making)
  const [mtls = 0] = await freePorts('127.0.0.1', 1)
  const nf = {
    nfInstanceId: systemRandom.uuid() as NfInstanceId,
    nfType: 'UDM',
    fqdn: SERVER,
    listen: { address: '127.0.0.1', mtls },
    resolve: {},
    own,
  }
  const home = join(folder, 'udm')
  await createNfFolder(home, 'udm', { nf, peers }, authority, making)
  await prepare(home)
  const serving = await serve(home)
  const open = new Set<Peer>()
  return {
    folder: home,
    nf: serving,
    authority,
    certified: (subject) => certified(authority.nfIssuer, subject),
    connect(credential) {
      const tls = clientTls([authority.root], credential)
      const peer = openPeer(`https://${SERVER}:${mtls}`, tls, new Map([[SERVER, '127.0.0.1']]))
      open.add(peer)
      return peer
    },
    writePeers: (entries) => writeFile(join(home, 'peers.yaml'), peersText(entries)),
    async close() {
      for (const peer of open) peer.close()
      await serving.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function serve(home: string): Promise<ServingNf> {
  const schema = Type.Object(SERVER_MEMBERS, { additionalProperties: false })
  const opened = await openNfFolder<NfConfiguration>(
    home,
    { name: 'udm', schema, defaults: SERVER_DEFAULTS },
    undefined,
  )
  const route = routesOf<TestPeers>()
  const entry = Type.Object(PEER_MEMBERS, { additionalProperties: false })
  return serveNf<TestPeers, PeerEntry>(opened, environment(), entry, () => ({
    routes: [
      route({
        operation: WHO,
        credential: 'reader',
        handle: async ({ peer }) => ok({ fqdn: peer.fqdn, nfInstanceId: peer.nfInstanceId ?? null }),
      }),
    ],
    authenticators: (callers) => ({ reader: callers.authorized('test:read') }),
  }))
}

/** A leaf under an issuing authority, as its holder shows it. */
export async function certified(issuer: Issuer, subject: Subject): Promise<Caller> {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const template = templateFor(subject, {
    issuer: issuer.certificate,
    spki: signerOf(key).publicKey.export({ type: 'spki', format: 'der' }),
    serial: drawSerial(systemRandom),
    now: systemClock.now(),
    crlDistributionPoint: 'http://crl.example/list.crl',
  })
  const der = await issueCertificate(template, issuer.signer)
  const certificateChain = writePem('CERTIFICATE', der) + writePem('CERTIFICATE', issuer.certificate.der)
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { credential: { certificateChain, privateKey }, key }
}

export const anNf = (name: string, nfType = 'AUSF') =>
  ({ role: 'nf', fqdn: fqdn(name), nfInstanceId: systemRandom.uuid() as NfInstanceId, nfType }) as const

/**
 * Another domain, with an authority for each role that is asked for.
 *
 * @returns PEM of its root and of the issuers below, and the issuers
 */
export async function anotherDomain<Role extends IssuerRole>(domain: string, ...roles: readonly Role[]) {
  const newSigner = () => signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  const now = systemClock.now()
  const root = await createRoot(fqdn(domain), { signer: newSigner(), now, random: systemRandom })
  const crlDistributionPoint = 'http://crl.example/root.crl'
  const issuers = await Promise.all(
    roles.map(async (role) => {
      const given = { signer: newSigner(), now, random: systemRandom, crlDistributionPoint }
      return [role, await createIssuer(role, root, given)] as const
    }),
  )
  const authorities = [root, ...issuers.map(([, issuer]) => issuer)]
  return {
    authorities: authorities.map(({ certificate }) => writePem('CERTIFICATE', certificate.der)).join(''),
    issuers: Object.fromEntries(issuers) as Record<Role, Issuer>,
  }
}
