import type { Random } from '../ports/random.ts'
import type { Signer } from '../ports/signer.ts'
import type { EesId, Fqdn, NfInstanceId, RegistrationId } from '../spec/identifiers.ts'
import type { Certificate } from './certificate.ts'
import { readDer } from './der-reader.ts'
import { type DistinguishedName, LONGEST_ATTRIBUTE, readName } from './distinguished-name.ts'
import type { BasicConstraints, KeyUsage } from './extension-reader.ts'
import { AUTHORITY_NAMES, type IssuerRole, PROFILES, type Profile, type Role } from './profile.ts'
import { algorithmOfSigner, type SignerAlgorithm } from './signature-algorithm.ts'

/**
 * Everything that a certificate will say. It is recorded, then encoded, then checked against its encoding, then signed.
 */
export interface Template {
  readonly role: Role
  /** left out in a root, which signs itself */
  readonly issuer?: Certificate
  readonly signatureAlgorithm: SignerAlgorithm
  /** two's complement, big endian */
  readonly serial: Uint8Array
  /** milliseconds since the epoch, whole seconds */
  readonly notBefore: number
  readonly notAfter: number
  readonly subject: DistinguishedName
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array
  readonly subjectAltNames: { readonly dnsNames: readonly string[]; readonly uris: readonly string[] }
  readonly basicConstraints: BasicConstraints
  readonly keyUsage: readonly KeyUsage[]
  readonly extendedKeyUsage: readonly ('serverAuth' | 'clientAuth')[]
  readonly crlDistributionPoints: readonly string[]
  /** what a network function is (RFC 9310), in ascending order */
  readonly nfTypes?: readonly string[]
}

/**
 * Who is certified. An operator's name is one label of lower case letters, digits and hyphens; an EAS ID is an entity
 * ID.
 */
export type Subject =
  | { readonly role: 'ees'; readonly fqdn: Fqdn; readonly registrationId: RegistrationId; readonly eesId?: EesId }
  | { readonly role: 'ecs'; readonly fqdn: Fqdn }
  | { readonly role: 'nf'; readonly fqdn: Fqdn; readonly nfInstanceId: NfInstanceId; readonly nfType: string }
  | { readonly role: 'operator'; readonly name: string }
  | { readonly role: 'eas'; readonly easId: string }
  | { readonly role: 'eec'; readonly eecId: string }
  | { readonly role: IssuerRole }

export interface Issuance {
  readonly issuer: Certificate
  readonly spki: Uint8Array
  readonly serial: Uint8Array
  /** milliseconds since the epoch */
  readonly now: number
  /** milliseconds; shortened to what the profile and the issuer allow */
  readonly lifetime?: number
  /** URI of the issuer's CRL */
  readonly crlDistributionPoint?: string
}

/** The template of a certificate under `issuer`: D-5 and D-6, the names in it from the registration alone. */
export function templateFor(subject: Subject, issuance: Issuance): Template {
  const { issuer, spki, serial, now, lifetime, crlDistributionPoint } = issuance
  const profile = PROFILES[subject.role]
  const { commonName, ...subjectAltNames } = identityOf(subject)
  const { organization } = readDer(issuer.subject, readName)
  if (organization === undefined) throw new Error('the issuer has no domain in its name')
  return {
    ...sayings(profile),
    ...validity(profile, now, lifetime, issuer),
    role: subject.role,
    issuer,
    signatureAlgorithm: algorithmOfSigner(issuer.publicKey),
    serial,
    // A name that is too long for CN is left out; nobody is known by it.
    subject: { organization, ...(commonName && commonName.length <= LONGEST_ATTRIBUTE && { commonName }) },
    spki,
    subjectAltNames,
    crlDistributionPoints: crlDistributionPoint === undefined ? [] : [crlDistributionPoint],
    ...(subject.role === 'nf' && { nfTypes: [subject.nfType] }),
  }
}

