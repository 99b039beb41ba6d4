import type { TLSSocket } from 'node:tls'
import { type Certificate, readCertificate, x5tS256 } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { type Crl, readCrl } from '../../certificates/crl.ts'
import { writePem } from '../../certificates/pem.ts'
import { openPeer, type Peer } from '../../http/client.ts'
import { requireStatus } from '../../http/response.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { clientTls } from '../../tls/client.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { revocationListOf } from '../certificate-authority/authorities.ts'
import type { PeerEcs } from '../federation/peer-ecs.ts'
import { FEDERATION } from '../federation/routes.ts'
import { readTrustBundle, type TrustBundle } from '../federation/trust-bundle.ts'
import { type TrustedPeer, withOwnNameSpace } from '../federation/trusted-peer.ts'
import type { OpenEcs } from './open-ecs.ts'
import { listPeers, storeBundle } from './peer-store.ts'

/** Milliseconds. */
const TIMES = { retry: 5_000, betweenAsked: 30_000, connect: 1_000, answer: 2_000 }
const LONGEST_ANSWER = 1_048_576

/** A peer with what is known of it now. */
export interface KnownPeer {
  readonly peer: PeerEcs
  readonly bundle: TrustBundle | undefined
  readonly text: string | undefined
  /** the newest list of each of its authorities */
  readonly crls: readonly Crl[]
  /** monotonic milliseconds */
  readonly dueAt: number
  readonly askedAt: number
}

/** Whom this ECS trusts, and by what: kept in the store, renewed by itself. */
export class PeerTrust {
  readonly #ecs: OpenEcs
  readonly #rootsChanged: () => void
  #known = new Map<Fqdn, KnownPeer>()
  #trusted: readonly TrustedPeer[] = []
  readonly #underWay = new Map<Fqdn, Promise<void>>()
  /** certificates that were checked, against which knowledge of their peer */
  readonly #checked = new WeakMap<TLSSocket, { readonly known: KnownPeer; readonly thumbprint: string }>()

  constructor(ecs: OpenEcs, rootsChanged: () => void) {
    this.#ecs = ecs
    this.#rootsChanged = rootsChanged
  }

