import { createPrivateKey } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { ReplayCache } from '../../eec-authentication/replay-cache.ts'
import { openPeer } from '../../http/client.ts'
import { readJson, requireStatus } from '../../http/response.ts'
import { createAlarms } from '../../nf/alarms.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import { signerOf } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal } from '../../spec/refusal.ts'
import { clientTls } from '../../tls/client.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import type { Forwarding } from '../../tokens/forwarding-assertion.ts'
import { type KeySet, type KeySource, keySetOf } from '../../tokens/key-set.ts'
import type { TokenPorts } from '../authorization-server/request-token.ts'
import type { DiscoveringPorts } from '../federation/discover-elsewhere.ts'
import { correlationHeader, FEDERATION, ResolveAnswer } from '../federation/operations.ts'
import type { ReceivingPorts } from '../federation/receive-request.ts'
import { signTrustBundle } from '../federation/trust-bundle.ts'
import type { TrustedPeer } from '../federation/trusted-peer.ts'
import type { EcsUrls } from '../urls.ts'
import type { OpenEcs } from './open-ecs.ts'
import { inTime, PEER_TIMES, type PeerLine, peerLine } from './peer-line.ts'
import { PeerTrust, type TrustStanding } from './peer-trust.ts'
import { commit } from './registration-store.ts'

const ANSWER_OCTETS = 65_536
const BUNDLE_KEPT = 30_000

/** The ECSs that this one trusts, and all that goes to them and comes from them. */
export interface LiveFederation {
  peers(): readonly TrustedPeer[]
  /** PEM of the roots that a connection to the `mtls` listener may be under, beside our own */
  roots(): readonly string[]
  /** @throws Refusal for a connection of anybody else than a peer */
  peerOf(socket: TLSSocket): { readonly fqdn: Fqdn; readonly thumbprint: string }
  /** whether the certificate of the connection has the name of a peer, whoever signed it */
  claimsPeer(certificate: Certificate): boolean
  trustBundle(): Promise<string>
  /** DER of the newest list of an authority of a peer */
  revocationList(file: string): Buffer | undefined
  receiving(tokens: TokenPorts): ReceivingPorts
  /** for the EESs of other ECSs */
  discovering(): DiscoveringPorts
  standing(peer: Fqdn): PeerStanding
  /** Reads the peers again, and fetches what is not there yet. */
  reload(): Promise<void>
  /** Fetches the bundles and lists that are due. */
  refresh(): Promise<void>
  close(): void
}

/** How it stands with a peer. */
export interface PeerStanding extends TrustStanding {
  /** after failures in a row: it is not asked for a while */
  readonly leftAlone: boolean
}

export interface FederationParts {
  readonly urls: EcsUrls
  /** what this ECS shows: another object after each renewal */
  credential(): ServerCredential
  /** Hears that other roots are trusted from now on. */
  rootsChanged(): void
}

export async function openFederation(ecs: OpenEcs, parts: FederationParts): Promise<LiveFederation> {
  const { fqdn } = ecs.configuration
  const trust = new PeerTrust(ecs, parts.rootsChanged)
  await trust.load()
  const lines = new PeerLines(ecs, trust, parts)
  const bundle = ownBundle(ecs, parts)
  return {
    peers: () => trust.trusted(),
    roots: () => trust.roots(),
    peerOf: (socket) => trust.peerOf(socket),
    claimsPeer: (certificate) => trust.claimsPeer(certificate),
    trustBundle: bundle,
    revocationList: (file) => trust.revocationList(file),
    receiving: (tokens) => receivingPorts(ecs, { fqdn, trust, lines, tokens }),
    discovering: () => discoveringPorts(ecs, { fqdn, trust, lines, mtlsRoot: parts.urls.mtlsRoot }),
    reload: () => trust.load().then(() => trust.refresh()),
    refresh: () => trust.refresh(),
    standing: (peer) => ({ ...trust.standing(peer), leftAlone: lines.isLeftAlone(peer) }),
    close() {
      lines.close()
      trust.close()
    },
  }
}