/** The template of the root of a domain, signed by its own key. @param domain - at most 64 characters */
export function rootTemplate(
  domain: Fqdn,
  { signer, serial, now, lifetime }: Pick<Issuance, 'serial' | 'now' | 'lifetime'> & { readonly signer: Signer },
): Template {
  return {
    ...sayings(PROFILES.root),
    ...validity(PROFILES.root, now, lifetime),
    role: 'root',
    signatureAlgorithm: algorithmOfSigner(signer.publicKey),
    serial,
    subject: { organization: domain, commonName: AUTHORITY_NAMES.root },
    spki: signer.publicKey.export({ format: 'der', type: 'spki' }),
    subjectAltNames: { dnsNames: [], uris: [] },
    crlDistributionPoints: [],
  }
}

/**
 * The template of a later root of a domain as the root before it certifies it: NewWithOld of RFC 4210 4.4. Who trusts
 * the old one alone finds the way to what is under the new one.
 */
export function crossTemplate(
  root: Certificate,
  { issuer, serial, now, crlDistributionPoint }: Omit<Issuance, 'spki'>,
): Template {
  return {
    ...sayings(PROFILES.root),
    ...validity(PROFILES.root, now, undefined, issuer),
    role: 'root',
    issuer,
    signatureAlgorithm: algorithmOfSigner(issuer.publicKey),
    serial,
    subject: readDer(root.subject, readName),
    spki: root.spki,
    subjectAltNames: { dnsNames: [], uris: [] },
    crlDistributionPoints: crlDistributionPoint === undefined ? [] : [crlDistributionPoint],
  }
}

/**
 * A serial number of 127 random bits, in 16 octets. One draw in 128 would have a shorter encoding; it is drawn again,
 * so that every serial number has the same length (THREATS CA-03).
 */
export function drawSerial(random: Pick<Random, 'octets'>): Buffer {
  for (let draw = 0; draw < 64; draw += 1) {
    const octets = random.octets(16)
    octets.writeUInt8(octets.readUInt8(0) & 0x7f, 0)
    if (octets.readUInt8(0) !== 0) return octets
  }
  throw new Error('the source of random octets repeats itself')
}

function sayings({ basicConstraints, keyUsage, extendedKeyUsage }: Profile) {
  return { basicConstraints, keyUsage, extendedKeyUsage }
}

/** What comes before the EAS ID in the one URI of its certificate. */
export const EAS_URN = 'urn:edgeward:eas:'
/** The same before the EEC ID. */
export const EEC_URN = 'urn:edgeward:eec:'

const BACKDATED_BY = 5 * 60_000

/** Within the profile and within the issuer (THREATS CA-08). Both ends belong to it (RFC 5280 4.1.2.5). */
function validity(profile: Profile, now: number, lifetime = profile.lifetime.usual, issuer?: Certificate) {
  const second = now - (now % 1000)
  const notBefore = Math.max(second - BACKDATED_BY, issuer?.notBefore ?? 0)
  const notAfter = Math.min(
    second + lifetime - (lifetime % 1000),
    notBefore + profile.lifetime.longest - 1000,
    issuer?.notAfter ?? Number.POSITIVE_INFINITY,
  )
  return { notBefore, notAfter }
}

function identityOf(subject: Subject): Template['subjectAltNames'] & { readonly commonName?: string } {
  switch (subject.role) {
    case 'ees':
      return {
        dnsNames: [subject.fqdn],
        uris: [`urn:uuid:${subject.registrationId}`],
        ...(subject.eesId !== undefined && { commonName: subject.eesId }),
      }
    case 'ecs':
      return { dnsNames: [subject.fqdn], uris: [] }
    case 'nf':
      return { dnsNames: [subject.fqdn], uris: [`urn:uuid:${subject.nfInstanceId}`] }
    case 'operator':
      return { dnsNames: [], uris: [`urn:edgeward:operator:${subject.name}`], commonName: subject.name }
    case 'eas':
      return { dnsNames: [], uris: [`${EAS_URN}${subject.easId}`], commonName: subject.easId }
    case 'eec':
      return { dnsNames: [], uris: [`${EEC_URN}${subject.eecId}`], commonName: subject.eecId }
    default:
      return { dnsNames: [], uris: [], commonName: AUTHORITY_NAMES[subject.role] }
  }
}
