import type { KeyObject } from 'node:crypto'
import { type Certificate, readCertificate, readCertificateList } from '../../certificates/certificate.ts'
import { writeCertificationRequest } from '../../certificates/certification-request.ts'
import { readCertsOnly } from '../../certificates/certs-only.ts'
import { writePem } from '../../certificates/pem.ts'
import type { Message, Response } from '../../http/client.ts'
import { acceptIf, isMediaType, requireStatus } from '../../http/response.ts'
import { decodeBase64 } from '../../octets/base64.ts'
import { encodeBase64url } from '../../octets/base64url.ts'
import type { Signer } from '../../ports/signer.ts'
import { NotUsable } from '../errors.ts'
import { accepting, checkIssuedCertificate } from './issued-certificate.ts'
import type { StoredRegistration } from './record.ts'

/**
 * Simple re-enrolment (RFC 7030 4.2.2; D-7). The connection is authenticated by the present certificate, the request is
 * signed by the key to be certified, and the channel binding ties the two together (RFC 7030 3.5, THREATS CA-10).
 *
 * @param signer - of the present key or of a new one
 */
export async function reenrolmentRequest(
  { record }: StoredRegistration,
  signer: Signer,
  channelBinding: Uint8Array,
): Promise<Message> {
  const { fqdn, authInfo } = record
  const csr = await writeCertificationRequest({
    fqdn,
    signer,
    challengePassword: encodeBase64url(channelBinding),
  })
  return {
    method: 'POST',
    path: `${new URL(authInfo.estUrl).pathname.replace(/\/$/, '')}/simplereenroll`,
    headers: { 'content-type': 'application/pkcs10' },
    body: csr.toString('base64'),
  }
}

/**
 * The new certificate is judged like the first one, and must last as long as the present one.
 *
 * @param now - milliseconds since 1970
 * @returns PEM, the certificate of the EES first
 * @throws RefusedByServer, also while the ECS has not decided (202); AnswerNotAccepted
 */
export function processReenrolmentResponse(
  response: Response,
  { record, root, credential }: StoredRegistration,
  publicKey: KeyObject,
  now: number,
): string {
  requireStatus(response, 200)
  const { leaf, others } = readCertificates(response, publicKey)
  const { fqdn, registrationId } = record
  checkIssuedCertificate([leaf, ...others], { root, publicKey, fqdn, registrationId }, now)
  acceptIf(leaf.notAfter >= certificateOf(credential).notAfter, 'the new certificate ends before the present one')
  const above = others.filter(isNotSelfSigned).toSorted((one, other) => order(leaf, one) - order(leaf, other))
  return [leaf, ...above].map(({ der }) => writePem('CERTIFICATE', der)).join('')
}

/** @param credential - with a chain that was checked when it was kept */
export function certificateOf({ certificateChain }: StoredRegistration['credential']): Certificate {
  const [leaf] = readCertificateList(certificateChain)
  if (leaf === undefined) throw new NotUsable('there is no certificate')
  return leaf
}

/** The order of the certificates in the message means nothing: ours is the one with our key. */
function readCertificates({ headers, body }: Response, publicKey: KeyObject) {
  acceptIf(isMediaType(headers['content-type'], 'application/pkcs7-mime'), 'the answer is not application/pkcs7-mime')
  const der = decodeBase64(body.toString('latin1'))
  acceptIf(der, 'the answer is not base64')
  const certificates = accepting(() => readCertsOnly(der).map((octets) => readCertificate(octets)))
  const leaf = certificates.find((certificate) => certificate.publicKey.equals(publicKey))
  acceptIf(leaf, 'the certificate is for another key')
  return { leaf, others: certificates.filter((certificate) => certificate !== leaf) }
}

/** A root among the certificates adds nothing: whoever does not have it does not trust it. One root under another does. */
const isNotSelfSigned = ({ subjectKeyId, authorityKeyId }: Certificate) =>
  subjectKeyId === undefined || authorityKeyId === undefined || !subjectKeyId.equals(authorityKeyId)

/** The issuer comes next, then what is above it (RFC 8446 4.4.2). */
const order = ({ authorityKeyId }: Certificate, { subjectKeyId }: Certificate) =>
  authorityKeyId !== undefined && subjectKeyId?.equals(authorityKeyId) ? 0 : 1
