import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { EAS_URN } from '../../certificates/template.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { EasPeer } from '../peers.ts'

export interface EasGuardPorts {
  /** issuing authorities for EASs */
  readonly authorities: readonly Certificate[]
  /** EAS IDs whose certificates are taken no more */
  readonly refused: ReadonlySet<string>
  now(): number
}

/**
 * The EAS that a certificate is of: EDGE-3, TS 33.558 6.1. An authority for EASs issues to them alone, so nobody else
 * passes for one, and an EAS for nobody else (THREATS RS-03, CA-11).
 *
 * @param der - of the certificate that the client has proven to hold
 * @throws Refusal CREDENTIAL_MISSING, CERTIFICATE_NOT_ACCEPTED, CERTIFICATE_REVOKED
 */
export function identifyEas({ authorities, refused, now }: EasGuardPorts, der: Buffer | undefined): EasPeer {
  refuseUnless(der, 'CREDENTIAL_MISSING', 'a client certificate is required')
  const leaf = readCertificate(der)
  checkChain({ leaf, intermediates: [], anchors: authorities, role: 'eas', now: now() })
  const [uri = ''] = leaf.subjectAltNames.uris
  const easId = uri.slice(EAS_URN.length)
  refuseUnless(!refused.has(easId), 'CERTIFICATE_REVOKED', 'this EAS is not let in any more')
  return { easId }
}
