import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readCertificate, x5tS256 } from '../../src/certificates/certificate.ts'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { writeCertsOnly } from '../../src/certificates/certs-only.ts'
import { issueCrl } from '../../src/certificates/crl.ts'
import { writePem } from '../../src/certificates/pem.ts'
import type { Connect } from '../../src/ees/connection.ts'
import { type OnboardingBundle, readBundle } from '../../src/ees/onboarding/bundle.ts'
import type { EesCredential } from '../../src/ees/registration/record.ts'
import type { Message, Response } from '../../src/http/client.ts'
import { PeerUnavailable } from '../../src/http/client.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { type Fqdn, parseRegistrationId, type RegistrationId } from '../../src/spec/identifiers.ts'
import type { EESProfile, EESRegistration } from '../../src/spec/messages/ees-registration.ts'
import type { AuthInfo } from '../../src/spec/messages/onboarding-information.ts'
import { issueAccessToken } from '../../src/tokens/access-token.ts'
import { keySetOf, toJwkSet } from '../../src/tokens/key-set.ts'
import { aDomain, aKey, type Domain, eesId, fqdn, spkiOf } from '../certificates/a-domain.ts'
import { scope } from '../tokens/parties.ts'

export const ECS_FQDN = fqdn('ecs1.ecsp.example')
export const EES_FQDN = fqdn('ees1.ecsp.example')
export const EES_ID = eesId('ees-1')
export const ONBOARDING_TOKEN = 'canary.onboarding.token'
export const PROFILE: EESProfile = { eesId: EES_ID, endPt: { fqdn: EES_FQDN }, eecRegConf: false }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** A request as it reaches the ECS, with what its connection shows. */
export interface Call {
  readonly origin: string
  readonly message: Message
  readonly channelBinding: Buffer | undefined
  /** DER of the client certificate */
  readonly certificate: Buffer | undefined
}

export interface Script {
  /** by `METHOD /path`: what to answer instead; undefined means the honest answer */
  readonly answers?: Record<string, (call: Call, honest: () => Promise<Response>) => Promise<Response> | Response>
  readonly now?: () => number
  readonly domain?: Domain
  /** milliseconds */
  readonly certificateLifetime?: number
  /** milliseconds that a registration is granted; as long as its certificate unless given */
  readonly registrationLifetime?: number
}

