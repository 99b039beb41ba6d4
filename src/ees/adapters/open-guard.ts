import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { readCertificate, readCertificateList } from '../../certificates/certificate.ts'
import { readDer } from '../../certificates/der-reader.ts'
import { readName } from '../../certificates/distinguished-name.ts'
import { writePem } from '../../certificates/pem.ts'
import { AUTHORITY_NAMES } from '../../certificates/profile.ts'
import { acceptIf } from '../../http/response.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemTimers } from '../../ports/timers.ts'
import type { Partner, Partners } from '../../spec/messages/partners.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { mutualTls } from '../../tls/profile.ts'
import { issuerKeys } from '../../tokens/issuer-keys.ts'
import { type Caller, type ClientAuthority, Guard } from '../guard/guard.ts'
import type { Registration } from '../registration/registration.ts'
import { fetchOf } from './fetch-of.ts'
import { type ListedAuthority, RevocationLists } from './revocation-lists.ts'

export interface GuardOptions {
  /** PEM: who certifies EESs of other ECSs; their revocation lists are not looked up */
  readonly otherDomains?: readonly { readonly root: string; readonly eesIssuer: string }[]
  /** whether the revocation lists of the ECS and its partners are looked up; without them clients are refused. Default true */
  readonly checkRevocation?: boolean
  /** milliseconds between two looks at those lists, 3,000 unless stated: within 5 s a revoked EES is refused (THREATS CA-06) */
  readonly revocationPeriod?: number
  /** seconds that a token may live at most: 600 unless stated, never more than 900 */
  readonly maxTokenLifetime?: number
  /** hears that a key set or a revocation list could not be fetched */
  readonly failed?: (error: unknown) => void
}

/** What stands before the services of an EES. */
export interface EesGuard {
  /**
   * @param scope - names of the services that the operation belongs to, separated by blanks
   * @throws Refusal
   */
  authorize(socket: TLSSocket, authorization: string | undefined, scope: string): Promise<Caller>
  isRevoked(socket: TLSSocket): boolean
  /** Calls when there is a new revocation list: connections may have become those of revoked clients. */
  onRevocation(listener: () => void): void
  /** Calls when our ECS trusts other ECSs than before: `tls` has changed. */
  onTrust(listener: () => void): void
  /**
   * For the server: mutual TLS with the present certificate; new ones after `registration.onRenewed`.
   *
   * @param others - PEM of authorities whose clients are let through the handshake as well: who they are is for others to say
   */
  tls(others?: readonly string[]): SecureServerOptions
  close(): void
}

/**
 * A guard for the EES of this registration: it takes tokens from its ECS alone, with its own FQDN as audience, from
 * clients that the EES authority of that ECS has certified. Keys and revocation lists come over TLS that trusts the roots
 * of the ECS alone.
 */
export async function openGuard(registration: Registration, options: GuardOptions = {}): Promise<EesGuard> {
  const { fqdn, authInfo } = registration.record
  const listeners = { revocation: new Set<() => void>(), trust: new Set<() => void>() }
  const tell = (which: keyof typeof listeners) => {
    for (const listener of listeners[which]) listener()
  }
  const trust = await openTrust(registration, options, tell)
  const otherDomains = options.otherDomains ?? []

  const fetchKeys = () => fetchOf(registration, authInfo.jwksUri, 'application/json')
  const guard = new Guard({
    issuers: new Map([[authInfo.issuer, issuerKeys({ fetch: fetchKeys, clock: systemClock, ...options })]]),
    audience: fqdn,
    authorities: trust.authorities,
    clock: systemClock,
    ownEcs: registration.record.ecs.fqdn,
    ...(options.maxTokenLifetime !== undefined && { maxLifetime: options.maxTokenLifetime }),
  })
  const stopJudging = registration.judgeServers({
    learn: trust.refresh,
    judge: (server) => guard.judgeServer(server),
  })
  const shown = (socket: TLSSocket) => ({ connection: socket, certificate: () => peerCertificate(socket) })
  return {
    authorize: (socket, authorization, scope) => guard.authorize({ ...shown(socket), authorization, scope }),
    isRevoked: (socket) => guard.isRevoked(shown(socket)),
    onRevocation: (listener) => void listeners.revocation.add(listener),
    onTrust: (listener) => void listeners.trust.add(listener),
    tls: (others = []) => {
      const issuers = trust.authorities().map(({ certificate }) => writePem('CERTIFICATE', certificate.der))
      const ofPartners = trust.partners().flatMap(({ roots }) => roots)
      const roots = [registration.root, ...otherDomains.map(({ root }) => root), ...ofPartners]
      return mutualTls(registration.credential, [...issuers, ...roots, ...others])
    },
    close() {
      stopJudging()
      trust.close()
    },
  }
}

/** Whose clients may come: those of our ECS and of its partners, as it tells us again and again. */
async function openTrust(
  registration: Registration,
  options: GuardOptions,
  tell: (of: 'revocation' | 'trust') => void,
) {
  const lists = new RevocationLists(registration, options, () => tell('revocation'))
  const others = (options.otherDomains ?? []).map(({ eesIssuer }) => ({ certificate: readCertificate(eesIssuer) }))
  let known: Partners = { partners: [] }
  let authorities: readonly ClientAuthority[] = []
  let last: Promise<void> = Promise.resolve()
  /** Of an authority that is new here no client comes before its list was looked for. */
  const renew = async () => {
    const own = await lists.under(ownAuthorities(registration, known))
    authorities = [...own, ...others, ...(await lists.under(known.partners.flatMap(authoritiesOf)))]
    lists.forgetOthers(authorities)
    tell('trust')
  }
  const refresh = async () => {
    const before = JSON.stringify(known)
    known = await registration.partners()
    if (JSON.stringify(known) !== before) await renew()
  }
  const inTurn = (work: () => Promise<void>) => {
    last = last.then(work).catch((error: unknown) => options.failed?.(error))
    return last
  }
  const forget = registration.onRenewed(() => void inTurn(renew))
  await inTurn(refresh)
  await inTurn(renew)
  const stopRefresh = systemTimers.every(PARTNERS_PERIOD, () => void inTurn(refresh))
  return {
    authorities: () => authorities,
    partners: () => known.partners,
    refresh: () => inTurn(refresh),
    close() {
      lists.stop()
      stopRefresh()
      forget()
    },
  }
}

/** Those that certify EESs: an ECS of ours has one for each role (THREATS CA-11). */
function authoritiesOf({ fqdn, nameSpace, issuers }: Partner): ListedAuthority[] {
  const certificates = issuers.map(readCertificate)
  const eesIssuers = certificates.filter(({ subject }) => readDer(subject, readName).commonName === EES_ISSUER)
  return eesIssuers.map((certificate) => ({ certificate, partner: { fqdn, nameSpace } }))
}

const EES_ISSUER = AUTHORITY_NAMES['ees-issuer']
/** Milliseconds between two looks at whom our ECS trusts. */
const PARTNERS_PERIOD = 3_000

/** The authority that certified this EES certifies the others of its ECS, unless the ECS tells of several. */
function ownAuthorities({ credential, record }: Registration, { own }: Partners): ListedAuthority[] {
  if (own !== undefined) return own.issuers.map((issuer) => ({ certificate: readCertificate(issuer) }))
  const [, issuer] = readCertificateList(credential.certificateChain)
  acceptIf(issuer, 'the certificate came without its issuer')
  return [{ certificate: issuer, list: record.authInfo.crlUrl }]
}
