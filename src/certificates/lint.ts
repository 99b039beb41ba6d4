import { Refusal } from '../spec/refusal.ts'
import { readTbsCertificate, type TbsCertificate } from './certificate.ts'
import { readDer } from './der-reader.ts'
import { type DistinguishedName, LONGEST_ATTRIBUTE, readName, writeName } from './distinguished-name.ts'
import { findings } from './findings.ts'
import { Malformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'
import { AUTHORITY_NAMES, isAuthority, PROFILES, type Role } from './profile.ts'
import { examinePublicKey, keyIdentifier } from './public-key.ts'
import { deviations } from './role-rules.ts'
import { algorithmOfSigner } from './signature-algorithm.ts'
import type { Template } from './template.ts'

/**
 * What speaks against signing these octets as a certificate of this template; an empty list if nothing does
 * (THREATS CA-05). The octets are read by the reader that peers' certificates go through, not by the code that wrote
 * them.
 *
 * @param tbs - TBSCertificate, DER
 */
export function lint(tbs: Uint8Array, template: Template): string[] {
  try {
    examinePublicKey(template.spki)
    const read = readDer(tbs, readTbsCertificate)
    const subject = readDer(read.subject, readName)
    return [
      ...differences(read, subject, template),
      ...deviations(read, template.role),
      ...faults(read, subject, template.role),
      ...faultsUnderIssuer(read, subject, template),
    ]
  } catch (error) {
    if (error instanceof Malformed || error instanceof Refusal) return [error.message]
    throw error
  }
}

/** The octets say what the template says. */
function differences(read: TbsCertificate, subject: DistinguishedName, template: Template): string[] {
  const { subjectAltNames, basicConstraints } = template
  return findings([
    [read.serial === hex(template.serial), 'another serial number than the template'],
    [read.signatureAlgorithm === template.signatureAlgorithm, 'another signature algorithm than the template'],
    [read.notBefore === template.notBefore, 'another notBefore than the template'],
    [read.notAfter === template.notAfter, 'another notAfter than the template'],
    [subject.organization === template.subject.organization, 'another organization than the template'],
    [subject.commonName === template.subject.commonName, 'another commonName than the template'],
    [read.subject.equals(writeName(template.subject)), 'a subject with more than the template'],
    [read.spki.equals(template.spki), 'another public key than the template'],
    [same(read.subjectAltNames.dnsNames, subjectAltNames.dnsNames), 'other dNSNames than the template'],
    [same(read.subjectAltNames.uris, subjectAltNames.uris), 'other URIs than the template'],
    [read.basicConstraints?.ca === basicConstraints.ca, 'another cA than the template'],
    [read.basicConstraints?.pathLength === basicConstraints.pathLength, 'another path length than the template'],
    [same(read.keyUsage ?? [], template.keyUsage), 'another key usage than the template'],
    [same(read.extendedKeyUsage ?? [], template.extendedKeyUsage), 'another extended key usage than the template'],
    [same(read.crlDistributionPoints, template.crlDistributionPoints), 'other CRL distribution points'],
    [same(read.nfTypes ?? [], template.nfTypes ?? []), 'other NF types than the template'],
  ])
}

const YEAR = 365.25 * 24 * 3600_000
const LONGEST_LIFE = { leaf: 398 * 24 * 3600_000, authority: 30 * YEAR }

const CRITICAL: ReadonlySet<string> = new Set([OID.keyUsage, OID.basicConstraints])
const NOT_CRITICAL: ReadonlySet<string> = new Set([
  OID.authorityKeyIdentifier,
  OID.subjectKeyIdentifier,
  OID.extKeyUsage,
  OID.subjectAltName,
  OID.crlDistributionPoints,
  OID.nfTypes,
])

/** TS 33.310 6.1.3c.3, RFC 5280 4.1 and 4.2, D-5 and D-6. */
function faults(read: TbsCertificate, { organization = '', commonName }: DistinguishedName, role: Role): string[] {
  const authority = isAuthority(role)
  const life = read.notAfter - read.notBefore + 1000
  const points = read.crlDistributionPoints
  return findings([
    [read.serial.length === 32, 'a serial number that is not of 16 octets'],
    [read.extensions.every(({ id, critical }) => (critical ? CRITICAL : NOT_CRITICAL).has(id)), 'a stray extension'],
    [read.subjectKeyId?.equals(keyIdentifier(read.spki)) ?? false, 'a subject key identifier of another key'],
    [life > 1000, 'a life that ends before it begins'],
    [life <= (authority ? LONGEST_LIFE.authority : LONGEST_LIFE.leaf), 'a life that is too long'],
    [organization.length > 0 && organization.length <= LONGEST_ATTRIBUTE, 'an organization of wrong length'],
    [commonName === undefined || commonName.length <= LONGEST_ATTRIBUTE, 'a commonName that is too long'],
    [!authority || commonName === AUTHORITY_NAMES[role], 'a CA under another name'],
    [authority || points.length > 0, 'no CRL distribution point'],
    [points.every((uri) => /^https?:\/\//.test(uri)), 'a CRL distribution point that is not on the web'],
  ])
}

/** The issuer is the one of this role, and nothing outlives or outgrows it (THREATS CA-08, CA-11). */
function faultsUnderIssuer(read: TbsCertificate, subject: DistinguishedName, template: Template): string[] {
  const { role, issuer, spki, signatureAlgorithm } = template
  const { issuedBy } = PROFILES[role]
  if (issuer === undefined) {
    return findings([
      [role === 'root', 'no issuer'],
      [read.issuer.equals(read.subject), 'another issuer than itself'],
      [sameKeyId(read.authorityKeyId, read.subjectKeyId), 'an authority key identifier of another key'],
    ])
  }
  const name = readDer(issuer.subject, readName)
  return findings([
    // The one root that may be under another is the next one of the same domain (RFC 4210 4.4).
    [role !== 'root' || issuer.subject.equals(read.subject), 'a root under an issuer'],
    [name.commonName === AUTHORITY_NAMES[issuedBy], 'an issuer of another role'],
    [deviations(issuer, issuedBy).length === 0, 'an issuer that may not issue this'],
    [name.organization === subject.organization, 'an issuer of another domain'],
    [read.issuer.equals(issuer.subject), 'another issuer than the template'],
    [sameKeyId(read.authorityKeyId, issuer.subjectKeyId), 'an authority key identifier of another key'],
    [!issuer.spki.equals(spki), 'the key of the issuer itself'],
    [signatureAlgorithm === algorithmOfSigner(issuer.publicKey), 'a signature algorithm that the issuer does not use'],
    [read.notBefore >= issuer.notBefore && read.notAfter <= issuer.notAfter, 'a life beyond that of the issuer'],
  ])
}

function same(read: readonly string[], expected: readonly string[]): boolean {
  return read.length === expected.length && read.every((value, index) => value === expected[index])
}

function sameKeyId(read: Buffer | undefined, expected: Buffer | undefined): boolean {
  return read !== undefined && expected !== undefined && read.equals(expected)
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}