/** A bundle that was made lately is given again: everybody may ask for it. */
function ownBundle(ecs: OpenEcs, { urls, credential }: FederationParts): () => Promise<string> {
  let made: { readonly until: number; readonly of: readonly unknown[]; readonly text: Promise<string> } | undefined
  return () => {
    const now = ecs.clock.now()
    const shown = credential()
    const of = [shown, ecs.ca.standing()]
    if (made === undefined || made.until <= now || !of.every((each, at) => each === made?.of[at]))
      made = { until: now + BUNDLE_KEPT, of, text: makeBundle(ecs, urls, shown) }
    return made.text
  }
}

async function makeBundle(ecs: OpenEcs, urls: EcsUrls, credential: ServerCredential): Promise<string> {
  const { configuration, ca, clock, forwardingSigner } = ecs
  const [certificate] = readCertificateList(credential.certificateChain)
  if (certificate === undefined) throw new Error('the ECS shows no certificate')
  const trusted = ca.trusted()
  const bundle = {
    fqdn: configuration.fqdn,
    issuer: urls.apiRoot,
    mtlsRoot: urls.mtlsRoot,
    nameSpace: configuration.federation.nameSpace as Fqdn[],
    tokenKeys: ecs.verificationKeys(),
    forwardingKeys: keySetOf([forwardingSigner.publicKey]),
    roots: trusted.map(({ root }) => root),
    issuers: trusted.flatMap(({ ecsIssuer, eesIssuer, cross }) => [
      ecsIssuer.certificate,
      eesIssuer.certificate,
      ...(cross ? [cross] : []),
    ]),
    refresh: configuration.federation.refresh,
  }
  return signTrustBundle(bundle, {
    signer: signerOf(createPrivateKey(credential.privateKey)),
    certificate,
    now: clock.now(),
  })
}

interface Live {
  readonly fqdn: Fqdn
  readonly trust: PeerTrust
  readonly lines: PeerLines
  readonly tokens: TokenPorts
}

function receivingPorts(ecs: OpenEcs, { fqdn, trust, lines, tokens }: Live): ReceivingPorts {
  const { store, clock, random, log, configuration, forwardingSigner } = ecs
  const replays = new ReplayCache(clock.now())
  const alarms = createAlarms(log)
  const keysOf = (peer: Fqdn, of: 'tokenKeys' | 'forwardingKeys'): KeySource | undefined =>
    trust.bundleOf(peer) && refreshingKeys(trust, peer, of)
  return {
    fqdn,
    mostHops: configuration.federation.mostHops,
    random,
    now: clock.now,
    peers: () => trust.trusted(),
    unheard: () => trust.unheard(),
    forwardingSigner: () => forwardingSigner,
    tokenKeysOf: (peer) => keysOf(peer, 'tokenKeys'),
    forwardingKeysOf: (peer) => keysOf(peer, 'forwardingKeys'),
    resolve: (candidates, target) => lines.resolve(candidates, target),
    async recordForwarding(line) {
      await commit(store, clock.now(), [], { event: 'token-forwarded', ...line })
    },
    send: (peer, forwarding, correlation) => lines.forward(peer, forwarding, correlation),
    isFirst: ({ jti, iat, exp, request }) =>
      replays.isFirst({ name: `${request.srcEcs} ${jti}`, iat, goodUntil: exp * 1000 }, clock.now()),
    vouchedForAnother: (peer) => alarms.raise('foreign-client', peer),
    tokens,
  }
}

function discoveringPorts(
  ecs: OpenEcs,
  { fqdn, trust, lines, mtlsRoot }: Omit<Live, 'tokens'> & Pick<EcsUrls, 'mtlsRoot'>,
): DiscoveringPorts {
  const { store, clock, random, timers, currentPolicy } = ecs
  return {
    fqdn,
    mtlsRoot,
    random,
    policy: currentPolicy,
    peers: () => trust.trusted(),
    unheard: () => trust.unheard(),
    async recordDiscovery(line) {
      await commit(store, clock.now(), [], { event: 'discovery-forwarded', ...line })
    },
    ask: (peer, { path }, message, correlation) => lines.ask(peer, path, message, correlation),
    inTime: (work) => inTime(timers, work),
  }
}

/** A key that a peer has made since its last bundle makes that be fetched again, but not at a stranger's pace (THREATS TK-12). */
function refreshingKeys(trust: PeerTrust, peer: Fqdn, of: 'tokenKeys' | 'forwardingKeys'): KeySource {
  const keys = (): KeySet | undefined => trust.bundleOf(peer)?.[of]
  return {
    async get(kid) {
      const known = keys()?.get(kid)
      if (known !== undefined) return known
      await trust.refreshSoon(peer)
      return keys()?.get(kid)
    },
  }
}

