import type { TLSSocket } from 'node:tls'
import { type Certificate, readCertificate, x5tS256 } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import type { Crl } from '../../certificates/crl.ts'
import { writePem } from '../../certificates/pem.ts'
import { openPeer, type Peer } from '../../http/client.ts'
import { requireStatus } from '../../http/response.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { clientTls } from '../../tls/client.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { FEDERATION } from '../federation/operations.ts'
import type { PeerEcs } from '../federation/peer-ecs.ts'
import { newestLists, withoutRevoked } from '../federation/revocation-lists.ts'
import { type HeardBundle, isSignerRevoked, readTrustBundle, refuseRevokedSigner } from '../federation/trust-bundle.ts'
import { type TrustedPeer, withOwnNameSpace } from '../federation/trusted-peer.ts'
import { anchorsOf, changes, type KnownPeer, rootsOf } from './known-peer.ts'
import type { OpenEcs } from './open-ecs.ts'
import { listPeers, storeBundle } from './peer-store.ts'

/** Milliseconds. Lists are fetched so often that an EES that is revoked there is refused here within 10 s. */
const TIMES = { retry: 5_000, betweenAsked: 30_000, connect: 1_000, answer: 2_000, lists: 3_000 }
const LONGEST_ANSWER = 1_048_576

/** In monotonic milliseconds. */
interface Schedule {
  askedAt: number
  bundleDueAt: number
  listsDueAt: number
}

/** What the operator wants to know; times in milliseconds since 1970. */
export interface TrustStanding {
  readonly heardAt?: number
  readonly expires?: number
  /** the end of the list that runs out first */
  readonly listsUntil?: number
}

interface CheckedConnection {
  readonly known: KnownPeer
  readonly thumbprint: string
  /** until when nothing of what it was checked against runs out */
  readonly until: number
}

