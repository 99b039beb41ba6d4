import { refuseUnless } from '../../spec/refusal.ts'
import type { EesPeer } from '../registrar/registration.ts'
import { type CertificationPorts, type IssuedCertificate, type ProvenKey, signIntended } from './certify.ts'

export interface ReenrolmentRequest {
  readonly key: ProvenKey
  /** the names that the certification request asks for; none means the present ones */
  readonly names: { readonly dnsNames: readonly string[]; readonly uris: readonly string[] }
}

/**
 * Re-enrolment over mutual TLS with the present certificate (RFC 7030 4.2.2; D-7). The identity stays what it is,
 * the key may change. The old certificate remains good until its end.
 */
export async function renewCertificate(
  ecs: CertificationPorts,
  peer: EesPeer,
  { key, names }: ReenrolmentRequest,
): Promise<IssuedCertificate> {
  const { registration } = peer
  const own = [peer.fqdn, `urn:uuid:${registration.registrationId}`] as readonly string[]
  const asked = [...names.dnsNames, ...names.uris]
  refuseUnless(
    asked.every((name) => own.includes(name)),
    'EES_NOT_ENTITLED',
    'the certification request names another EES',
  )
  const certificate = await signIntended(ecs, await ecs.intend(registration, key))
  await ecs.recordIssued(certificate, registration)
  return certificate
}
