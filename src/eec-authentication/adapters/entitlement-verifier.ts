import { LRUCache } from 'lru-cache'
import { readCertificateList } from '../../certificates/certificate.ts'
import { openPeer, type Peer, type Resolve } from '../../http/client.ts'
import { acceptIf, isMediaType, requireStatus } from '../../http/response.ts'
import { type Rate, rateLimit } from '../../nf/rate-limit.ts'
import { type Clock, systemClock } from '../../ports/clock.ts'
import { ENTITLEMENT } from '../../spec/entitlement-operations.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { clientTls } from '../../tls/client.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import type { EntitlementTokenClaims } from '../../tokens/entitlement-token.ts'
import { issuerKeys } from '../../tokens/issuer-keys.ts'
import type { KeySource } from '../../tokens/key-set.ts'
import { readCertifiedKeys } from '../certified-keys.ts'
import type { EecIdentity } from '../eec-identity.ts'
import type { PresentedRequest } from '../presented-token.ts'
import { ReplayCache } from '../replay-cache.ts'
import { type Issuer, verifyEntitlement } from '../verify-entitlement.ts'
import { introspection } from './introspection.ts'

/** How many tokens are remembered as verified; each is a few hundred octets. */
const REMEMBERED = 20_000
/** How many requests of one EEC are taken, so that it cannot use up the memory of proofs that is there for all. */
export const RATE_OF_EEC: Rate = { perSecond: 50, burst: 1_000 }

/** An entitlement configuration server that may admit EECs here, by configuration. */
export interface TrustedEnt {
  /** `https://FQDN`: the `iss` of its tokens */
  readonly issuer: string
  /** where it shows its certificates, `https://FQDN:PORT`; the issuer unless stated */
  readonly apiRoot?: string
  /** where it can be asked, by mutual TLS, `https://FQDN:PORT`; the issuer unless stated */
  readonly introspectionRoot?: string
  /** PEM of the roots that are trusted for it, for its connections and for the certificates of its keys */
  readonly anchors: readonly string[]
  /** how its tokens are verified: by its certificate, by asking it, by both (D-14) */
  readonly verify: 'certificate' | 'introspection' | 'both'
  /** whether a token that is bound to no key is taken, once */
  readonly unbound: 'refused' | 'allowed'
}

export interface EntitlementVerifierOptions {
  /** of this ECS or EES */
  readonly fqdn: Fqdn
  readonly ents: readonly TrustedEnt[]
  /** what is shown to an ENT that is asked; needed if one is, and asked for at each new connection */
  readonly credential?: () => ServerCredential
  readonly resolve?: Resolve
  readonly clock?: Clock
  /** seconds that a token may live at most: 600 unless stated, never more than 3600 */
  readonly maxLifetime?: number
  /** of one EEC */
  readonly rate?: Rate
  /** what other credentials of EECs at this server use up as well */
  readonly replays?: ReplayCache
  /** hears that an ENT could not be asked, or shows a key that is not accepted */
  readonly failed?: (error: unknown) => void
}

/** Stands before the routes for EECs. */
export interface EntitlementVerifier {
  /** @throws Refusal, as `verifyEntitlement` */
  verify(request: PresentedRequest): Promise<EecIdentity<EntitlementTokenClaims>>
  close(): void
}

/**
 * Verifies entitlement tokens, the same way at an ECS and at an EES. Nothing is fetched before it is needed, and
 * nothing from anywhere but the addresses that are configured here.
 *
 * @throws TypeError if the configuration leaves open how a token is verified: such a server does not start
 */
export function entitlementVerifier(options: EntitlementVerifierOptions): EntitlementVerifier {
  const { fqdn, clock = systemClock, rate = RATE_OF_EEC } = options
  const opened: { close(): void }[] = []
  const issuers = new Map(options.ents.map((ent) => [ent.issuer, issuerOf(ent, options, clock, opened)]))
  const ports = {
    fqdn,
    issuers,
    clock,
    replays: options.replays ?? new ReplayCache(clock.now()),
    read: new LRUCache<string, EntitlementTokenClaims>({ max: REMEMBERED }),
    mayGoOn: rateLimit(rate, clock.monotonic),
    ...(options.maxLifetime !== undefined && { maxLifetime: options.maxLifetime }),
  }
  return {
    verify: (request) => verifyEntitlement(ports, request),
    close() {
      for (const each of opened) each.close()
    },
  }
}

function issuerOf(
  ent: TrustedEnt,
  options: EntitlementVerifierOptions,
  clock: Clock,
  opened: { close(): void }[],
): Issuer {
  const { issuer, unbound, verify, apiRoot = issuer, introspectionRoot = issuer } = ent
  const host = hostOf(issuer)
  for (const root of [apiRoot, introspectionRoot])
    if (hostOf(root) !== host) throw new TypeError(`${root} is not an address of ${issuer}`)
  const { resolve, credential, failed } = options

  const byCertificate = () => {
    const peer = openPeer(apiRoot, clientTls(ent.anchors), resolve)
    opened.push(peer)
    return certifiedKeys(peer, { ent, host, clock, failed })
  }
  const byAsking = () => {
    if (credential === undefined) throw new TypeError(`${issuer} is asked by mutual TLS: a credential is needed`)
    const renewing = renewingPeer(
      (shown) => openPeer(introspectionRoot, clientTls(ent.anchors, shown), resolve),
      credential,
    )
    opened.push(renewing)
    return introspection({ peer: renewing.current, clock, ...(failed && { failed }) })
  }
  if (verify === 'certificate') return { issuer, unbound, keys: byCertificate() }
  if (verify === 'introspection') return { issuer, unbound, introspect: byAsking() }
  return { issuer, unbound, keys: byCertificate(), introspect: byAsking() }
}

/** @throws TypeError unless it is `https://FQDN[:PORT]` */
function hostOf(origin: string): Fqdn {
  const url = URL.parse(origin)
  const host = url?.origin === origin && url.protocol === 'https:' ? parseFqdn(url.hostname) : undefined
  if (host === undefined) throw new TypeError(`${origin} is not an https origin of an FQDN`)
  return host
}

interface CertifiedKeysOptions {
  readonly ent: TrustedEnt
  readonly host: Fqdn
  readonly clock: Clock
  readonly failed: ((error: unknown) => void) | undefined
}

/** At most one fetch per issuer in 30 s, whatever tokens name (THREATS TK-12). */
function certifiedKeys(peer: Peer, { ent, host, clock, failed }: CertifiedKeysOptions): KeySource {
  const anchors = ent.anchors.flatMap((pem) => readCertificateList(pem))
  const told = failed && { failed }
  return issuerKeys({
    async fetch() {
      const { method, path } = ENTITLEMENT.GetCertificates
      const response = await peer.request({ method, path })
      requireStatus(response, 200)
      acceptIf(isMediaType(response.headers['content-type'], 'application/json'), 'the certificates are not JSON')
      return response.body
    },
    read: (octets) => readCertifiedKeys(octets, { fqdn: host, anchors, clock, ...told }),
    clock,
    ...told,
  })
}

/** A connection that shows the present credential: a renewed certificate goes on a new one. */
function renewingPeer(open: (shown: ServerCredential) => Peer, credential: () => ServerCredential) {
  let shown: ServerCredential | undefined
  let peer: Peer | undefined
  return {
    current(): Peer {
      const present = credential()
      if (peer !== undefined && shown?.certificateChain === present.certificateChain) return peer
      peer?.close()
      shown = present
      peer = open(present)
      return peer
    },
    close: () => peer?.close(),
  }
}
