import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { readCertificateList, x5tS256 } from '../../src/certificates/certificate.ts'
import { writePem } from '../../src/certificates/pem.ts'
import type { Message, Peer, Response } from '../../src/http/client.ts'
import { createListener } from '../../src/http/listener.ts'
import { createLog } from '../../src/http/log.ts'
import { ok, routesOf } from '../../src/http/route.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import { ENTITLEMENT } from '../../src/spec/entitlement-operations.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { ECSServProvReq } from '../../src/spec/messages/service-provisioning.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { serverTls } from '../../src/tls/profile.ts'
import { createDpopProof, type DpopRequest } from '../../src/tokens/dpop-proof.ts'
import { issueEntitlementToken } from '../../src/tokens/entitlement-token.ts'
import { jwkOf, jwkThumbprint } from '../../src/tokens/jwk.ts'
import { edgeScope } from '../../src/tokens/scope.ts'
import { aDomain, fqdn } from '../certificates/a-domain.ts'
import { anNf, certified } from '../nf/a-network.ts'
import { eecIdOf } from './an-eec.ts'
import { newEesKey, type RunningEcs, runEcs } from './running-ecs.ts'

/** An EEC with a key of its own, which its tokens are bound to. */
export interface AnEntitledEec {
  readonly eecId: EecId
  readonly gpsi?: string
  readonly signer: Signer
  readonly jkt: string
}

export function anEntitledEec(eecId = 'eec-1', gpsi?: string): AnEntitledEec {
  const signer = signerOf(newEesKey())
  return { eecId: eecIdOf(eecId), signer, jkt: jwkThumbprint(signer.publicKey), ...(gpsi !== undefined && { gpsi }) }
}

export type AnEnt = Awaited<ReturnType<typeof anEnt>>

/** The entitlement server of an operator, as far as an ECS meets it: a name, a certificate, and who shows it. */
export async function anEnt(name = 'ent.operator.example') {
  const domain = await aDomain({ domain: name.slice(name.indexOf('.') + 1), rootCurve: 'P-256' })
  const { credential, key } = await certified(domain.issuers.nf, anNf(name))
  const chain = readCertificateList(credential.certificateChain)
  const signer = signerOf(key)
  const [leaf] = chain
  if (leaf === undefined) throw new Error('the ENT has no certificate')
  const certificateThumbprint = x5tS256(leaf.der)
  const own = { ...jwkOf(signer.publicKey), kid: jwkThumbprint(signer.publicKey), alg: 'ES256', use: 'sig' }
  const set = { keys: [{ ...own, x5c: chain.map(({ der }) => der.toString('base64')) }] }
  const listener = createListener<{ public: undefined }>({
    name,
    tls: serverTls(credential),
    routes: [
      routesOf<{ public: undefined }>()({
        operation: ENTITLEMENT.GetCertificates,
        credential: 'public',
        handle: async () => ok(set),
      }),
    ],
    authenticators: { public: async () => undefined },
    hosts: [name],
    log: createLog('test', 'silent'),
  })
  const port = await listener.listen('127.0.0.1', 0)
  return {
    name,
    issuer: `https://${name}`,
    root: writePem('CERTIFICATE', domain.root.certificate.der),
    port,
    token(aud: Fqdn, { eecId, gpsi, jkt }: Omit<AnEntitledEec, 'signer' | 'jkt'> & { jkt?: string }, now = Date.now()) {
      const grant = { iss: `https://${name}`, eecId, aud, scope: edgeScope(aud), certificateThumbprint }
      const bound = { ...(gpsi !== undefined && { gpsi }), ...(jkt !== undefined && { jkt }) }
      return issueEntitlementToken({ ...grant, ...bound }, { signer, now, jti: randomUUID() })
    },
    close: () => listener.close(),
  }
}

/** A real ECS that trusts the ENTs of some operators; everything else of its configuration and folder can be changed. */
export async function runEcsWithEnts(
  ents: readonly AnEnt[],
  change: (configuration: object) => object = () => ({}),
  files: Readonly<Record<string, string>> = {},
): Promise<RunningEcs> {
  const ecs = await runEcs()
  await ecs.restart(async () => {
    const file = join(ecs.folder, 'ecs.yaml')
    const written = parse(await readFile(file, 'utf8')) as object
    const entitlementServers = []
    for (const { name: host, issuer, port, root } of ents) {
      await writeFile(join(ecs.folder, `${host}.crt`), root)
      const apiRoot = `${issuer}:${port}`
      entitlementServers.push({ issuer, apiRoot, anchors: [`${host}.crt`], verify: 'certificate', unbound: 'refused' })
    }
    const resolve = Object.fromEntries(ents.map((ent) => [ent.name, '127.0.0.1']))
    const configuration = { ...written, resolve, authentication: { entitlementServers } }
    for (const [own, content] of Object.entries(files)) await writeFile(join(ecs.folder, own), content)
    await writeFile(file, stringify({ ...configuration, ...change(configuration) }))
  })
  return ecs
}

/** A request with a token and a proof of its key, as RFC 9449 7.1 has them. */
export async function withToken(
  ecs: RunningEcs,
  { signer }: Pick<AnEntitledEec, 'signer'>,
  token: string,
  message: Message,
  proofOf: Partial<DpopRequest> = {},
): Promise<Message> {
  const [path = ''] = message.path.split('?')
  const dpop = await proof(ecs, signer, { method: message.method, path, token, ...proofOf })
  return { ...message, headers: { ...message.headers, authorization: `DPoP ${token}`, dpop } }
}

/** A proof for a request on the `server` listener, or on another. */
export function proof(
  { serving, fqdn: name }: RunningEcs,
  signer: Signer,
  { path = '', listener = 'server', ...request }: Partial<DpopRequest> & { path?: string; listener?: 'server' | 'psk' },
): Promise<string> {
  const uri = `https://${name}:${new URL(serving.listeners[listener]).port}${path}`
  return createDpopProof({ method: 'POST', uri, ...request }, { signer, now: Date.now(), jti: randomUUID() })
}

const provisioningMessage = (body: ECSServProvReq): Message => ({
  method: 'POST',
  path: '/eecs-serviceprovisioning/v1/request',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** Eecs_ServiceProvisioning by entitlement token. */
export async function provisionBy(
  { ecs, ent, peer }: { readonly ecs: RunningEcs; readonly ent: AnEnt; readonly peer: Peer },
  eec: AnEntitledEec,
  wishes: Partial<ECSServProvReq> = {},
): Promise<Response> {
  const token = await ent.token(fqdn(ecs.fqdn), eec)
  return peer.request(await withToken(ecs, eec, token, provisioningMessage({ eecId: eec.eecId, ...wishes })))
}