interface OpenLine {
  readonly line: PeerLine
  /** what it was opened with: with another it is opened anew */
  readonly of: readonly unknown[]
}

class PeerLines {
  readonly #ecs: OpenEcs
  readonly #trust: PeerTrust
  readonly #parts: FederationParts
  readonly #open = new Map<Fqdn, OpenLine>()
  readonly #found = new Map<Fqdn, { readonly ecs: Fqdn; readonly until: number }>()

  constructor(ecs: OpenEcs, trust: PeerTrust, parts: FederationParts) {
    this.#ecs = ecs
    this.#trust = trust
    this.#parts = parts
  }

  forward(peer: TrustedPeer, { assertion, hops }: Forwarding, correlation: string) {
    return this.ask(peer, FEDERATION.forward.path, { assertion, hops }, correlation)
  }

  ask(peer: TrustedPeer, path: string, message: object, correlation: string) {
    return this.#post(peer, path, message, correlationHeader(correlation))
  }

  /** Each candidate is asked; the answer of one that has the EES is kept while it says so. */
  async resolve(candidates: readonly TrustedPeer[], target: Fqdn): Promise<TrustedPeer | undefined> {
    const now = this.#ecs.clock.monotonic()
    const known = this.#found.get(target)
    const kept =
      known !== undefined && now < known.until ? candidates.find(({ fqdn }) => fqdn === known.ecs) : undefined
    if (kept !== undefined) return kept
    const asked = candidates.map(async (peer) => ({ peer, lifeTime: await this.#resolveAt(peer, target) }))
    const answers = await Promise.allSettled(asked)
    const found = answers.find((answer) => answer.status === 'fulfilled')
    if (found === undefined) return undefined
    const { peer, lifeTime } = found.value
    if (this.#found.size >= MOST_FOUND) this.#found.clear()
    this.#found.set(target, { ecs: peer.fqdn, until: now + Math.min(lifeTime, 300) * 1_000 })
    return peer
  }

  isLeftAlone(peer: Fqdn): boolean {
    return this.#open.get(peer)?.line.isLeftAlone() ?? false
  }

  close(): void {
    for (const { line } of this.#open.values()) line.close()
  }

  async #resolveAt(peer: TrustedPeer, target: Fqdn): Promise<number> {
    const response = await this.#post(peer, FEDERATION.resolve.path, { fqdn: target })
    requireStatus(response, 200)
    const { ecs, lifeTime } = readJson(response, ResolveAnswer)
    if (ecs !== peer.fqdn) throw new Refusal('PEER_ANSWER_NOT_ACCEPTED', 'the other ECS speaks for a third one')
    return lifeTime
  }

  #post(peer: TrustedPeer, path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
    const json = { 'content-type': 'application/json', accept: 'application/json' }
    return this.#lineTo(peer).ask({
      method: 'POST',
      path,
      headers: { ...json, ...headers },
      body: JSON.stringify(body),
    })
  }

  #lineTo({ fqdn, bundle }: TrustedPeer): PeerLine {
    const credential = this.#parts.credential()
    const of = [bundle.mtlsRoot, credential, ...bundle.roots.map(({ der }) => sha256Base64url(der))]
    const open = this.#open.get(fqdn)
    if (open !== undefined && open.of.length === of.length && of.every((each, at) => each === open.of[at]))
      return open.line
    const { clock, timers, configuration } = this.#ecs
    const tls = clientTls(
      bundle.roots.map(({ der }) => writePem('CERTIFICATE', der)),
      credential,
    )
    const resolve = new Map(Object.entries(configuration.resolve))
    const limits = { connect: PEER_TIMES.connect, content: ANSWER_OCTETS }
    const accept = (socket: TLSSocket) => void this.#trust.peerOf(socket, fqdn)
    const line = peerLine(openPeer(bundle.mtlsRoot, tls, resolve, accept, limits), clock, timers)
    this.#open.set(fqdn, { line, of })
    // What is under way there is still answered.
    open?.line.close()
    return line
  }
}

const MOST_FOUND = 10_000
