import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { certifyEas } from '../../src/ees/adapters/eas-authority.ts'
import { type EesCredential, onboard, type ServingEes, serveEes } from '../../src/ees/index.ts'
import { type Message, openPeer, type Peer, type Response } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { clientTls } from '../../src/tls/client.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { issueEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { aDomain, aKey, fqdn } from '../certificates/a-domain.ts'
import { csrOf, pemOf } from '../ecs/running-ecs.ts'
import { eecId as asEecId, scope as asScope } from '../tokens/parties.ts'
import { anEcs, ECS_FQDN, type Ecs, EES_FQDN, firstPem, PROFILE } from './an-ecs.ts'
import { ecsCredential, overTls } from './ecs-over-tls.ts'

export const EEC_SCOPE = 'eees-eecregistration eees-easdiscovery'
export const RELOCATION = 'eees-eeccontextreloc'
const LOG = createLog('test', process.env['EDGEWARD_TEST_LOG'] ?? 'silent')

/** Every name of the tests is on this machine. */
export const resolve = new Map<string, string>(
  [ECS_FQDN, EES_FQDN, 'ees2.ecsp.example', 'eec.example'].map((name) => [name, '127.0.0.1']),
)

/** An ECS with a network, at which EESs can be onboarded. */
export async function anEcsOnTls(script: Parameters<typeof anEcs>[0] = {}) {
  const ecs = await anEcs({ domain: await aDomain(), ...script })
  return { ecs, network: await overTls(ecs, await ecsCredential(ecs.domain)) }
}

export type RunningEes = Awaited<ReturnType<typeof runEes>>

/** A real EES in this process: a folder of its own, a real store, real TLS on loopback. */
export async function runEes(ecs: Ecs, configuration: object = {}) {
  const parent = mkdtempSync(join(tmpdir(), 'edgeward-ees-'))
  const folder = join(parent, 'ees')
  const registration = await onboard(JSON.stringify(ecs.bundleFile()), { eesProf: PROFILE }, { store: folder, resolve })
  writeFileSync(join(folder, 'ees.yaml'), stringify(configuration))
  const options = { folder, resolve, log: LOG, revocationPeriod: 1_000 }
  let serving = await serveEes(registration, options)
  const peers = new Set<Peer>()
  const connect = (listener: keyof ServingEes['listeners'], credential?: EesCredential): Peer => {
    const { port } = new URL(serving.listeners[listener])
    const peer = openPeer(`https://${EES_FQDN}:${port}`, clientTls([ecs.rootPem], credential), resolve)
    peers.add(peer)
    return peer
  }
  const stop = async () => {
    for (const peer of peers) peer.close()
    peers.clear()
    await serving.close()
  }
  return {
    folder,
    registration,
    options,
    get serving() {
      return serving
    },
    /** of the listener, as its clients know it */
    originOf: (listener: keyof ServingEes['listeners']) =>
      `https://${EES_FQDN}:${new URL(serving.listeners[listener]).port}`,
    connect,
    /** an EAS with a certificate of this EES's own authority */
    async credentialOfEas(easId: string): Promise<EesCredential> {
      const key = aKey()
      const certificateChain = await certifyEas(folder, EES_FQDN, { csr: await csrOf(key), easId })
      return { certificateChain, privateKey: pemOf(key) }
    },
    /** stops, and starts again on the same folder */
    async restart(changed: object = configuration, meanwhile = async () => {}) {
      await stop()
      await meanwhile()
      writeFileSync(join(folder, 'ees.yaml'), stringify(changed))
      serving = await serveEes(registration, options)
    },
    async close() {
      await stop()
      registration.close()
      rmSync(parent, { recursive: true })
    },
  }
}

interface EecToken {
  readonly aud?: string
  readonly scope?: string
  readonly gpsi?: string
}

/** An EEC with a key and a token of the ECS for the EES of the tests. */
export async function anEec(ecs: Ecs, id: string, { aud = EES_FQDN, scope = EEC_SCOPE, gpsi }: EecToken = {}) {
  const signer = signerOf(aKey())
  const grant = {
    iss: ecs.origins.server,
    eecId: asEecId(id),
    aud: fqdn(aud),
    scope: asScope(scope),
    ...(gpsi !== undefined && { gpsi }),
    jkt: jwkThumbprint(signer.publicKey),
  }
  const token = await issueEecAccessToken(grant, { signer: ecs.tokenSigner, now: Date.now(), jti: randomUUID() })
  return {
    id,
    token,
    /** headers for one request */
    async headers(origin: string, { method, path }: Pick<Message, 'method' | 'path'>, shown = token) {
      const uri = `${origin}${path.split('?', 1)[0]}`
      const proof = await createDpopProof({ method, uri, token: shown }, { signer, now: Date.now(), jti: randomUUID() })
      return { authorization: `DPoP ${shown}`, dpop: proof }
    },
    async ask(peer: Peer, method: Message['method'], path: string, body?: object, shown = token): Promise<Response> {
      const mediaType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      return peer.request({
        method,
        path,
        headers: {
          ...(await this.headers(peer.origin, { method, path }, shown)),
          ...(body && { 'content-type': mediaType }),
        },
        ...(body && { body: JSON.stringify(body) }),
      })
    },
  }
}

export type Eec = Awaited<ReturnType<typeof anEec>>

/** A request with a body, for whoever needs no proof. */
export function ask(peer: Peer, method: Message['method'], path: string, body?: object, token?: string) {
  const mediaType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  return peer.request({
    method,
    path,
    headers: {
      ...(body && { 'content-type': mediaType }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

export const derOf = ({ certificateChain }: EesCredential) => readCertificate(firstPem(certificateChain)).der
export const bodyOf = ({ body }: Response) => JSON.parse(body.toString() || 'null')
export const outcomeOf = (response: Response) => [response.status, bodyOf(response)?.cause]
