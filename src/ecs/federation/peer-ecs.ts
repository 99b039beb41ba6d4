import { readCertificateList } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { isOriginOf } from '../../http/origin.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { refuseUnless } from '../../spec/refusal.ts'

/** Another ECS as the operator names it: nothing that it says of itself widens this (THREATS FW-03, FW-05). */
export interface PeerEcs {
  readonly fqdn: Fqdn
  /** its `server` listener, where its trust bundle is: `https://FQDN[:PORT]` */
  readonly apiRoot: string
  /** PEM of the roots that its first trust bundle may be under */
  readonly roots: readonly string[]
  /** the names of its EESs are below these: it may vouch for those, and has those */
  readonly nameSpace: readonly Fqdn[]
  /** another peer, through which alone requests go to this one */
  readonly via?: Fqdn
}

/** As it comes from the operator. */
export interface PeerStatement {
  readonly fqdn: string
  readonly apiRoot: string
  /** PEM, one or several */
  readonly roots: string
  readonly nameSpace: readonly string[]
  readonly via?: string
}

/** @throws Refusal MANDATORY_IE_INCORRECT, OPTIONAL_IE_INCORRECT */
export function checkPeer(stated: PeerStatement, own: Fqdn, peers: readonly PeerEcs[]): PeerEcs {
  const fqdn = parseFqdn(stated.fqdn)
  refuseUnless(fqdn !== undefined && fqdn !== own, 'MANDATORY_IE_INCORRECT', 'fqdn is not the name of another ECS')
  refuseUnless(isOriginOf(stated.apiRoot, fqdn), 'MANDATORY_IE_INCORRECT', 'apiRoot is not https://FQDN[:PORT] of it')
  const nameSpace = stated.nameSpace.map(parseFqdn).filter((name) => name !== undefined)
  const named = nameSpace.length > 0 && nameSpace.length === stated.nameSpace.length
  refuseUnless(named, 'MANDATORY_IE_INCORRECT', 'the name space is of one suffix or more, each an FQDN')
  const certificates = readCertificateList(stated.roots)
  const areRoots = certificates.length > 0 && certificates.every(({ subject, issuer }) => subject.equals(issuer))
  refuseUnless(areRoots, 'MANDATORY_IE_INCORRECT', 'roots has no root certificate, or something else beside it')
  const roots = certificates.map(({ der }) => writePem('CERTIFICATE', der))
  const via = stated.via === undefined ? undefined : peers.find((peer) => peer.fqdn === stated.via?.toLowerCase())
  const reached = stated.via === undefined || (via !== undefined && via.via === undefined && via.fqdn !== fqdn)
  refuseUnless(reached, 'OPTIONAL_IE_INCORRECT', 'via is not a peer that is reached without another')
  return { fqdn, apiRoot: stated.apiRoot, roots, nameSpace, ...(via && { via: via.fqdn }) }
}

/** At a label boundary: `south.example.com` has `ees.south.example.com` and itself, and not `badsouth.example.com`. */
export function isInNameSpace(nameSpace: readonly Fqdn[], name: Fqdn): boolean {
  return longestSuffix(nameSpace, name) > 0
}

/** The peers that have this name in their name space, by the longest suffix; several if they share it (D-18). */
export function peersServing<Peer extends Pick<PeerEcs, 'nameSpace'>>(peers: readonly Peer[], name: Fqdn): Peer[] {
  const longest = Math.max(0, ...peers.map(({ nameSpace }) => longestSuffix(nameSpace, name)))
  return longest === 0 ? [] : peers.filter(({ nameSpace }) => longestSuffix(nameSpace, name) === longest)
}

function longestSuffix(nameSpace: readonly Fqdn[], name: Fqdn): number {
  const lengths = nameSpace.filter((suffix) => name === suffix || name.endsWith(`.${suffix}`)).map((s) => s.length)
  return Math.max(0, ...lengths)
}
