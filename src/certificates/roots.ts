import { X509Certificate } from 'node:crypto'
import { refuseUnless } from '../spec/refusal.ts'
import { readCertificateList } from './certificate.ts'

/**
 * What somebody is asked to trust: authorities that vouch for themselves, and nothing else.
 *
 * @param pem - one after another
 * @param now - milliseconds since the epoch
 * @returns how people compare them: {@link fingerprintOf} each
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED
 */
export function fingerprintsOfRoots(pem: string, now: number): string[] {
  const certificates = readCertificateList(pem)
  refuseUnless(certificates.length > 0, 'CERTIFICATE_NOT_ACCEPTED', 'there is no root certificate')
  return certificates.map(({ der, notBefore, notAfter }) => {
    const certificate = new X509Certificate(der)
    const isRoot = certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
    refuseUnless(isRoot, 'CERTIFICATE_NOT_ACCEPTED', 'a certificate is none of a root authority')
    refuseUnless(notBefore <= now && now < notAfter, 'CERTIFICATE_NOT_ACCEPTED', 'the root is not good at this time')
    return fingerprintOf(der)
  })
}

/** SHA-256 of the DER, as `openssl x509 -fingerprint -sha256` writes it. */
export function fingerprintOf(der: Uint8Array): string {
  return new X509Certificate(der).fingerprint256
}
