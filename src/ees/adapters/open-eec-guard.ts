import type { SecureServerOptions } from 'node:http2'
import { LRUCache } from 'lru-cache'
import {
  entitlementVerifier,
  RATE_OF_EEC,
  type TrustedEnt,
} from '../../eec-authentication/adapters/entitlement-verifier.ts'
import type { EecIdentity } from '../../eec-authentication/eec-identity.ts'
import type { PresentedRequest } from '../../eec-authentication/presented-token.ts'
import { ReplayCache } from '../../eec-authentication/replay-cache.ts'
import { eecSchemes } from '../../eec-authentication/schemes.ts'
import { verifyEecAccess } from '../../eec-authentication/verify-access.ts'
import { verifyEec } from '../../eec-authentication/verify-eec.ts'
import type { Resolve } from '../../http/client.ts'
import type { Scheme } from '../../http/problem.ts'
import { rateLimit } from '../../nf/rate-limit.ts'
import { systemClock } from '../../ports/clock.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { serverTls } from '../../tls/profile.ts'
import type { EecAccessTokenClaims } from '../../tokens/eec-access-token.ts'
import { issuerKeys } from '../../tokens/issuer-keys.ts'
import type { Registration } from '../registration/registration.ts'
import { fetchOf } from './fetch-of.ts'

/** How an EEC may authenticate at this EES. */
export type EecMethod = 'EDGE_ACCESS_TOKEN' | 'ENTITLEMENT_TOKEN'

export interface EecGuardOptions {
  /** both unless stated; a token of another method is refused, whoever issued it */
  readonly methods?: readonly EecMethod[]
  /** entitlement servers whose tokens are taken; none unless stated */
  readonly entitlementServers?: readonly TrustedEnt[]
  /** where entitlement servers are reached when DNS shall not be asked */
  readonly resolve?: Resolve
  /** seconds that a token of the ECS may live at most: 600 unless stated, never more than 900 */
  readonly maxTokenLifetime?: number
  /** hears that keys could not be fetched, or that an entitlement server could not be asked */
  readonly failed?: (error: unknown) => void
}

/** What stands before those services of an EES that EECs call (EDGE-1). */
export interface EecGuard {
  /**
   * @param request - `uri` as the client addressed it, `https://HOST[:PORT]/path`
   * @param scope - names of the services that the operation belongs to, separated by blanks
   * @throws Refusal
   */
  authorizeEec(request: PresentedRequest, scope: string): Promise<EecIdentity>
  /** in which an EEC shows its token; a vendor's own server challenges in them (RFC 9110 11.6.1) */
  readonly schemes: readonly Scheme[]
  /** for the server: the present certificate, and no client certificates; anew after `registration.onRenewed` */
  tls(): SecureServerOptions
  close(): void
}

/** Tokens that are remembered as verified; each is a few hundred octets. */
const REMEMBERED = 20_000

/**
 * A guard for the EES of this registration: EECs show a token of its ECS that was made for this EES alone, or one of an
 * entitlement server, each bound to a key that they prove with every request (RFC 9449).
 */
export function openEecGuard(registration: Registration, options: EecGuardOptions = {}): EecGuard {
  const { fqdn, authInfo } = registration.record
  const { methods = ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN'], entitlementServers = [], resolve, failed } = options
  const told = failed && { failed }
  const replays = new ReplayCache(systemClock.now())
  const access = {
    issuers: new Map([
      [
        authInfo.issuer,
        issuerKeys({
          fetch: () => fetchOf(registration, authInfo.jwksUri, 'application/json'),
          clock: systemClock,
          ...told,
        }),
      ],
    ]),
    audience: fqdn,
    clock: systemClock,
    replays,
    read: new LRUCache<string, EecAccessTokenClaims>({ max: REMEMBERED }),
    mayGoOn: rateLimit(RATE_OF_EEC, systemClock.monotonic),
    ...(options.maxTokenLifetime !== undefined && { maxLifetime: options.maxTokenLifetime }),
  }
  const entitlement = entitlementVerifier({
    fqdn,
    ents: entitlementServers,
    credential: () => registration.credential,
    replays,
    ...(resolve && { resolve }),
    ...told,
  })
  const takes = (method: EecMethod) => methods.includes(method)
  return {
    schemes: eecSchemes(takes('ENTITLEMENT_TOKEN') ? entitlementServers : []),
    async authorizeEec(request, scope) {
      // A proof speaks of the host that the client has named: it must be ours, whatever server the vendor has.
      const host = URL.parse(request.uri)?.hostname
      refuseUnless(host === fqdn, 'MISDIRECTED_REQUEST', 'this EES does not answer for that host')
      return verifyEec(
        {
          ...(takes('EDGE_ACCESS_TOKEN') && {
            EDGE_ACCESS_TOKEN: (shown) => verifyEecAccess(access, shown, new Set(scope.split(' '))),
          }),
          ...(takes('ENTITLEMENT_TOKEN') && { ENTITLEMENT_TOKEN: (shown) => entitlement.verify(shown) }),
        },
        request,
      )
    },
    tls: () => serverTls(registration.credential),
    close: () => entitlement.close(),
  }
}