/** An ECS as an EES sees it: it answers by the contract, or as the script of the test says. It keeps no rules. */
export async function anEcs(script: Script = {}) {
  const now = script.now ?? Date.now
  const domain = script.domain ?? (await aDomain({ now: now() }))
  const tokenKey = aKey()
  const tokenSigner = signerOf(tokenKey)
  const origins = { server: `https://${ECS_FQDN}:8443`, mtls: `https://${ECS_FQDN}:8444` }
  const answers = { ...script.answers }
  const asked: Call[] = []
  const registrationId = parseRegistrationId(randomUUID()) as RegistrationId
  const revoked = new Map<string, number>()
  let registration: EESRegistration | undefined
  let notAfter = 0
  let version = 1
  let crlNumber = 1n

  const rootPem = writePem('CERTIFICATE', domain.root.certificate.der)
  const expTime = () =>
    new Date(script.registrationLifetime ? now() + script.registrationLifetime : notAfter).toISOString()
  const stored = (): Response =>
    json(200, { ...registration, expTime: registration?.expTime ?? expTime() }, { etag: `"${version}"` })

  const certify = async (
    spki: Buffer,
    name: Fqdn = EES_FQDN,
    id: RegistrationId = registrationId,
  ): Promise<string[]> => {
    const leaf = await domain.issue(
      { role: 'ees', fqdn: name, registrationId: id, eesId: EES_ID },
      { spki, now: now(), ...(script.certificateLifetime && { lifetime: script.certificateLifetime }) },
    )
    notAfter = leaf.notAfter
    return [leaf.der, domain.issuers.ees.certificate.der].map((der) => writePem('CERTIFICATE', der))
  }
  const authInfo = (): AuthInfo => ({
    apiRoot: origins.mtls,
    issuer: origins.server,
    jwksUri: `${origins.server}/oauth2/jwks`,
    estUrl: `${origins.mtls}/.well-known/est`,
    crlUrl: `${origins.server}/crl/ees-issuer.crl`,
    renewAfter: new Date(now() + ((notAfter - now()) * 2) / 3).toISOString(),
    tokenEndpoint: `${origins.mtls}/oauth2/token`,
    scope: 'eecs-eesregistration',
  })
  const token = (certificate: Buffer, { aud = ECS_FQDN, names = 'eecs-eesregistration', lifetime = 600 } = {}) => {
    const [sub] = readCertificate(certificate).subjectAltNames.dnsNames
    if (sub === undefined) throw new Error('a certificate without a name')
    const grant = { iss: origins.server, sub, aud, scope: scope(names), certificateThumbprint: x5tS256(certificate) }
    return issueAccessToken(grant, { signer: tokenSigner, now: now(), jti: randomUUID(), lifetime })
  }
  const crl = async (lifetime = DAY): Promise<Buffer> =>
    issueCrl({
      issuer: domain.issuers.ees,
      number: crlNumber++,
      thisUpdate: now(),
      nextUpdate: now() + lifetime,
      entries: [...revoked].map(([serial, revokedAt]) => ({ serial, revokedAt })),
    })

  const honest: Record<string, (call: Call) => Promise<Response>> = {
    'POST /eecs-eesregistration/v1/registrations': async ({ message }) => {
      const { onboardingInformation, suppFeat, ...rest } = JSON.parse(String(message.body))
      const { spki } = readCertificationRequest(onboardingInformation.csr)
      const eesCertificate = (await certify(spki)).join('')
      registration = { ...rest, suppFeat }
      const leaf = readCertificate(eesCertificate.slice(0, eesCertificate.indexOf('-----END') + 26)).der
      const issued = { registrationId, eesCertificate, authInfo: authInfo() }
      const granted = { accessToken: await token(leaf), tokenType: 'Bearer', expiresIn: 600 }
      const body = { ...registration, expTime: expTime(), onboardingInformation: { ...issued, ...granted } }
      return json(201, body, {
        etag: `"${version}"`,
        location: `/eecs-eesregistration/v1/registrations/${registrationId}`,
      })
    },
    [`GET /eecs-eesregistration/v1/registrations/${registrationId}`]: async () => stored(),
    [`PUT /eecs-eesregistration/v1/registrations/${registrationId}`]: async ({ message }) => {
      const { 'if-match': ifMatch } = message.headers ?? {}
      if (ifMatch !== undefined && ifMatch !== `"${version}"`) return problem(412, 'PRECONDITION_FAILED')
      registration = JSON.parse(String(message.body))
      version++
      return stored()
    },
    [`PATCH /eecs-eesregistration/v1/registrations/${registrationId}`]: async ({ message }) => {
      registration = { ...registration, ...JSON.parse(String(message.body)) }
      version++
      return stored()
    },
    [`DELETE /eecs-eesregistration/v1/registrations/${registrationId}`]: async () => ({
      status: 204,
      headers: {},
      body: Buffer.alloc(0),
    }),
    'POST /oauth2/token': async ({ message, certificate }) => {
      const form = new URLSearchParams(String(message.body))
      const aud = fqdn(form.get('resource')?.replace('https://', '') ?? ECS_FQDN)
      const names = form.get('scope') ?? ''
      const lifetime = aud === ECS_FQDN ? 600 : 300
      const access_token = await token(certificate ?? Buffer.alloc(0), { aud, names, lifetime })
      return json(200, { access_token, token_type: 'Bearer', expires_in: lifetime, scope: names })
    },
    'POST /.well-known/est/simplereenroll': async ({ message }) => {
      const { spki } = readCertificationRequest(Buffer.from(String(message.body), 'base64'))
      version++
      return certsOnly(await certify(spki))
    },
    'GET /oauth2/jwks': async () => json(200, toJwkSet(keySetOf([tokenSigner.publicKey]))),
    'GET /crl/ees-issuer.crl': async () => ({
      status: 200,
      headers: { 'content-type': 'application/pkix-crl' },
      body: await crl(),
    }),
  }

  return {
    domain,
    rootPem,
    origins,
    answers,
    asked,
    registrationId,
    tokenKey,
    tokenSigner,
    authInfo,
    token,
    crl,
    certify,
    revoke: (serial: string) => revoked.set(serial, now()),
    /** `METHOD /path` of everything that was asked, in order */
    paths: () => asked.map(({ message }) => `${message.method} ${message.path}`),
    /** an EES with a key of its own */
    async credentialFor(name: Fqdn, id?: RegistrationId): Promise<EesCredential> {
      const key = aKey()
      const chain = await certify(spkiOf(signerOf(key)), name, id)
      const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString()
      return { certificateChain: chain.join(''), privateKey }
    },
    async handle(call: Call): Promise<Response> {
      asked.push(call)
      const name = `${call.message.method} ${call.message.path}`
      const usual = honest[name]
      const answer = async () => (usual === undefined ? problem(404, 'RESOURCE_URI_STRUCTURE_NOT_FOUND') : usual(call))
      return answers[name]?.(call, answer) ?? answer()
    },
    bundleFile(changes: object = {}) {
      return {
        ecs: { apiRoot: origins.server, fqdn: ECS_FQDN },
        root: rootPem,
        rootFingerprint: createHash('sha256').update(domain.root.certificate.der).digest('hex'),
        eesId: EES_ID,
        fqdn: EES_FQDN,
        onboardingToken: ONBOARDING_TOKEN,
        expires: new Date(now() + 60 * MINUTE).toISOString(),
        ...changes,
      }
    },
    bundle(changes: object = {}): OnboardingBundle {
      return readBundle(JSON.stringify(this.bundleFile(changes)))
    },
  }
}

