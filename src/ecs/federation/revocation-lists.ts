import type { Certificate } from '../../certificates/certificate.ts'
import { type Crl, readCrl } from '../../certificates/crl.ts'
import { signatureVerifies } from '../../certificates/signature-algorithm.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { revocationListOf } from '../certificate-authority/authorities.ts'
import type { TrustBundle } from './trust-bundle.ts'

/**
 * The lists of the authorities of another ECS, each by its key and signed with it. The same list as before is the same
 * object; one that is older is not believed (THREATS CA-07).
 *
 * @param fetch - DER of the list in this file
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED if one of them is not of its authority
 */
export function newestLists(
  { roots, issuers }: Pick<TrustBundle, 'roots' | 'issuers'>,
  before: readonly Crl[],
  fetch: (file: string) => Promise<Buffer>,
): Promise<Crl[]> {
  const authorities = new Map([...roots, ...issuers].map((authority) => [revocationListOf(authority), authority]))
  return Promise.all(
    [...authorities].map(async ([file, authority]) => {
      const der = await fetch(file)
      const known = before.find((crl) => isListOf(crl, authority))
      if (known?.der.equals(der)) return known
      const crl = readCrl(der)
      // Before its number counts: a forged one would stand in the way of every list after it.
      const isSigned = isListOf(crl, authority) && signatureVerifies(crl, authority.publicKey)
      refuseUnless(isSigned, 'CERTIFICATE_NOT_ACCEPTED', 'the CRL is not signed by the authority')
      return known !== undefined && known.number > crl.number ? known : crl
    }),
  )
}

/** Without the authorities that their root has revoked: they certify nobody any more. */
export function withoutRevoked<Bundle extends Pick<TrustBundle, 'issuers'>>(
  bundle: Bundle,
  crls: readonly Crl[],
): Bundle {
  const isRevoked = ({ authorityKeyId, serial }: Certificate) =>
    crls.some((crl) => authorityKeyId?.equals(crl.authorityKeyId) === true && crl.revoked.has(serial))
  return { ...bundle, issuers: bundle.issuers.filter((issuer) => !isRevoked(issuer)) }
}

function isListOf({ authorityKeyId }: Crl, { subjectKeyId }: Certificate): boolean {
  return subjectKeyId?.equals(authorityKeyId) === true
}
