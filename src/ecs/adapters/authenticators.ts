import type { TLSSocket } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { type Certificate, readCertificate, x5tS256 } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { bearerToken } from '../../http/bearer-token.ts'
import type { Authenticators, Evidence } from '../../http/route.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { type AccessTokenClaims, checkAccess, readAccessToken } from '../../tokens/access-token.ts'
import type { KeySource } from '../../tokens/key-set.ts'
import { verifyOnboardingToken } from '../../tokens/onboarding-token.ts'
import { decide } from '../authorization-server/decide.ts'
import type { AuthorizationMode, Policy } from '../authorization-server/policy.ts'
import type { EcsPeers } from '../peers.ts'
import type { EesPeer } from '../registrar/registration.ts'
import type { KnownCertificate } from './certificate-store.ts'
import { type EecAuthenticationPorts, eecAuthenticators } from './eec-authenticators.ts'
import type { LiveFederation } from './federation.ts'

export interface AuthenticationPorts extends EecAuthenticationPorts {
  readonly fqdn: Fqdn
  /** `iss` of access tokens */
  readonly issuer: string
  /** that are trusted now */
  eesIssuers(): readonly Certificate[]
  readonly operatorIssuer: Certificate
  /** the provisioning authorities, with their keys */
  readonly provisioning: ReadonlyMap<string, KeySource>
  readonly onboardingLifetime: number
  /** milliseconds since 1970: onboarding tokens that were issued until then are void */
  readonly onboardingSince: number
  readonly accessLifetime: number
  policy(): Policy
  verificationKeys(): KeySource
  findCertificate(serial: string): Promise<KnownCertificate | undefined>
  isTokenRevoked(jti: string): Promise<boolean>
  readonly federation: Pick<LiveFederation, 'peerOf' | 'claimsPeer'>
}

interface EcsAuthenticators extends Authenticators<EcsPeers> {
  /** Throws for a connection whose certificate is not of the role that its listener is for (THREATS R3, CA-11). */
  readonly admit: Readonly<Record<'mtls' | 'psk' | 'admin', (socket: TLSSocket) => void>>
}

/** The credential of each listener, and how it is checked: one each. */
export function authenticators(ecs: AuthenticationPorts): EcsAuthenticators {
  const shownByEes = shownCertificate('ees', ecs.eesIssuers, ecs.now)
  const shownByOperator = shownCertificate('operator', () => [ecs.operatorIssuer], ecs.now)
  const certified = (evidence: Evidence) => certifiedEes(ecs, shownByEes(evidence.socket))
  const certificate = async (evidence: Evidence) => refuseEnded(await certified(evidence), ecs.now())
  const checkToken = tokenCheck(ecs)
  return {
    admit: { mtls: eesOrPeer(ecs, shownByEes), psk: ecs.eecOf, admin: shownByOperator },
    public: async () => undefined,
    onboardingToken: async ({ headers }) => {
      const onboardingToken = bearerToken(headers.authorization)
      const credential = await verifyOnboardingToken(onboardingToken, {
        issuers: ecs.provisioning,
        audience: ecs.fqdn,
        now: ecs.now(),
        maxLifetime: ecs.onboardingLifetime,
      })
      const isOld = credential.iat * 1000 <= ecs.onboardingSince
      refuseUnless(!isOld, 'ONBOARDING_TOKEN_INVALID', 'the onboarding token is from before the store was restored')
      return { credential, onboardingToken }
    },
    certificate,
    returning: async (evidence) => {
      const peer = await certified(evidence)
      // It has no token: those ended with its registration.
      checkPolicy(ecs.policy(), evidence, peer)
      return peer
    },
    authorized: async (evidence) => {
      const peer = await certificate(evidence)
      const mode = modeOf(ecs.policy(), evidence)
      // The token decides what a client may ask for at all, the policy what this client may do (D-10).
      if (mode !== 'static') await checkToken(evidence, peer)
      if (mode !== 'token') checkPolicy(ecs.policy(), evidence, peer)
      return peer
    },
    ...eecAuthenticators(ecs),
    ecs: async ({ socket }) => ecs.federation.peerOf(socket),
    operator: async ({ socket }) => {
      const [uri = ''] = shownByOperator(socket).certificate.subjectAltNames.uris
      return { name: uri.slice(uri.lastIndexOf(':') + 1) }
    },
  }
}

/** The roles differ in their certificates, so a connection is that of one or the other, and each route takes one of them. */
function eesOrPeer({ federation }: AuthenticationPorts, shownByEes: (socket: TLSSocket) => ShownCertificate) {
  return (socket: TLSSocket): void => {
    const der = peerCertificate(socket)
    refuseUnless(der !== undefined, 'CREDENTIAL_MISSING', 'a client certificate is required')
    if (federation.claimsPeer(readCertificate(der))) federation.peerOf(socket)
    else shownByEes(socket)
  }
}

