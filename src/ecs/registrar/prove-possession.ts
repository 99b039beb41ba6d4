import { type CertificationRequest, readCertificationRequest } from '../../certificates/certification-request.ts'
import { acceptPublicKey, spkiSha256 } from '../../certificates/public-key.ts'
import { decodeBase64 } from '../../octets/base64.ts'
import { decodeBase64url } from '../../octets/base64url.ts'
import { sameOctets } from '../../octets/digest.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { OnboardingInformation } from '../../spec/messages/onboarding-information.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { verifyProof } from '../../tokens/proof-of-possession.ts'
import type { ProvenKey } from '../certificate-authority/certify.ts'

/** The connection that the key came on, and what it came with. */
export interface ProofContext {
  readonly ecs: Fqdn
  readonly onboardingToken: string
  readonly eesProf: unknown
  /** RFC 9266, 32 octets; undefined where the connection has none (TLS 1.2) */
  readonly channelBinding: () => Buffer | undefined
  /** whether a certification request must name the connection, or only may */
  readonly bindingRequired: boolean
}

/**
 * The sender of a public key holds its private half (D-3; THREATS ON-03): a certification request signed by the key,
 * or a proof over this very connection.
 *
 * @throws Refusal PROOF_OF_POSSESSION_FAILED, PUBLIC_KEY_NOT_ACCEPTED, CERTIFICATION_REQUEST_MALFORMED
 */
export async function provePossession(sent: OnboardingInformation, context: ProofContext): Promise<ProvenKey> {
  if (sent.csr !== undefined) return proveByRequest(sent.csr, context)
  const { publicKey, proof } = sent
  refuseUnless(proof !== undefined, 'PROOF_OF_POSSESSION_FAILED', 'the public key comes without a proof')
  const { ecs, onboardingToken, eesProf } = context
  const exporter = context.channelBinding()
  refuseUnless(exporter !== undefined, 'PROOF_OF_POSSESSION_FAILED', 'a proof needs TLS 1.3, which it is bound to')
  const proven = await verifyProof({ publicKey, proof }, { ecs, onboardingToken, eesProf, exporter })
  acceptPublicKey(proven)
  return { spki: proven, spkiSha256: spkiSha256(proven) }
}

function proveByRequest(csr: string, context: Pick<ProofContext, 'channelBinding' | 'bindingRequired'>): ProvenKey {
  const { spki, challengePassword } = readRequestText(csr)
  checkBinding(challengePassword, context)
  return { spki, spkiSha256: spkiSha256(spki) }
}

/** PEM, or base64 of the DER, as EST and JSON carry it (RFC 7030 4.2.1). */
export function readRequestText(text: string): CertificationRequest {
  if (text.startsWith('-----BEGIN')) return readCertificationRequest(text)
  const der = decodeBase64(text)
  refuseUnless(
    der !== undefined,
    'CERTIFICATION_REQUEST_MALFORMED',
    'the certification request is neither PEM nor base64',
  )
  return readCertificationRequest(der)
}

/** RFC 7030 3.5, with the exporter of RFC 9266 in place of tls-unique, which TLS 1.3 does not have. */
export function checkBinding(
  challengePassword: string | undefined,
  { channelBinding, bindingRequired }: Pick<ProofContext, 'channelBinding' | 'bindingRequired'>,
): void {
  if (challengePassword === undefined) {
    refuseUnless(
      !bindingRequired,
      'PROOF_OF_POSSESSION_FAILED',
      'the certification request is not bound to this connection',
    )
    return
  }
  const named = decodeBase64url(challengePassword)
  const binding = channelBinding()
  const same = named !== undefined && binding !== undefined && sameOctets(named, binding)
  refuseUnless(same, 'PROOF_OF_POSSESSION_FAILED', 'the certification request is bound to another connection')
}
