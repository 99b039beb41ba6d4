import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import type { Crl } from '../../certificates/crl.ts'
import { writePem } from '../../certificates/pem.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import type { PeerEcs } from '../federation/peer-ecs.ts'
import type { HeardBundle, TrustBundle } from '../federation/trust-bundle.ts'

/** A peer with what is known of it now. */
export interface KnownPeer {
  readonly peer: PeerEcs
  readonly bundle: HeardBundle | undefined
  /** the newest list of each of its authorities */
  readonly crls: readonly Crl[]
  /** when it was last heard of, milliseconds since 1970 */
  readonly heardAt?: number
}

export const rootsOf = (known: KnownPeer): readonly string[] =>
  known.bundle?.roots.map(({ der }) => writePem('CERTIFICATE', der)) ?? known.peer.roots

/** The roots of the last bundle; the operator's until there is one. */
export const anchorsOf = (known: KnownPeer): readonly Certificate[] =>
  known.bundle?.roots ?? known.peer.roots.map((pem) => readCertificate(pem))

/** Times aside, so that the audit trail tells of changes and not of every refresh. */
export function changes(bundle: TrustBundle, before: TrustBundle | undefined): boolean {
  if (before === undefined) return true
  const parts = ({ roots, issuers, tokenKeys, forwardingKeys, issuer, mtlsRoot, nameSpace }: TrustBundle) =>
    JSON.stringify([
      [...roots, ...issuers].map(({ der }) => sha256Base64url(der)),
      [...tokenKeys.keys(), '', ...forwardingKeys.keys()],
      [issuer, mtlsRoot, ...nameSpace],
    ])
  return parts(bundle) !== parts(before)
}