interface ShownCertificate {
  readonly certificate: Certificate
  readonly thumbprint: string
  /** that has signed it */
  readonly issuer: Certificate
}

/** How many certificates are remembered as read and chained. */
const REMEMBERED_CERTIFICATES = 10_000

/**
 * A certificate is read and its chain checked once; whether its time and its authority are still good, whenever it is
 * shown. A connection shows one for good: nothing is renegotiated.
 */
function shownCertificate(role: 'ees' | 'operator', issuers: () => readonly Certificate[], now: () => number) {
  const onConnection = new WeakMap<TLSSocket, ShownCertificate>()
  const seen = new LRUCache<string, ShownCertificate>({ max: REMEMBERED_CERTIFICATES })
  const isGood = ({ certificate, issuer }: ShownCertificate) =>
    certificate.notAfter >= now() && issuers().includes(issuer)
  const shownOn = (socket: TLSSocket): ShownCertificate => {
    const der = peerCertificate(socket)
    refuseUnless(der !== undefined, 'CREDENTIAL_MISSING', 'a client certificate is required')
    const thumbprint = x5tS256(der)
    const known = seen.get(thumbprint)
    if (known !== undefined && isGood(known)) return known
    const [anchors, certificate] = [issuers(), readCertificate(der)]
    const [, issuer] = checkChain({ leaf: certificate, intermediates: [], anchors, role, now: now() })
    refuseUnless(issuer, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate has no issuer here')
    const shown = { certificate, thumbprint, issuer }
    seen.set(thumbprint, shown)
    return shown
  }
  return (socket: TLSSocket): ShownCertificate => {
    const known = onConnection.get(socket)
    if (known !== undefined && isGood(known)) return known
    const shown = shownOn(socket)
    onConnection.set(socket, shown)
    return shown
  }
}

/**
 * An EES whose certificate is on record as issued at this very request (TS 33.501 13.1.0; THREATS CA-06).
 * Whatever is not on record is refused, whoever signed it.
 */
async function certifiedEes(ecs: AuthenticationPorts, { certificate, thumbprint }: ShownCertificate): Promise<EesPeer> {
  const { serial } = certificate
  const known = await ecs.findCertificate(serial)
  const recorded = known?.certificate.state === 'issued' && known.certificate.thumbprint === thumbprint
  refuseUnless(recorded, 'CERTIFICATE_REVOKED', 'the certificate is revoked, or not on record')
  const { registration } = known
  const { eesId, fqdn } = registration
  return { eesId, fqdn, thumbprint, serial, registration }
}

function refuseEnded(peer: EesPeer, now: number): EesPeer {
  const { state, expiresAt } = peer.registration
  const alive = state === 'live' && expiresAt > now
  refuseUnless(alive, 'CERTIFICATE_REVOKED', 'the registration of this certificate has ended')
  return peer
}

function modeOf(policy: Policy, { operation }: Evidence): AuthorizationMode {
  const mode = policy.modes.get(operation.api)
  refuseUnless(mode !== undefined, 'POLICY_DENIED', 'no rule allows this operation')
  return mode
}

function checkPolicy(policy: Policy, { operation }: Evidence, { eesId, fqdn }: EesPeer): void {
  const { allowed, because } = decide(policy, { eesId, fqdn, operation: operation.id })
  // Why is for the operator: `edgeward ecs policy explain` tells it.
  if (!allowed) throw new Refusal('POLICY_DENIED', 'no rule allows this operation', { cause: because })
}

/** How many tokens are remembered as read; each is a few hundred octets. */
const REMEMBERED = 20_000

/** TS 33.501 13.4.1.1.2 step 2 at the ECS: what is true of the token for good is remembered, the rest is checked each time. */
function tokenCheck(ecs: AuthenticationPorts) {
  const read = new LRUCache<string, AccessTokenClaims>({ max: REMEMBERED })
  return async ({ headers, operation }: Evidence, peer: EesPeer): Promise<void> => {
    const token = bearerToken(headers.authorization)
    const now = ecs.now()
    const name = sha256Base64url(token)
    const claims = read.get(name) ?? (await readToken(ecs, token, now))
    read.set(name, claims)
    const client = { fqdn: peer.fqdn, certificateThumbprints: [peer.thumbprint] }
    checkAccess(claims, { client, scope: new Set([operation.api]), now })
    refuseUnless(!(await ecs.isTokenRevoked(claims.jti)), 'TOKEN_INVALID', 'the token is revoked')
  }
}

function readToken(ecs: AuthenticationPorts, token: string, now: number): Promise<AccessTokenClaims> {
  const issuers = new Map([[ecs.issuer, ecs.verificationKeys()]])
  return readAccessToken(token, { issuers, audience: ecs.fqdn, now, maxLifetime: ecs.accessLifetime })
}
