import type { Signer } from '../ports/signer.ts'
import { readDer } from './der-reader.ts'
import { TAG } from './der-tags.ts'
import { bitString, element, explicit, integer, sequence, time } from './der-writer.ts'
import { writeName } from './distinguished-name.ts'
import { writeExtensions } from './extension-writer.ts'
import { lint } from './lint.ts'
import { acceptPublicKey } from './public-key.ts'
import { type SignatureAlgorithm, signatureVerifiesAside, writeSignatureAlgorithm } from './signature-algorithm.ts'
import type { Template } from './template.ts'

/**
 * Signs what the template says, if nothing speaks against it: encode, lint the very octets, sign, look at the result.
 * The caller has recorded the template by now, so no certificate can exist that the store does not know
 * (THREATS CA-04).
 *
 * @returns Certificate (RFC 5280 4.1), DER
 * @throws Error with the findings, before anything is signed; Error if the signer signed something else
 */
export async function issueCertificate(template: Template, signer: Signer): Promise<Buffer> {
  const issuerKey = template.issuer?.publicKey ?? acceptPublicKey(template.spki)
  if (!issuerKey.equals(signer.publicKey)) throw new Error('not signed: the signer is not that of the issuer')

  const tbs = toBeSigned(template)
  const findings = lint(tbs, template)
  if (findings.length > 0) throw new Error(`not signed: ${findings.join('; ')}`)

  const { signatureAlgorithm } = template
  const signature = await signer.sign(tbs)
  const certificate = assemble(tbs, signature, signatureAlgorithm)

  // The last look: what leaves holds the octets that were linted, under a signature of the issuer.
  const verified = await signatureVerifiesAside({ tbs, signature, signatureAlgorithm }, issuerKey)
  if (!verified || !tbsOf(certificate).equals(tbs)) throw new Error('the signer did not sign the certificate')
  return certificate
}

/** TBSCertificate (RFC 5280 4.1.2), DER. */
export function toBeSigned(template: Template): Buffer {
  const subject = writeName(template.subject)
  return sequence([
    VERSION_3,
    element(TAG.integer, [template.serial]),
    writeSignatureAlgorithm(template.signatureAlgorithm),
    template.issuer?.subject ?? subject,
    sequence([time(template.notBefore), time(template.notAfter)]),
    subject,
    template.spki,
    explicit(3, writeExtensions(template)),
  ])
}

/** Certificate from what was signed and the signature on it, DER. */
export function assemble(tbs: Uint8Array, signature: Uint8Array, algorithm: SignatureAlgorithm): Buffer {
  return sequence([tbs, writeSignatureAlgorithm(algorithm), bitString(signature)])
}

function tbsOf(certificate: Buffer): Buffer {
  return readDer(certificate, (der) =>
    der.sequence((signed) => {
      const { octets } = signed.withOctets((tbs) => tbs.any())
      signed.any()
      signed.bitString()
      return octets
    }),
  )
}

const VERSION_3 = explicit(0, integer(2))
