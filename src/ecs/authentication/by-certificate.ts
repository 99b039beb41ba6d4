import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { EEC_URN } from '../../certificates/template.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { parseEecId } from '../../spec/subscriber-identifiers.ts'
import type { EecPeer } from '../provisioning/provision-service.ts'

/** Who certifies EECs for this ECS, and which of them are let in no more. */
export interface EecAuthorities {
  readonly anchors: readonly Certificate[]
  /** EEC IDs */
  readonly refused: ReadonlySet<string>
}

/**
 * The EEC that a certificate is of (TS 33.558 6.2, `TLS_CLIENT_SERVER_CERTIFICATE`). An authority for EECs issues to them
 * alone, so nobody else passes for one (THREATS CA-11). A certificate tells no GPSI.
 *
 * @param der - of the certificate that the client has proven to hold
 * @throws Refusal CREDENTIAL_MISSING, CERTIFICATE_NOT_ACCEPTED, CERTIFICATE_REVOKED
 */
export function eecOfCertificate({ anchors, refused }: EecAuthorities, der: Buffer | undefined, now: number): EecPeer {
  refuseUnless(der, 'CREDENTIAL_MISSING', 'a client certificate is required')
  const leaf = readCertificate(der)
  checkChain({ leaf, intermediates: [], anchors, role: 'eec', now })
  const [uri = ''] = leaf.subjectAltNames.uris
  const eecId = parseEecId(uri.slice(EEC_URN.length))
  refuseUnless(eecId !== undefined, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate names no EEC')
  refuseUnless(!refused.has(eecId), 'CERTIFICATE_REVOKED', 'this EEC is not let in any more')
  return { eecIds: new Set([eecId]) }
}
