import type { Resolve } from '../../http/client.ts'
import { fqdnOf } from '../../http/origin.ts'
import { encodeBase64url } from '../../octets/base64url.ts'
import { type Clock, systemClock } from '../../ports/clock.ts'
import { type Progress, unheard } from '../../ports/progress.ts'
import { systemRandom } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import { type EcsMethod, PSK_METHODS } from '../../spec/authentication-methods.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EESInfo } from '../../spec/messages/service-provisioning.ts'
import { readPrivateFile } from '../../store/private-file.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { at } from '../authentication/at-step.ts'
import type { AuthenticatedConnection, Ecs } from '../authentication/authenticated-connection.ts'
import { authenticateByAkma } from '../authentication/by-akma.ts'
import { authenticateByCertificate, type OwnCertificate, ownCertificate } from '../authentication/by-certificate.ts'
import { authenticateByEntitlement } from '../authentication/by-entitlement.ts'
import { authenticateByKedge } from '../authentication/by-kedge.ts'
import { type Agreement, connectAgreed, metadataRequest, processMetadata } from '../authentication/negotiate.ts'
import type { Connect } from '../connection.ts'
import { type EecCredential, readCredential } from '../credential.ts'
import { GivenTokens } from '../ees/given-tokens.ts'
import { type EesOptions, type EesTokens, openEes } from '../ees/open-ees.ts'
import { acquireToken, type EntitlementPorts } from '../entitlement/acquire-token.ts'
import { NotUsable } from '../errors.ts'
import { ProofKey } from '../proof-key.ts'
import { EcsSession } from '../session.ts'
import type { NotificationPorts } from '../subscriptions.ts'
import { EES_SERVICES, requestToken } from '../token-exchange.ts'
import { connectOver } from './connect.ts'
import { type EecState, openState } from './state-file.ts'
import { fetchApplicationKey, fetchKey, respondEap, startEap } from './ue-interface.ts'

/** An entitlement configuration server of the operator. */
export interface EntitlementServer {
  /** `https://FQDN[:PORT]` */
  readonly server: string
  /** PEM: the root of its certificate, and the only one that is trusted for it */
  readonly root: string
}

export interface EecOptions {
  /** the file that "edgeward ue allow" wrote, or what `readCredential` made of it */
  readonly credential: string | EecCredential
  /** `https://FQDN[:PORT]` of the ECS */
  readonly ecs: string
  /** PEM: the root of the certificates of the ECS and its EESs, and the only one that is trusted */
  readonly root: string
  /** best first; what is not named is below the floor and never tried. `TLS_KEDGE` alone unless stated */
  readonly methods?: readonly EcsMethod[]
  /** for `TLS_CLIENT_SERVER_CERTIFICATE`, PEM: a certificate whose URI is `urn:edgeward:eec:<EEC ID>`, and its key */
  readonly certificate?: ServerCredential
  /** for `ENTITLEMENT_TOKEN` */
  readonly entitlement?: EntitlementServer
  /** keeps the key of the tokens and the authentication token from one run to the next, 0600; nothing is kept unless stated */
  readonly state?: string
  /** where names are reached when DNS shall not be asked */
  readonly resolve?: Resolve
  readonly progress?: Progress
}

/**
 * Authenticates an EEC at an ECS by the first of its methods that the ECS offers (D-15): with a key of its UE
 * (TR 33.839 6.x.2; AKMA, TS 33.535), with a certificate (TS 33.558 6.2), or with a token of the entitlement
 * configuration server (TR 33.739 6.25.2). A method that fails is the end: no other one takes its place (THREATS NG-03).
 *
 * @throws NotUsable before anything is sent; FileRefused if others can read a secret; AuthenticationStepFailed
 */
export async function authenticate(options: EecOptions): Promise<EcsSession> {
  const { methods = ['TLS_KEDGE'], progress = unheard } = options
  const target = serverAt(options.ecs)
  const eec = await openEec(options)
  const unknown = methods.find((method) => !eec.methods.includes(method))
  if (unknown !== undefined) throw new NotUsable(`this EEC has nothing to authenticate with by ${unknown}`)

  const agreement = await at('negotiation', () => negotiate(eec.connect, target, methods, progress))
  const agreed = { ...eec, connect: connectAgreed(eec.connect, agreement) }
  const authenticated = await authenticateBy(agreement, agreed, target)
  const givenTokens = new GivenTokens({ eecId: eec.eecId, jkt: eec.key.jkt })
  return new EcsSession(eec.eecId, target, authenticated, {
    clock: eec.clock,
    givenTokens,
    notifications: eec.notifications,
    openEes: (info: EESInfo, eesOptions?: EesOptions) =>
      openEes({ ...eec, tokens: eesTokens(eec, authenticated, givenTokens) }, info, eesOptions),
  })
}

interface OpenEec {
  readonly eecId: EecCredential['eecId']
  readonly credential: EecCredential
  readonly connect: Connect
  readonly key: ProofKey
  readonly state: EecState
  readonly notifications: NotificationPorts
  readonly clock: Clock
  readonly progress: Progress
  /** that it has a credential for */
  readonly methods: readonly EcsMethod[]
  readonly certificate: OwnCertificate | undefined
  readonly entitlement: EntitlementPorts | undefined
}

