import type { KeyObject } from 'node:crypto'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { AnswerNotAccepted, acceptIf } from '../../http/response.ts'
import type { Fqdn, RegistrationId } from '../../spec/identifiers.ts'
import { Refusal } from '../../spec/refusal.ts'

/** What a certificate that the ECS issues must be for. */
export interface IssuedFor {
  /** PEM: what is trusted, one root or several */
  readonly root: string
  readonly publicKey: KeyObject
  readonly fqdn: Fqdn
  readonly registrationId: RegistrationId
}

/**
 * The certificate is for our key, our FQDN and our registration, it is good now, and its chain ends at a root that we
 * trust; otherwise it is somebody else's, or worth nothing with those who trust that root.
 *
 * @param chain - PEM, the certificate of the EES first, or the certificates one by one
 * @param now - milliseconds since 1970
 * @returns the certificate of the EES
 * @throws AnswerNotAccepted
 */
export function checkIssuedCertificate(
  chain: string | readonly Certificate[],
  { root, publicKey, fqdn, registrationId }: IssuedFor,
  now: number,
): Certificate {
  const [leaf, ...intermediates] = typeof chain === 'string' ? accepting(() => readCertificateList(chain)) : chain
  acceptIf(leaf, 'there is no certificate')
  acceptIf(leaf.publicKey.equals(publicKey), 'the certificate is for another key')
  const { dnsNames, uris } = leaf.subjectAltNames
  acceptIf(dnsNames.length === 1 && dnsNames[0] === fqdn, 'the certificate is for another FQDN')
  acceptIf(uris.length === 1 && uris[0] === `urn:uuid:${registrationId}`, 'the certificate is for another registration')
  accepting(() => checkChain({ leaf, intermediates, anchors: readCertificateList(root), role: 'ees', now }))
  return leaf
}

/** What is wrong with a certificate is, here, wrong with the answer. */
export function accepting<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new AnswerNotAccepted(cause.detail, { cause })
  }
}