/** Whom this ECS trusts, and by what: kept in the store, renewed by itself. */
export class PeerTrust {
  readonly #ecs: OpenEcs
  readonly #rootsChanged: () => void
  #known = new Map<Fqdn, KnownPeer>()
  #trusted: readonly TrustedPeer<HeardBundle>[] = []
  readonly #schedules = new Map<Fqdn, Schedule>()
  readonly #underWay = new Map<string, Promise<void>>()
  /** connections to the listener of each peer that is for anybody, by what they were opened with */
  readonly #lines = new Map<Fqdn, { readonly peer: Peer; readonly of: string }>()
  readonly #checked = new WeakMap<TLSSocket, CheckedConnection>()

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
      if (!same) this.#schedules.delete(peer.fqdn)
    }
    this.#known = known
    for (const [fqdn, { peer }] of this.#lines) {
      if (known.has(fqdn)) continue
      peer.close()
      this.#lines.delete(fqdn)
    }
    this.#changed()
  }

  /** The last bundle of a peer, while it is good. */
  bundleOf(fqdn: Fqdn): HeardBundle | undefined {
    const bundle = this.#known.get(fqdn)?.bundle
    return bundle !== undefined && this.#ecs.clock.now() < bundle.expires ? bundle : undefined
  }

  /** Those whose bundle is good now. */
  trusted(): readonly TrustedPeer[] {
    const now = this.#ecs.clock.now()
    return this.#trusted.filter(({ bundle }) => now < bundle.expires)
  }

  /** The others. */
  unheard(): readonly PeerEcs[] {
    return [...this.#known.values()].map(({ peer }) => peer).filter(({ fqdn }) => this.bundleOf(fqdn) === undefined)
  }

  standing(fqdn: Fqdn): TrustStanding {
    const { bundle, crls = [], heardAt } = this.#known.get(fqdn) ?? {}
    return {
      ...(heardAt !== undefined && { heardAt }),
      ...(bundle && { expires: bundle.expires }),
      ...(crls.length > 0 && { listsUntil: Math.min(...crls.map(({ nextUpdate }) => nextUpdate)) }),
    }
  }

  roots(): readonly string[] {
    return [...this.#known.values()].flatMap(rootsOf)
  }

  /** The newest list that was fetched of an authority of a peer. @param file - as {@link revocationListOf} names it */
  revocationList(file: string): Buffer | undefined {
    const lists = [...this.#known.values()]
      .flatMap(({ crls }) => crls)
      .filter(({ authorityKeyId }) => `${authorityKeyId.toString('hex')}.crl` === file)
    // A peer that names the authority of another as its own hides nothing of what that one has revoked.
    return lists.reduce<Crl | undefined>(
      (newest, crl) => (newest && newest.number >= crl.number ? newest : crl),
      undefined,
    )?.der
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
    const now = this.#ecs.clock.now()
    const seen = this.#checked.get(socket)
    const current = seen && this.#known.get(seen.known.peer.fqdn)
    if (seen !== undefined && seen.known === current && now < seen.until)
      return { fqdn: current.peer.fqdn, thumbprint: seen.thumbprint }
    const der = peerCertificate(socket)
    refuseUnless(der !== undefined, 'CREDENTIAL_MISSING', 'a client certificate is required')
    const leaf = readCertificate(der)
    const [name] = leaf.subjectAltNames.dnsNames
    const known = this.#known.get(name as Fqdn)
    const isPeer = known?.bundle !== undefined && (expected === undefined || name === expected)
    refuseUnless(isPeer, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate is of no ECS that is trusted here')
    const { issuers, roots, expires } = known.bundle
    refuseUnless(now < expires, 'PEER_NOT_AVAILABLE', 'the trust bundle of this ECS has run out here')
    checkChain({ leaf, intermediates: issuers, anchors: roots, role: 'ecs', now, crls: known.crls })
    const until = Math.min(expires, leaf.notAfter, ...known.crls.map(({ nextUpdate }) => nextUpdate))
    const thumbprint = x5tS256(der)
    this.#checked.set(socket, { known, thumbprint, until })
    return { fqdn: known.peer.fqdn, thumbprint }
  }

  /** What is due; one peer that is down does not hold up the others. */
  async refresh(): Promise<void> {
    const now = this.#ecs.clock.monotonic()
    const work = [...this.#known.keys()].map((fqdn) => {
      const { askedAt, bundleDueAt, listsDueAt } = this.#scheduleOf(fqdn)
      const isGood = this.bundleOf(fqdn) !== undefined
      // A wall clock that was set may end a bundle long before the next one is due (THREATS TM-01).
      const dueAt = isGood ? bundleDueAt : Math.min(bundleDueAt, askedAt + TIMES.retry)
      if (dueAt <= now) return this.#fetchOnce(fqdn)
      return isGood && listsDueAt <= now ? this.#fetchListsOnce(fqdn) : undefined
    })
    await Promise.all(work)
  }

  /** Because a key is not known; not more often than every 30 s. */
  async refreshSoon(fqdn: Fqdn): Promise<void> {
    const rested = this.#ecs.clock.monotonic() - this.#scheduleOf(fqdn).askedAt >= TIMES.betweenAsked
    if (this.#known.has(fqdn) && (rested || this.#underWay.has(fqdn))) await this.#fetchOnce(fqdn)
  }

  close(): void {
    for (const { peer } of this.#lines.values()) peer.close()
    this.#lines.clear()
  }

  #scheduleOf(fqdn: Fqdn): Schedule {
    const known = this.#schedules.get(fqdn)
    if (known !== undefined) return known
    const never = { askedAt: Number.NEGATIVE_INFINITY, bundleDueAt: 0, listsDueAt: 0 }
    this.#schedules.set(fqdn, never)
    return never
  }

  #fetchOnce(fqdn: Fqdn): Promise<void> {
    return this.#once(fqdn, () => this.#fetch(fqdn), { peer: fqdn, what: 'no trust bundle yet' })
  }

  #fetchListsOnce(fqdn: Fqdn): Promise<void> {
    return this.#once(`lists ${fqdn}`, () => this.#fetchLists(fqdn), { peer: fqdn, what: 'no revocation lists yet' })
  }

  #once(name: string, work: () => Promise<void>, { peer, what }: { peer: Fqdn; what: string }): Promise<void> {
    const underWay = this.#underWay.get(name)
    if (underWay !== undefined) return underWay
    const fetching = work()
      .catch((error: unknown) => this.#ecs.log.warn({ peer, reason: String(error) }, what))
      .finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, fetching)
    return fetching
  }

  async #fetch(fqdn: Fqdn): Promise<void> {
    const before = this.#known.get(fqdn)
    if (before === undefined) return
    const { clock, store } = this.#ecs
    const schedule = this.#scheduleOf(fqdn)
    schedule.askedAt = clock.monotonic()
    schedule.bundleDueAt = schedule.askedAt + TIMES.retry
    const line = this.#lineTo(before)
    const text = (await fetchFrom(line, FEDERATION.trustBundle.path)).toString('utf8')
    const bundle = await readTrustBundle(text, { fqdn, anchors: anchorsOf(before), now: clock.now() })
    const crls = await newestLists(bundle, before.crls, listsAt(line))
    refuseRevokedSigner(bundle, crls, clock.now())
    // Meanwhile the operator may have said something else of it.
    if (this.#known.get(fqdn)?.peer !== before.peer) return
    const learned = { ...before.peer, roots: bundle.roots.map(({ der }) => writePem('CERTIFICATE', der)) }
    if (changes(bundle, before.bundle)) {
      const digest = sha256Base64url(text)
      await storeBundle(store, { peer: fqdn, bundle: text, roots: learned.roots, digest }, clock.now())
    }
    schedule.bundleDueAt = clock.monotonic() + bundle.refresh * 1_000
    schedule.listsDueAt = clock.monotonic() + TIMES.lists
    this.#known.set(fqdn, { peer: learned, bundle, crls, heardAt: clock.now() })
    this.#changed()
  }

  async #fetchLists(fqdn: Fqdn): Promise<void> {
    const before = this.#known.get(fqdn)
    if (before?.bundle === undefined) return
    const { clock } = this.#ecs
    const schedule = this.#scheduleOf(fqdn)
    const dueAt = clock.monotonic() + TIMES.lists
    schedule.listsDueAt = dueAt
    const crls = await newestLists(before.bundle, before.crls, listsAt(this.#lineTo(before))).catch(
      (error: unknown) => {
        // A list may be gone because its authority is: the next bundle says so.
        schedule.bundleDueAt = Math.min(schedule.bundleDueAt, dueAt)
        throw error
      },
    )
    const current = this.#known.get(fqdn)
    if (current?.bundle !== before.bundle) return
    // The same lists leave what was checked against them as it is.
    if (crls.every((crl) => current.crls.includes(crl))) return
    const bundle = isSignerRevoked(before.bundle, crls, clock.now()) ? undefined : before.bundle
    this.#known.set(fqdn, { ...current, bundle, crls })
    this.#changed()
  }

  #lineTo(known: KnownPeer): Peer {
    const { fqdn, apiRoot } = known.peer
    const roots = rootsOf(known)
    const of = [apiRoot, ...roots].join()
    const open = this.#lines.get(fqdn)
    if (open?.of === of) return open.peer
    const resolve = new Map(Object.entries(this.#ecs.configuration.resolve))
    const limits = { connect: TIMES.connect, content: LONGEST_ANSWER }
    const peer = openPeer(apiRoot, clientTls(roots), resolve, undefined, limits)
    this.#lines.set(fqdn, { peer, of })
    open?.peer.close()
    return peer
  }

  /** A bundle that was believed when it came, and has run out since, still says which roots were trusted last. */
  async #remembered(peer: PeerEcs, text: string | undefined): Promise<KnownPeer> {
    if (text === undefined) return { peer, bundle: undefined, crls: [] }
    const anchors = peer.roots.map(readCertificate)
    const bundle = await readTrustBundle(text, { fqdn: peer.fqdn, anchors, now: this.#ecs.clock.now() }).catch(
      () => undefined,
    )
    return { peer, bundle, crls: [] }
  }

  #changed(): void {
    const before = this.#trusted.flatMap(({ bundle }) => bundle.roots.map(({ der }) => sha256Base64url(der))).join()
    this.#trusted = [...this.#known.values()].flatMap(({ peer, bundle, crls }) =>
      bundle === undefined ? [] : [withOwnNameSpace(peer, withoutRevoked(bundle, crls))],
    )
    const after = this.#trusted.flatMap(({ bundle }) => bundle.roots.map(({ der }) => sha256Base64url(der))).join()
    if (before !== after) this.#rootsChanged()
  }
}

async function fetchFrom(peer: Peer, path: string): Promise<Buffer> {
  const response = await peer.request({ method: 'GET', path, patience: TIMES.answer })
  requireStatus(response, 200)
  return response.body
}

const listsAt = (line: Peer) => (file: string) => fetchFrom(line, `/crl/${file}`)
