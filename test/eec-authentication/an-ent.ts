import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { readCertificate, readCertificateList, x5tS256 } from '../../src/certificates/certificate.ts'
import type { TrustedEnt } from '../../src/eec-authentication/adapters/entitlement-verifier.ts'
import type { PresentedRequest } from '../../src/eec-authentication/presented-token.ts'
import { createListener } from '../../src/http/listener.ts'
import { createLog } from '../../src/http/log.ts'
import { type Answer, ok, routesOf } from '../../src/http/route.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import { ENTITLEMENT } from '../../src/spec/entitlement-operations.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { peerCertificate } from '../../src/tls/connection.ts'
import { mutualTls, serverTls } from '../../src/tls/profile.ts'
import { createDpopProof, type DpopRequest } from '../../src/tokens/dpop-proof.ts'
import { issueEntitlementToken } from '../../src/tokens/entitlement-token.ts'
import { jwkOf, jwkThumbprint } from '../../src/tokens/jwk.ts'
import { edgeScope } from '../../src/tokens/scope.ts'
import { anNf, anotherDomain, type Caller, certified } from '../nf/a-network.ts'
import { EEC } from '../tokens/parties.ts'

export const ECS = 'ecs1.edge.example.com' as Fqdn
export const EES = 'ees1.edge.example.com' as Fqdn
export const URI = `https://${ECS}:8443/eecs-serviceprovisioning/v1/request`

/** A key of an ENT with its certificates. */
export interface EntKey {
  readonly signer: Signer
  readonly certificateThumbprint: string
  /** as the ENT shows it (RFC 7517 4.7) */
  readonly jwk: object
}

export function entKey({ credential, key }: Caller): EntKey {
  const signer = signerOf(key)
  const chain = readCertificateList(credential.certificateChain)
  return {
    signer,
    certificateThumbprint: x5tS256(chain[0]?.der ?? Buffer.alloc(0)),
    jwk: {
      ...jwkOf(signer.publicKey),
      use: 'sig',
      alg: 'ES256',
      kid: jwkThumbprint(signer.publicKey),
      x5c: chain.map(({ der }) => der.toString('base64')),
    },
  }
}

export type AnEnt = Awaited<ReturnType<typeof anEnt>>

/** An entitlement server as verifiers meet it: two real listeners, whose answers a test may change. */
export async function anEnt(name = 'ent.operator.example') {
  const domain = await anotherDomain(name.slice(name.indexOf('.') + 1), 'nf-issuer')
  const nfIssuer = domain.issuers['nf-issuer']
  const newKey = async (host = name) => entKey(await certified(nfIssuer, anNf(host, 'AF')))
  const server = await certified(nfIssuer, anNf(name, 'AF'))
  const verifier = await certified(nfIssuer, anNf(ECS, 'AF'))
  const key = await newKey()
  const state = {
    shown: [key.jwk] as readonly object[],
    /** what is said of every token; by default that it is not active */
    says: (_token: string): object | Answer => ({ active: false }),
    fetched: 0,
    /** with whom, by certificate */
    asked: [] as { readonly token: string; readonly by: string | undefined }[],
  }
  const route = routesOf<{ public: undefined }>()
  const common = {
    authenticators: { public: async () => undefined },
    hosts: [name],
    log: createLog('test', 'silent'),
  }
  const open = createListener<{ public: undefined }>({
    ...common,
    name: 'server',
    tls: serverTls(server.credential),
    routes: [
      route({
        operation: ENTITLEMENT.GetCertificates,
        credential: 'public',
        async handle() {
          state.fetched++
          return ok({ keys: state.shown })
        },
      }),
    ],
  })
  const mtls = createListener<{ public: undefined }>({
    ...common,
    name: 'mtls',
    tls: mutualTls(server.credential, [domain.authorities]),
    routes: [
      route({
        operation: ENTITLEMENT.IntrospectToken,
        credential: 'public',
        content: {
          mediaType: 'application/x-www-form-urlencoded',
          schema: Type.Object({ token: Type.String(), token_type_hint: Type.Optional(Type.String()) }),
        },
        async handle({ body, socket }) {
          const by = readCertificate(peerCertificate(socket) ?? Buffer.alloc(0)).subjectAltNames.dnsNames[0]
          state.asked.push({ token: body.token, by })
          const said = state.says(body.token)
          return 'status' in said ? (said as Answer) : ok(said)
        },
      }),
    ],
  })
  const ports = { server: await open.listen('127.0.0.1', 0), mtls: await mtls.listen('127.0.0.1', 0) }
  const issuer = `https://${name}`
  return {
    name,
    issuer,
    state,
    key,
    newKey,
    nfIssuer,
    domain,
    /** what the ECS shows when it asks */
    verifierCredential: verifier.credential,
    /** what a verifier has in its configuration */
    trusted: (change: Partial<TrustedEnt> = {}): TrustedEnt => ({
      issuer,
      apiRoot: `${issuer}:${ports.server}`,
      introspectionRoot: `${issuer}:${ports.mtls}`,
      anchors: [domain.authorities],
      verify: 'certificate',
      unbound: 'refused',
      ...change,
    }),
    token(change: Partial<Parameters<typeof issueEntitlementToken>[0]> = {}, by = key, now = Date.now()) {
      const { signer, certificateThumbprint } = by
      const aud = change.aud ?? ECS
      const grant = { iss: issuer, eecId: EEC.id, aud, scope: edgeScope(aud), jkt: EEC.kid, certificateThumbprint }
      return issueEntitlementToken({ ...grant, ...change }, { signer, now, jti: randomUUID() })
    },
    /** As `token`, but bound to no key. */
    unboundToken(now = Date.now()) {
      const { signer, certificateThumbprint } = key
      const grant = { iss: issuer, eecId: EEC.id, aud: ECS, scope: edgeScope(ECS), certificateThumbprint }
      return issueEntitlementToken(grant, { signer, now, jti: randomUUID() })
    },
    async close() {
      await Promise.all([open.close(), mtls.close()])
    },
  }
}

/** A request of an EEC with a token and a fresh proof of its key. */
export async function presenting(
  token: string,
  { signer = EEC.signer, now = Date.now(), jti = randomUUID() as string, ...change }: Presenting = {},
): Promise<PresentedRequest> {
  const request = { method: 'POST', uri: URI }
  const dpop = await createDpopProof({ ...request, token, ...change }, { signer, now, jti })
  return { ...request, headers: { authorization: `DPoP ${token}`, dpop } }
}

interface Presenting extends Partial<DpopRequest> {
  readonly signer?: Signer
  readonly now?: number
  readonly jti?: string
}
