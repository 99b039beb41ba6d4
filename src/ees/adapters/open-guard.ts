import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { type Certificate, readCertificate, readCertificateList } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { acceptIf } from '../../http/response.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemTimers } from '../../ports/timers.ts'
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
  const authoritiesNow = () => [
    { certificate: issuerOf(registration), ...(revocation && { crl: revocation.current }) },
    ...others,
  ]
  let authorities: readonly ClientAuthority[] = authoritiesNow()
  const forget = registration.onRenewed(() => {
    authorities = authoritiesNow()
  })

  const fetchKeys = () => fetchOf(registration, authInfo.jwksUri, 'application/json')
  const guard = new Guard({
    issuers: new Map([[authInfo.issuer, issuerKeys({ fetch: fetchKeys, clock: systemClock, ...options })]]),
    audience: fqdn,
    authorities: () => authorities,
    clock: systemClock,
    ...(options.maxTokenLifetime !== undefined && { maxLifetime: options.maxTokenLifetime }),
  })
  const shown = (socket: TLSSocket) => ({ connection: socket, certificate: () => peerCertificate(socket) })
  return {
    authorize: (socket, authorization, scope) => guard.authorize({ ...shown(socket), authorization, scope }),
    isRevoked: (socket) => guard.isRevoked(shown(socket)),
    onRevocation: (listener) => void listeners.add(listener),
    tls: (others = []) => {
      const issuers = authorities.map(({ certificate }) => writePem('CERTIFICATE', certificate.der))
      const roots = [registration.root, ...otherDomains.map(({ root }) => root)]
      return mutualTls(registration.credential, [...issuers, ...roots, ...others])
    },
    close() {
      revocation?.stop()
      forget()
    },
  }
}

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