async function openEec({ root, resolve, progress = unheard, ...options }: EecOptions): Promise<OpenEec> {
  const credential = await credentialOf(options.credential)
  const state = await openState(options.state, systemRandom)
  const eec = {
    eecId: credential.eecId,
    credential,
    connect: connectOver(root, resolve),
    key: new ProofKey(signerOf(state.proofKey), systemClock, systemRandom),
    state,
    notifications: { root, newSecret: () => encodeBase64url(systemRandom.octets(32)) },
    clock: systemClock,
    progress,
  }
  const { certificate: shown } = options
  const certificate = shown && ownCertificate(shown, credential.eecId, systemClock.now())
  const entitlement = options.entitlement && entitlementPorts(eec, options.entitlement, resolve)
  const methods: EcsMethod[] = [
    // It has a UE: nothing else is needed for these.
    ...PSK_METHODS,
    ...(certificate ? (['TLS_CLIENT_SERVER_CERTIFICATE'] as const) : []),
    ...(entitlement ? (['ENTITLEMENT_TOKEN'] as const) : []),
  ]
  return { ...eec, certificate, entitlement, methods }
}

function entitlementPorts(
  eec: Omit<OpenEec, 'methods' | 'certificate' | 'entitlement'>,
  { server, root }: EntitlementServer,
  resolve: Resolve | undefined,
): EntitlementPorts {
  const { credential, state } = eec
  const target = serverAt(server)
  const { byCertificate } = connectOver(root, resolve)
  return {
    ...eec,
    ...state,
    server: { ...target, connect: () => byCertificate(target.apiRoot) },
    ue: {
      startEap: () => startEap(credential),
      respondEap: (session, eapPacket) => respondEap(credential, session, eapPacket),
    },
  }
}

function negotiate(connect: Connect, ecs: Ecs, methods: readonly EcsMethod[], progress: Progress): Promise<Agreement> {
  const told = ({ offered, chosen }: Agreement) => `offered: ${offered.join(', ')}; chosen: ${chosen}`
  return progress.step({ clause: 'TS 33.558 6.2', from: 'EEC', to: ecs.fqdn }, told, async () => {
    const connection = connect.byCertificate(ecs.apiRoot)
    try {
      return processMetadata(await connection.request(metadataRequest()), ecs.fqdn, methods)
    } finally {
      connection.close()
    }
  })
}

async function authenticateBy(
  { chosen: method, certificateRoot }: Agreement,
  eec: OpenEec,
  ecs: Ecs,
): Promise<AuthenticatedConnection> {
  const { certificate, entitlement, credential } = eec
  if (method === 'TLS_KEDGE') {
    return authenticateByKedge({ ...eec, fetchKey: (fqdn: Fqdn) => fetchKey(credential, fqdn) }, ecs)
  }
  if (method === 'TLS_AKMA') {
    const fetch = (fqdn: Fqdn) => fetchApplicationKey(credential, fqdn)
    return authenticateByAkma({ ...eec, fetchApplicationKey: fetch }, ecs)
  }
  if (method === 'TLS_CLIENT_SERVER_CERTIFICATE' && certificate !== undefined && certificateRoot !== undefined) {
    return authenticateByCertificate({ ...eec, certificate }, ecs, certificateRoot)
  }
  if (method === 'ENTITLEMENT_TOKEN' && entitlement !== undefined) {
    return authenticateByEntitlement({ ...eec, acquireToken: () => acquireToken(entitlement, ecs.fqdn) }, ecs)
  }
  throw new NotUsable(`this EEC does not know how to authenticate by ${method}`)
}

function eesTokens(
  { eecId, key, clock, progress, entitlement }: OpenEec,
  { tokenGrant }: AuthenticatedConnection,
  given: GivenTokens,
): EesTokens {
  const request = (audience: Fqdn) =>
    requestToken({ key, clock, progress, grant: tokenGrant }, { eecId, audience, scope: EES_SERVICES })
  return {
    EDGE_ACCESS_TOKEN: async (ees) => given.tokenFor(ees, clock.now()) ?? request(ees.fqdn),
    ...(entitlement && { ENTITLEMENT_TOKEN: (ees) => acquireToken(entitlement, ees.fqdn) }),
  }
}

async function credentialOf(credential: string | EecCredential): Promise<EecCredential> {
  if (typeof credential !== 'string') return credential
  const octets = await readPrivateFile(credential).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    throw new NotUsable(`${credential} does not exist: "edgeward ue allow" makes it`, { cause })
  })
  return readCredential(octets.toString())
}

function serverAt(origin: string): Ecs {
  const fqdn = fqdnOf(origin)
  if (fqdn === undefined) throw new NotUsable(`${origin} is not an https origin, as https://ecs1.example.com:8443`)
  return { fqdn, apiRoot: new URL(origin).origin }
}