  /** Reads what the operator has said, and what was learned before. */
  async load(): Promise<void> {
    const before = this.#known
    const known = new Map<Fqdn, KnownPeer>()
    for (const { peer, bundle: text } of await listPeers(this.#ecs.store)) {
      const old = before.get(peer.fqdn)
      const same = old !== undefined && JSON.stringify(old.peer) === JSON.stringify(peer)
      known.set(peer.fqdn, same ? old : await this.#remembered(peer, text))
    }
    this.#known = known
    this.#changed()
  }

  find(fqdn: Fqdn): KnownPeer | undefined {
    return this.#known.get(fqdn)
  }

  trusted(): readonly TrustedPeer[] {
    return this.#trusted
  }

  roots(): readonly string[] {
    return [...this.#known.values()].flatMap(rootsOf)
  }

  /** The newest list that was fetched of an authority of a peer. @param file - as {@link revocationListOf} names it */
  revocationList(file: string): Buffer | undefined {
    for (const { crls } of this.#known.values()) {
      const found = crls.find(({ authorityKeyId }) => `${authorityKeyId.toString('hex')}.crl` === file)
      if (found !== undefined) return found.der
    }
    return undefined
  }

  claimsPeer({ subjectAltNames }: Certificate): boolean {
    const [name] = subjectAltNames.dnsNames
    return subjectAltNames.uris.length === 0 && name !== undefined && this.#known.has(name as Fqdn)
  }

  /**
   * The peer that a connection belongs to, by a certificate of the role `ecs` for its name, under a root of its own, on no
   * revocation list: TS 33.501 13.1.0, THREATS FW-04. Without lists nobody is let in.
   *
   * @param expected - the only one that it may be
   */
  peerOf(socket: TLSSocket, expected?: Fqdn): { readonly fqdn: Fqdn; readonly thumbprint: string } {
    const seen = this.#checked.get(socket)
    const current = seen && this.#known.get(seen.known.peer.fqdn)
    if (seen !== undefined && seen.known === current) return { fqdn: current.peer.fqdn, thumbprint: seen.thumbprint }
    const der = peerCertificate(socket)
    refuseUnless(der !== undefined, 'CREDENTIAL_MISSING', 'a client certificate is required')
    const leaf = readCertificate(der)
    const [name] = leaf.subjectAltNames.dnsNames
    const known = this.#known.get(name as Fqdn)
    const isPeer = known?.bundle !== undefined && (expected === undefined || name === expected)
    refuseUnless(isPeer, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate is of no ECS that is trusted here')
    const { issuers, roots } = known.bundle
    checkChain({
      leaf,
      intermediates: issuers,
      anchors: roots,
      role: 'ecs',
      now: this.#ecs.clock.now(),
      crls: known.crls,
    })
    const thumbprint = x5tS256(der)
    this.#checked.set(socket, { known, thumbprint })
    return { fqdn: known.peer.fqdn, thumbprint }
  }

  /** What is due; one peer that is down does not hold up the others. */
  async refresh(): Promise<void> {
    const now = this.#ecs.clock.monotonic()
    const due = [...this.#known.values()].filter(({ dueAt }) => dueAt <= now)
    await Promise.all(due.map(({ peer }) => this.#fetchOnce(peer.fqdn)))
  }

  /** Because a key is not known; not more often than every 30 s. */
  async refreshSoon(fqdn: Fqdn): Promise<void> {
    const known = this.#known.get(fqdn)
    const rested = known !== undefined && this.#ecs.clock.monotonic() - known.askedAt >= TIMES.betweenAsked
    if (rested || this.#underWay.has(fqdn)) await this.#fetchOnce(fqdn)
  }

  #fetchOnce(fqdn: Fqdn): Promise<void> {
    const underWay = this.#underWay.get(fqdn)
    if (underWay !== undefined) return underWay
    const fetching = this.#fetch(fqdn)
      .catch((error: unknown) => this.#ecs.log.warn({ peer: fqdn, reason: String(error) }, 'no trust bundle yet'))
      .finally(() => this.#underWay.delete(fqdn))
    this.#underWay.set(fqdn, fetching)
    return fetching
  }

  async #fetch(fqdn: Fqdn): Promise<void> {
    const before = this.#known.get(fqdn)
    if (before === undefined) return
    const { clock, store } = this.#ecs
    const askedAt = clock.monotonic()
    this.#known.set(fqdn, { ...before, askedAt, dueAt: askedAt + TIMES.retry })
    const peer = this.#open(before)
    try {
      const text = (await fetchFrom(peer, FEDERATION.trustBundle.path)).toString('utf8')
      const bundle = await readTrustBundle(text, { fqdn, anchors: anchorsOf(before), now: clock.now() })
      const crls = await newestLists(peer, [...bundle.roots, ...bundle.issuers], before.crls)
      const current = this.#known.get(fqdn)
      // Meanwhile the operator may have said something else of it.
      if (current?.peer !== before.peer) return
      const learned = { ...before.peer, roots: bundle.roots.map(({ der }) => writePem('CERTIFICATE', der)) }
      if (changes(bundle, before.bundle)) {
        const digest = sha256Base64url(text)
        await storeBundle(store, { peer: fqdn, bundle: text, roots: learned.roots, digest }, clock.now())
      }
      const dueAt = clock.monotonic() + bundle.refresh * 1_000
      this.#known.set(fqdn, { peer: learned, bundle, text, crls, dueAt, askedAt })
      this.#changed()
    } finally {
      peer.close()
    }
  }

  #open(known: KnownPeer): Peer {
    const resolve = new Map(Object.entries(this.#ecs.configuration.resolve))
    const limits = { connect: TIMES.connect, content: LONGEST_ANSWER }
    return openPeer(known.peer.apiRoot, clientTls(rootsOf(known)), resolve, undefined, limits)
  }

  /** A bundle that was believed when it came, and has run out since, still says which roots were trusted last. */
  async #remembered(peer: PeerEcs, text: string | undefined): Promise<KnownPeer> {
    const fresh = { peer, bundle: undefined, text: undefined, crls: [], dueAt: 0, askedAt: Number.NEGATIVE_INFINITY }
    if (text === undefined) return fresh
    const anchors = peer.roots.map(readCertificate)
    const bundle = await readTrustBundle(text, { fqdn: peer.fqdn, anchors, now: this.#ecs.clock.now() }).catch(
      () => undefined,
    )
    return { ...fresh, bundle, text: bundle && text }
  }

  #changed(): void {
    const before = this.#trusted.flatMap(({ bundle }) => bundle.roots.map(({ der }) => sha256Base64url(der))).join()
    this.#trusted = [...this.#known.values()].flatMap(({ peer, bundle }) =>
      bundle === undefined ? [] : [withOwnNameSpace(peer, bundle)],
    )
    const after = this.#trusted.flatMap(({ bundle }) => bundle.roots.map(({ der }) => sha256Base64url(der))).join()
    if (before !== after) this.#rootsChanged()
  }
}

const rootsOf = (known: KnownPeer): readonly string[] =>
  known.bundle?.roots.map(({ der }) => writePem('CERTIFICATE', der)) ?? known.peer.roots

/** The roots of the last bundle; the operator's until there is one. */
const anchorsOf = (known: KnownPeer): readonly Certificate[] =>
  known.bundle?.roots ?? known.peer.roots.map((pem) => readCertificate(pem))

/** Times aside, so that the audit trail tells of changes and not of every refresh. */
function changes(bundle: TrustBundle, before: TrustBundle | undefined): boolean {
  if (before === undefined) return true
  const parts = ({ roots, issuers, tokenKeys, forwardingKeys, issuer, mtlsRoot, nameSpace }: TrustBundle) =>
    JSON.stringify([
      [...roots, ...issuers].map(({ der }) => sha256Base64url(der)),
      [...tokenKeys.keys(), '', ...forwardingKeys.keys()],
      [issuer, mtlsRoot, ...nameSpace],
    ])
  return parts(bundle) !== parts(before)
}

async function fetchFrom(peer: Peer, path: string): Promise<Buffer> {
  const response = await peer.request({ method: 'GET', path, patience: TIMES.answer })
  requireStatus(response, 200)
  return response.body
}

/** The lists of the authorities of an ECS, each by its key; a list that is older than one that was seen is not believed. */
async function newestLists(peer: Peer, authorities: readonly Certificate[], before: readonly Crl[]): Promise<Crl[]> {
  const files = new Set(authorities.map(revocationListOf))
  const fetched = await Promise.all([...files].map(async (file) => readCrl(await fetchFrom(peer, `/crl/${file}`))))
  return fetched.map((crl) => {
    const older = before.find(({ authorityKeyId }) => authorityKeyId.equals(crl.authorityKeyId))
    return older !== undefined && older.number > crl.number ? older : crl
  })
}
