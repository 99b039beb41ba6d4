import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { type Certificate, readCertificate, readCertificateList } from '../../certificates/certificate.ts'
import { readDer } from '../../certificates/der-reader.ts'
import { readName } from '../../certificates/distinguished-name.ts'
import { writePem } from '../../certificates/pem.ts'
import { AUTHORITY_NAMES } from '../../certificates/profile.ts'
import { acceptIf } from '../../http/response.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemTimers } from '../../ports/timers.ts'
import type { Partner } from '../../spec/messages/partners.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { mutualTls } from '../../tls/profile.ts'
import { issuerKeys } from '../../tokens/issuer-keys.ts'
import { type Caller, type ClientAuthority, Guard } from '../guard/guard.ts'
import { type RevocationWatch, watchRevocation } from '../guard/revocation-watch.ts'
import type { Registration } from '../registration/registration.ts'
import { fetchOf } from './fetch-of.ts'

export interface GuardOptions {
  /** PEM: who certifies EESs of other ECSs; their revocation lists are not looked up */
  readonly otherDomains?: readonly { readonly root: string; readonly eesIssuer: string }[]
  /** whether the revocation list of the ECS's own EES authority is looked up; without it clients are refused. Default true */
  readonly checkRevocation?: boolean
  /** milliseconds between two looks at that list, 3,000 unless stated: within 5 s a revoked EES is refused (THREATS CA-06) */
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
 * clients that the EES authority of that ECS has certified. Keys and revocation lists come over TLS that trusts the root
 * of the bundle alone.
 */
export async function openGuard(registration: Registration, options: GuardOptions = {}): Promise<EesGuard> {
  const { fqdn, authInfo } = registration.record
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const revocation = options.checkRevocation === false ? undefined : watch(registration, options, changed)
  await revocation?.refresh()

  const otherDomains = options.otherDomains ?? []
  const others = otherDomains.map(({ eesIssuer }) => ({ certificate: readCertificate(eesIssuer) }))
  const trust = new Set<() => void>()
  let partners: readonly Partner[] = []
  const authoritiesNow = (): ClientAuthority[] => [
    { certificate: issuerOf(registration), ...(revocation && { crl: revocation.current }) },
    ...others,
    ...partners.flatMap(authoritiesOf),
  ]
  let authorities: readonly ClientAuthority[] = authoritiesNow()
  const forget = registration.onRenewed(() => {
    authorities = authoritiesNow()
  })

  const refreshPartners = async () => {
    const before = JSON.stringify(partners)
    partners = await registration.partners()
    if (JSON.stringify(partners) === before) return
    authorities = authoritiesNow()
    for (const listener of trust) listener()
  }
  const refresh = () => refreshPartners().catch((error: unknown) => options.failed?.(error))
  await refresh()
  const stopRefresh = systemTimers.every(PARTNERS_PERIOD, () => void refresh())

  const fetchKeys = () => fetchOf(registration, authInfo.jwksUri, 'application/json')
  const guard = new Guard({
    issuers: new Map([[authInfo.issuer, issuerKeys({ fetch: fetchKeys, clock: systemClock, ...options })]]),
    audience: fqdn,
    authorities: () => authorities,
    clock: systemClock,
    ownEcs: registration.record.ecs.fqdn,
    ...(options.maxTokenLifetime !== undefined && { maxLifetime: options.maxTokenLifetime }),
  })
  const shown = (socket: TLSSocket) => ({ connection: socket, certificate: () => peerCertificate(socket) })
  return {
    authorize: (socket, authorization, scope) => guard.authorize({ ...shown(socket), authorization, scope }),
    isRevoked: (socket) => guard.isRevoked(shown(socket)),
    onRevocation: (listener) => void listeners.add(listener),
    onTrust: (listener) => void trust.add(listener),
    tls: (others = []) => {
      const issuers = authorities.map(({ certificate }) => writePem('CERTIFICATE', certificate.der))
      const ofPartners = partners.flatMap(({ roots }) => roots)
      const roots = [registration.root, ...otherDomains.map(({ root }) => root), ...ofPartners]
      return mutualTls(registration.credential, [...issuers, ...roots, ...others])
    },
    close() {
      revocation?.stop()
      stopRefresh()
      forget()
    },
  }
}

/** Those that certify EESs: an ECS of ours has one for each role (THREATS CA-11). */
function authoritiesOf({ fqdn, nameSpace, issuers }: Partner): ClientAuthority[] {
  const certificates = issuers.map(readCertificate)
  const eesIssuers = certificates.filter(({ subject }) => readDer(subject, readName).commonName === EES_ISSUER)
  return eesIssuers.map((certificate) => ({ certificate, partner: { fqdn, nameSpace } }))
}

const EES_ISSUER = AUTHORITY_NAMES['ees-issuer']
/** Milliseconds between two looks at whom our ECS trusts. */
const PARTNERS_PERIOD = 3_000

function watch(
  registration: Registration,
  { failed, revocationPeriod = 3_000 }: GuardOptions,
  changed: () => void,
): RevocationWatch {
  const ports = {
    fetch: () => fetchOf(registration, registration.record.authInfo.crlUrl, 'application/pkix-crl'),
    timers: systemTimers,
    changed,
    ...(failed && { failed }),
  }
  return watchRevocation(ports, revocationPeriod)
}

/** The authority that certified this EES certifies the others of its ECS. */
function issuerOf({ credential }: Registration): Certificate {
  const [, issuer] = readCertificateList(credential.certificateChain)
  acceptIf(issuer, 'the certificate came without its issuer')
  return issuer
}
