import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { acceptIf } from '../../http/response.ts'
import type { OwnAuthorities } from '../../spec/messages/partners.ts'
import { accepting } from './issued-certificate.ts'

interface Authorities {
  /** PEM: the roots, as they are kept */
  readonly root: string
  /** that certifies EESs now */
  readonly signing: Certificate
}

/** What an ECS tells its EESs of its own authorities. @throws AnswerNotAccepted */
export function readAuthorities({ roots, issuers }: OwnAuthorities): Authorities {
  const certificates = accepting(() => roots.map(readCertificate))
  acceptIf(certificates.every(isRoot), 'a root is no root')
  const [signing] = accepting(() => issuers.map(readCertificate))
  acceptIf(signing, 'there is no authority that signs')
  // The order says which one signs; whom to trust does not depend on it.
  const pems = certificates.map(({ der }) => writePem('CERTIFICATE', der)).toSorted()
  return { root: pems.join(''), signing }
}

const isRoot = ({ subject, issuer, basicConstraints }: Certificate) =>
  subject.equals(issuer) && basicConstraints?.ca === true
