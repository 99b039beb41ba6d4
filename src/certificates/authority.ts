import type { Random } from '../ports/random.ts'
import type { Signer } from '../ports/signer.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { type Certificate, readCertificate } from './certificate.ts'
import { issueCertificate } from './issue.ts'
import type { IssuerRole } from './profile.ts'
import { crossTemplate, drawSerial, rootTemplate, templateFor } from './template.ts'

/** A certificate and the key that signs under it. */
export interface Issuer {
  readonly certificate: Certificate
  readonly signer: Signer
}

interface Given {
  readonly signer: Signer
  /** milliseconds since the epoch */
  readonly now: number
  readonly random: Pick<Random, 'octets'>
  /** milliseconds, by default what the profile says */
  readonly lifetime?: number
  /** URI of the CRL of the issuer */
  readonly crlDistributionPoint?: string
}

/** The root of a domain: O = the domain, signed by itself. @param domain - at most 64 characters */
export async function createRoot(domain: Fqdn, { random, ...given }: Given): Promise<Issuer> {
  const { signer } = given
  const der = await issueCertificate(rootTemplate(domain, { ...given, serial: drawSerial(random) }), signer)
  return { certificate: readCertificate(der), signer }
}

/** A later root of the domain, certified by the one before it (RFC 4210 4.4: NewWithOld). */
export async function crossCertify(
  root: Certificate,
  under: Issuer,
  { now, random, crlDistributionPoint }: Pick<Given, 'now' | 'random' | 'crlDistributionPoint'>,
): Promise<Certificate> {
  const given = { issuer: under.certificate, serial: drawSerial(random), now }
  const template = crossTemplate(root, {
    ...given,
    ...(crlDistributionPoint !== undefined && { crlDistributionPoint }),
  })
  return readCertificate(await issueCertificate(template, under.signer))
}

/** An issuing CA for one role, certified by the root. */
export async function createIssuer(
  role: IssuerRole,
  root: Issuer,
  { signer, random, ...given }: Given,
): Promise<Issuer> {
  const spki = signer.publicKey.export({ format: 'der', type: 'spki' })
  const template = templateFor({ role }, { ...given, spki, issuer: root.certificate, serial: drawSerial(random) })
  return { certificate: readCertificate(await issueCertificate(template, root.signer)), signer }
}