export type Ecs = Awaited<ReturnType<typeof anEcs>>

/** Connections to the scripted ECS without a network: each has a channel binding of its own. */
export function connectionsTo(ecs: Ecs, { channelBinding = () => randomBytes(32) as Buffer | undefined } = {}) {
  const opened: { origin: string; root: string; closed: boolean }[] = []
  const connect: Connect = (origin, root, credential) => {
    const binding = channelBinding()
    const one = { origin, root, closed: false }
    opened.push(one)
    const certificate = credential && readCertificate(firstPem(credential.certificateChain)).der
    return {
      request: (message) => ecs.handle({ origin, message, channelBinding: binding, certificate }),
      channelBinding: async () => binding,
      close: () => {
        one.closed = true
      },
    }
  }
  return { connect, opened }
}

export function firstPem(chain: string): string {
  const end = '-----END CERTIFICATE-----\n'
  return chain.slice(0, chain.indexOf(end) + end.length)
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  }
}

export function problem(status: number, cause: string, headers: Record<string, string> = {}): Response {
  const body = Buffer.from(JSON.stringify({ status, cause, detail: 'because the test says so' }))
  return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body }
}

export function certsOnly(chain: readonly string[]): Response {
  const der = writeCertsOnly(chain.map((pem) => readCertificate(pem).der))
  return {
    status: 200,
    headers: { 'content-type': 'application/pkcs7-mime; smime-type=certs-only' },
    body: Buffer.from(`${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n`),
  }
}

/** The server took the message, and its answer never came. */
export function lostAnswer(): never {
  throw new PeerUnavailable('answer', 'closed without an answer')
}

/** What was read from JSON has no prototype; here it is compared with what has one. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
