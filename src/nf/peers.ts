import type { Certificate } from '../certificates/certificate.ts'
import { checkChain } from '../certificates/chain.ts'
import type { LeafRole } from '../certificates/profile.ts'
import type { Fqdn, NfInstanceId } from '../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import type { PeerEntry } from './configuration.ts'

/** The allow-list as it is in force, with the roots that its entries name. */
export interface Peers<Entry extends PeerEntry = PeerEntry> {
  readonly entries: ReadonlyMap<string, Entry>
  /** by the name that the entries use */
  readonly authorities: ReadonlyMap<string, Authorities>
}

/**
 * The root of a domain and those below it that issue to our callers. They are configured: Node does not always tell a
 * server which issuers its client sent along (nodejs/node#65579).
 */
export interface Authorities {
  readonly root: Certificate
  readonly issuers: readonly Certificate[]
}

/** A caller that its certificate and the allow-list agree on. */
export interface NfPeer<Entry extends PeerEntry = PeerEntry> {
  readonly fqdn: Fqdn
  /** undefined for an ECS or EES, which is no network function */
  readonly nfInstanceId: NfInstanceId | undefined
  /** `x5t#S256` of its certificate */
  readonly thumbprint: string
  readonly entry: Entry
  /** what it may do: what its entry says and, where tokens are asked for, its token as well */
  readonly scopes: ReadonlySet<string>
}

/** A certificate, and the roots that vouch for it. */
export interface Vouched {
  readonly certificate: Certificate
  readonly thumbprint: string
  /** `<role> <name of the root>` */
  readonly roots: ReadonlySet<string>
}

/** Each kind of caller has certificates of a role of its own, so none passes for another (THREATS CA-11). */
const roleOf = ({ nfType }: PeerEntry): LeafRole => EDGE_ROLES.get(nfType) ?? 'nf'
/** An Edge Enabler Server has a type only here. */
const EDGE_ROLES: ReadonlyMap<string, LeafRole> = new Map([
  ['ECS', 'ecs'],
  ['EES', 'ees'],
])

/**
 * Which of our roots lead to this certificate, in a role that some entry under that root has?
 *
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED if none does
 */
export function vouch(
  { entries, authorities }: Peers,
  { leaf, thumbprint, now }: { readonly leaf: Certificate; readonly thumbprint: string; readonly now: number },
): Vouched {
  const vouching = new Set<string>()
  const tried = new Set<string>()
  let reason: unknown
  for (const entry of entries.values()) {
    const [domain, role] = [authorities.get(entry.root), roleOf(entry)]
    if (domain === undefined || tried.has(`${role} ${entry.root}`)) continue
    tried.add(`${role} ${entry.root}`)
    try {
      checkChain({ leaf, intermediates: domain.issuers, anchors: [domain.root], role, now })
      vouching.add(`${role} ${entry.root}`)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      reason = error
    }
  }
  if (vouching.size > 0) return { certificate: leaf, thumbprint, roots: vouching }
  throw new Refusal('CERTIFICATE_NOT_ACCEPTED', 'no trusted root vouches for the certificate', { cause: reason })
}

/**
 * The caller's entry, if the root of that entry vouches for the certificate: another domain's root cannot make itself
 * one of our network functions, nor one ECS another (TS 33.501 13.1.0).
 *
 * @throws Refusal POLICY_DENIED
 */
export function identify<Entry extends PeerEntry>(
  { entries }: Peers<Entry>,
  { certificate, thumbprint, roots }: Vouched,
): NfPeer<Entry> {
  const [fqdn] = certificate.subjectAltNames.dnsNames
  const entry = fqdn === undefined ? undefined : entries.get(fqdn)
  const listed = entry !== undefined && roots.has(`${roleOf(entry)} ${entry.root}`)
  refuseUnless(fqdn !== undefined && listed, 'POLICY_DENIED', 'the caller is not on the list')
  const isNf = roleOf(entry) === 'nf'
  const typed = !isNf || certificate.nfTypes?.includes(entry.nfType)
  refuseUnless(typed, 'POLICY_DENIED', 'the certificate is of another type of network function')
  const uri = certificate.subjectAltNames.uris[0] ?? ''
  const nfInstanceId = isNf ? (uri.slice('urn:uuid:'.length) as NfInstanceId) : undefined
  return { fqdn, nfInstanceId, thumbprint, entry, scopes: new Set(entry.scopes) }
}
